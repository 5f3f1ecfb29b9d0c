/** The text of a recording on its way from the view where it was dropped to the one that shows it. */
let text: string | 'none' = 'none';

export function handOver(recording: string): void {
  text = recording;
}

export function takeHandedOver(): string | 'none' {
  const taken = text;
  text = 'none';
  return taken;
}
