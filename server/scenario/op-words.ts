import type { Op } from './op-schema.ts';

const FIRST = new Set(['do', 'actor', 'as', 'at', 'pages', 'to']);
/** In this order, and others behind them. */
const LATER = ['value', 'prot', 'kind', 'advice', 'child', 'mode', 'id', 'for', 'times', 'until'];

/** An operation in a few words, as a person reads it: `store a+1 2`, `madvise a DONTNEED`, `mremap a to b`. */
export function opWords(op: Op): string {
  const words: string[] = [op.do];
  if ('at' in op) words.push(op.at);
  if ('pages' in op && op.pages !== undefined && op.pages > 1) words.push(`(${op.pages} pages)`);
  if ('to' in op) words.push('to', op.to);
  const others = Object.keys(op).filter((key) => !(FIRST.has(key) || LATER.includes(key)));
  for (const key of [...LATER, ...others]) {
    const value = (op as { readonly [key: string]: unknown })[key];
    if (value !== undefined) words.push(String(value));
  }
  return words.join(' ');
}
