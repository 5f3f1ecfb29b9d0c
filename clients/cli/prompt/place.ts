/**
 * Places in memory as a person writes them: `0x10000`, or a mapping and what to add to its start. Mappings are called
 * a, b, c ... in the order of their addresses: `a` is where the first begins, `a+3` its page 3 and `a+0x8` its byte 8.
 */
import { PAGE_SIZE, TASK_SIZE } from '../../../server/vocabulary/address.ts';

export type TypedPlace =
  | { readonly base: 'zero'; readonly address: number; readonly text: string }
  | { readonly base: string; readonly offset: number; readonly text: string };

/** A mapping: pages [first, end). */
export interface Mapping {
  readonly first: number;
  readonly end: number;
}

/** Where nothing is mapped: behind the last mapping, with a gap. */
export const FREE = 'free';
const FREE_FIRST = 0x10000;
const FREE_GAP = 0x10000;

export const PLACE_WORDS = 'an address such as 0x10000, or a mapping such as a, a+3 or a+0x8';

const LETTERS = 26;

/** Returns 'none' if `text` is no place. */
export function parsePlace(text: string): TypedPlace | 'none' {
  if (/^0x[0-9a-f]{1,12}$/i.test(text)) return { base: 'zero', address: Number(text), text };
  if (text === FREE) return { base: FREE, offset: 0, text };
  const relative = /^([a-z]{1,2})(?:\+(0x[0-9a-f]{1,12}|\d{1,9}))?$/.exec(text);
  const base = relative?.[1];
  if (base === undefined) return 'none';
  const added = relative?.[2] ?? '0';
  const offset = added.startsWith('0x') ? Number(added) : Number(added) * PAGE_SIZE;
  return { base, offset, text };
}

/** The byte address, or a sentence that says why there is none. `mappings` sorted by address. */
export function addressOfPlace(
  place: TypedPlace,
  mappings: readonly Mapping[],
): { readonly address: number } | { readonly wrong: string } {
  const address = 'address' in place ? place.address : startOf(place.base, mappings, place.offset);
  if (address === 'none') return { wrong: `${place.text}: ${noMapping(mappings)}` };
  if (address < TASK_SIZE) return { address };
  return { wrong: `${place.text}: expected an address below 0x${TASK_SIZE.toString(16)}` };
}

/** `a` for the first mapping. */
export function mappingName(index: number): string {
  const last = String.fromCharCode('a'.charCodeAt(0) + (index % LETTERS));
  return index < LETTERS ? last : mappingName(Math.floor(index / LETTERS) - 1) + last;
}

function startOf(name: string, mappings: readonly Mapping[], offset: number): number | 'none' {
  if (name === FREE) {
    const last = mappings.at(-1);
    return last === undefined ? FREE_FIRST : last.end * PAGE_SIZE + FREE_GAP;
  }
  const found = mappings.find((_, index) => mappingName(index) === name);
  return found === undefined ? 'none' : found.first * PAGE_SIZE + offset;
}

function noMapping(mappings: readonly Mapping[]): string {
  if (mappings.length === 0) {
    return 'nothing is mapped yet; a CPU maps memory: mmap 0x10000 4';
  }
  const last = mappingName(mappings.length - 1);
  const known = mappings.length === 1 ? 'only a' : `a to ${last}`;
  return `there is no such mapping, ${known}; maps lists them`;
}
