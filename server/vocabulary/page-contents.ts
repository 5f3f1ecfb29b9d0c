import { PAGE_SIZE } from './address.ts';

/**
 * The bytes of one page without its trailing zeros: length 0 is a page of zeros, length 4096 a full one.
 * Treat as immutable; every change makes a new array. The form is canonical, so equal pages have equal bytes.
 */
export type PageContents = Uint8Array<ArrayBuffer>;

export const ZERO_CONTENTS: PageContents = new Uint8Array(0);

/** Cuts trailing zeros, so that the form is canonical. Throws a RangeError if `bytes` is longer than a page. */
export function pageContents(bytes: Uint8Array<ArrayBuffer>): PageContents {
  if (bytes.length > PAGE_SIZE)
    throw new RangeError(`a page has ${PAGE_SIZE} bytes, not ${bytes.length}`);
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length -= 1;
  return length === bytes.length ? bytes : bytes.slice(0, length);
}

/** The little-endian u64 at `offset` (a multiple of 8, below 4096). */
export function readU64(contents: PageContents, offset: number): bigint {
  let value = 0n;
  for (let at = Math.min(offset + 8, contents.length) - 1; at >= offset; at -= 1) {
    value = (value << 8n) | BigInt(contents[at] ?? 0);
  }
  return value;
}

/** The first u64, as events show it. */
export function firstWord(contents: PageContents): string {
  return `0x${readU64(contents, 0).toString(16)}`;
}

/** A copy of `contents` with the little-endian u64 at `offset` (a multiple of 8) set to `value`. */
export function writeU64(contents: PageContents, offset: number, value: bigint): PageContents {
  const bytes = new Uint8Array(Math.max(contents.length, offset + 8));
  bytes.set(contents);
  new DataView(bytes.buffer).setBigUint64(offset, value, true);
  return pageContents(bytes);
}

/** A page that begins with `value` and is zero behind it. */
export function pageOfU64(value: bigint): PageContents {
  return writeU64(ZERO_CONTENTS, 0, value);
}

export function sameContents(a: PageContents, b: PageContents): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

/** Two digits a byte. */
export function hexOfPage(contents: PageContents): string {
  return Array.from(contents, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Its inverse: `hex` has at most two digits for each byte of a page. */
export function pageOfHex(hex: string): PageContents {
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  }
  return pageContents(bytes);
}
