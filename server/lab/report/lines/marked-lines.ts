import { wrapText } from './wrap-text.ts';

/** A step's words, wrapped, with the mark of a bug behind them or on a line of its own. */
export function markedLines(text: string, bug: string | 'none', width: number): string[] {
  const lines = wrapText(text, width);
  if (bug === 'none') return lines;
  const mark = `<-- BUG ${bug}`.trimEnd();
  const last = lines.at(-1) ?? '';
  if (last.length + 3 + mark.length <= width) lines[lines.length - 1] = `${last}   ${mark}`;
  else lines.push(...wrapText(mark, width));
  return lines;
}
