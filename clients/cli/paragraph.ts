import { wrapText } from '../../server/report/lines/wrap-text.ts';

/** Fits a terminal and a mail. */
const COLUMNS = 80;

/** `text` in lines that fit, each behind `indent`. */
export function paragraph(text: string, indent: string): string {
  return wrapText(text.trim().replaceAll(/\s+/g, ' '), COLUMNS - indent.length)
    .map((line) => indent + line)
    .join('\n');
}
