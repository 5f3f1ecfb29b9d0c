import { addressWords } from '../event-words.ts';
import { wrapText } from '../lines/wrap-text.ts';
import type { Story } from './story.ts';

/** The drawing between what the entry was at first and what was wrong at last. No line ends in spaces. */
export function framed(
  story: Story,
  drawing: readonly string[],
  columns: number,
  below: readonly string[] = [],
): string {
  const lines = [...drawing];
  if (story.atFirst !== 'nothing special') {
    const entry = `At first: PTE ${addressWords(story.page)} = ${story.atFirst}`;
    lines.unshift(...wrapText(entry, columns), '');
  }
  if (story.verdict !== 'none') lines.push('', ...wrapText(`BUG: ${story.verdict}`, columns));
  if (below.length > 0) lines.push('', ...below.flatMap((line) => wrapText(line, columns)));
  return lines.map((line) => line.trimEnd()).join('\n');
}

/** A call that breaks a rule before it does anything is no row. */
export function nothingHappened(story: Story, columns: number): string {
  return framed(story, wrapText('Nothing happened to this page.', columns), columns);
}
