import type { PageRange } from '../../vocabulary/address.ts';

/** The word at the start of page number `at` of a buffer: unlike zero and unlike that of any other page. */
export function patternWord(at: number): bigint {
  return BigInt(at) * 512n + 1n;
}

/** What a device writes there instead. */
export function otherWord(at: number): bigint {
  return 0xffff_ffff_ffff_ffffn - BigInt(at);
}

export function zero(): bigint {
  return 0n;
}

/** The words of a whole buffer as verbs give and take them. */
export function words(range: PageRange, wordOf: (at: number) => bigint): string[] {
  return Array.from({ length: range.end - range.first }, (_, at) => `0x${wordOf(at).toString(16)}`);
}
