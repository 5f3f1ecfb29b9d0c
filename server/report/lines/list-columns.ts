import { wrapText } from './wrap-text.ts';

/** What a mailing list takes: checkpatch complains of longer lines in a commit message. */
export const LIST_COLUMNS_MAX = 75;

/** The lines as one text; a line that is too long goes on two columns further in. Ends with a newline. */
export function listText(lines: readonly string[]): string {
  return `${lines.flatMap(fitted).join('\n')}\n`;
}

function fitted(line: string): string[] {
  if (line.length <= LIST_COLUMNS_MAX) return [line.trimEnd()];
  const indent = / */.exec(line)?.[0].length ?? 0;
  const words = line.slice(indent);
  const [first = ''] = wrapText(words, LIST_COLUMNS_MAX - indent);
  const rest = words.slice(first.length).trimStart();
  const more = rest === '' ? [] : wrapText(rest, LIST_COLUMNS_MAX - indent - 2);
  return [' '.repeat(indent) + first, ...more.map((text) => ' '.repeat(indent + 2) + text)];
}
