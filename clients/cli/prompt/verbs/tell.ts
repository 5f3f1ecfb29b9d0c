/** How answers of verbs are worded. */
import { hexAddress, pageIndex } from '../../../../server/vocabulary/address.ts';
import type { VerbResult } from '../../../sdk/conductor.ts';
import type { Values } from '../values.ts';

/** Rows shown of an answer with a row a page. */
const ROWS_MAX = 64;

export function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** A number of the answer; 0 if it is not there. */
export function countIn(result: VerbResult, name: string): number {
  const value = result[name];
  return typeof value === 'number' ? value : 0;
}

/** `0x10000 = 0x2a`, or a row a page. */
export function valueRows(result: VerbResult, values: Values): string {
  const texts = Array.isArray(result.values) ? result.values.map(String) : [];
  return rows(texts, values.page('ADDRESS'));
}

/** A row a page from `first` on. */
export function rows(texts: readonly string[], first: number): string {
  const shown = texts
    .slice(0, ROWS_MAX)
    .map((text, at) => `${hexAddress(pageIndex(first + at))} = ${text}`);
  const left = texts.length - shown.length;
  return [...shown, ...(left > 0 ? [`... and ${plural(left, 'page')} more`] : [])].join('\n');
}

/** `0x10000`, or `0x10000, 3 pages`. */
export function placeIn(values: Values): string {
  const { first, end } = values.range('ADDRESS', 'PAGES');
  const from = hexAddress(pageIndex(first));
  return end - first === 1 ? from : `${from}, ${end - first} pages`;
}
