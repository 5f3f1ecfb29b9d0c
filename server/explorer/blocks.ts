/** A schedule as people read it: who runs for how many steps, then who. */
export interface Block {
  readonly task: number;
  readonly count: number;
}

export function blocksOf(choices: readonly number[]): Block[] {
  const blocks: { task: number; count: number }[] = [];
  for (const task of choices) {
    const last = blocks.at(-1);
    if (last?.task === task) last.count += 1;
    else blocks.push({ task, count: 1 });
  }
  return blocks;
}

export function choicesOf(blocks: readonly Block[]): number[] {
  return blocks.flatMap(({ task, count }) => new Array<number>(count).fill(task));
}

/** How often the processor changes hands. */
export function contextSwitches(choices: readonly number[]): number {
  return Math.max(0, blocksOf(choices).length - 1);
}
