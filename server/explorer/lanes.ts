/**
 * A hash of two 32-bit halves, as one number below 2^53: states are distinguished by it. With a million states the
 * probability that any two of them share a hash is below 6e-5.
 */

/** Two halves that are mixed separately; see keyOf(). */
export interface Lanes {
  low: number;
  high: number;
}

export function newLanes(): Lanes {
  return { low: 0x2545f491, high: 0x9e3779b9 | 0 };
}

/** Folds `value` in: the order of folding matters. */
export function fold(lanes: Lanes, value: number): void {
  // A number above 2^32 (an object, a page) keeps both its halves.
  const upper = Math.floor(value / 0x1_0000_0000);
  lanes.low = scramble(lanes.low ^ (value | 0) ^ Math.imul(upper, 0x85ebca6b));
  lanes.high = scramble(
    lanes.high + Math.imul(value | 0, 0x27d4eb2f) + Math.imul(upper, 0x165667b1),
  );
}

export function foldText(lanes: Lanes, text: string): void {
  for (let at = 0; at < text.length; at += 1) fold(lanes, text.charCodeAt(at));
  fold(lanes, text.length);
}

/** Adds `part` to a sum that does not depend on the order of its parts. */
export function addTo(sum: Lanes, part: Lanes): void {
  sum.low = (sum.low + scramble(part.low ^ 0x5bd1e995)) | 0;
  sum.high = (sum.high + scramble(part.high ^ 0x1b873593)) | 0;
}

/** Takes back what addTo() has added. */
export function takeFrom(sum: Lanes, part: Lanes): void {
  sum.low = (sum.low - scramble(part.low ^ 0x5bd1e995)) | 0;
  sum.high = (sum.high - scramble(part.high ^ 0x1b873593)) | 0;
}

/** Below 2^53. */
export function keyOf({ low, high }: Lanes): number {
  return (
    (scramble(high ^ low) >>> 11) * 0x1_0000_0000 + (scramble(low + Math.imul(high, 31)) >>> 0)
  );
}

/** The finisher of MurmurHash3 (Appleby, public domain). */
function scramble(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
