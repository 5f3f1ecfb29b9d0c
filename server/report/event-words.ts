/** How reports speak of the things in events: one wording for diagrams, terminals and traces. */

import type { EventBody, PteView } from '../abi/event.ts';
import { ZERO_PFN } from '../kernel/memory/frames.ts';
import { hexAddress, pageIndex } from '../vocabulary/address.ts';

type Mirror = Extract<EventBody, { kind: 'mirror' }>['to'];
export type Scalars = Extract<EventBody, { kind: 'call' }>['args'];

/** The frame of zeros that all empty pages share has a name. */
export function frameWords(pfn: number): string {
  return pfn === ZERO_PFN ? 'zero page' : `frame 0x${pfn.toString(16)}`;
}

export function addressWords(page: number): string {
  return hexAddress(pageIndex(page));
}

/** `0x100200000`, or `0x100200000, 8 pages` for more than one. */
export function rangeWords(first: number, end: number): string {
  const from = addressWords(first);
  return end - first === 1 ? from : `${from}, ${end - first} pages`;
}

export function pteWords(pte: PteView): string {
  switch (pte.state) {
    case 'none':
      return 'empty';
    case 'zero':
      return 'zero page';
    case 'present':
      return `${frameWords(pte.pfn)}${pte.access === 'read' ? ' read-only' : ''}`;
    case 'migration':
      return 'migration entry';
    case 'device-private':
      return `device page 0x${pte.pfn.toString(16)}`;
    case 'device-exclusive':
      return `device-exclusive ${frameWords(pte.pfn)}`;
    case 'swap':
      return `swap slot ${pte.slot}`;
    case 'poison':
      return 'poison';
  }
}

/** A change that leaves frame and rights alone is one of the accessed and dirty bits and their like. */
export function pteChangeWords(from: PteView, to: PteView): string {
  const [before, after] = [pteWords(from), pteWords(to)];
  return before === after ? `${after}, flags alone` : `${before} -> ${after}`;
}

export function mirrorWords(entry: Mirror): string {
  return entry.state === 'none' ? 'none' : `${frameWords(entry.pfn)} ${entry.access}`;
}

/** Where a call acts: its range or its page; empty if it names none. */
export function placeWords({ first, end, page }: Scalars): string {
  if (typeof first === 'number' && typeof end === 'number') return rangeWords(first, end);
  return typeof page === 'number' ? addressWords(page) : '';
}

/** Arguments as `key=value`; pages and frames as kernel people write them. */
export function argumentWords(args: Scalars): string {
  const { first, end, ...others } = args;
  const words: string[] = [];
  if (typeof first === 'number' && typeof end === 'number') words.push(rangeWords(first, end));
  else if (first !== undefined) words.push(`first=${first}`);
  for (const [name, value] of Object.entries(others)) {
    if (name === 'page' && typeof value === 'number') words.push(addressWords(value));
    else if (name === 'pfn' && typeof value === 'number') words.push(frameWords(value));
    else words.push(`${name}=${value}`);
  }
  return words.join(', ');
}

/** Results that say nothing but that it went well. */
export function isPlainSuccess(result: string): boolean {
  return ['', 'ok', 'done', 'void', 'undefined'].includes(result.toLowerCase());
}
