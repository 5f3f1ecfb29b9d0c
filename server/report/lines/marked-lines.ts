import { wrapText } from './wrap-text.ts';

/** What is marked at a step. */
export interface Marks {
  readonly bug: string | 'none';
  readonly turn: 'no return' | 'none';
}

/** A step's words, wrapped, with its marks behind them or on a line of their own. */
export function markedLines(text: string, { bug, turn }: Marks, width: number): string[] {
  const lines = wrapText(text, width);
  const marks = [
    ...(bug === 'none' ? [] : [`BUG ${bug}`.trimEnd()]),
    ...(turn === 'none' ? [] : [turn]),
  ];
  if (marks.length === 0) return lines;
  const mark = `<-- ${marks.join(', ')}`;
  const last = lines.at(-1) ?? '';
  if (last.length + 3 + mark.length <= width) lines[lines.length - 1] = `${last}   ${mark}`;
  else lines.push(...wrapText(mark, width));
  return lines;
}
