/**
 * Chance from a seed: the same seed gives the same numbers, on every machine and for ever, so that a finding is named
 * by its seed. The generator is xoshiro128** of Blackman and Vigna (2018), its state filled by splitmix32.
 */
export interface Random {
  /** A whole number from 0 to `end` - 1; `end` is below 2^20. */
  below(end: number): number;
  /** True with probability `numerator` / `denominator`. */
  chance(numerator: number, denominator: number): boolean;
  pick<T>(choices: readonly [T, ...T[]]): T;
}

/** `seed` is a whole number; its low 32 bits count. */
export function newRandom(seed: number): Random {
  const next = xoshiro128(scattered(seed));
  // The high bits: for an `end` this small the bias is out of reach of any number of runs.
  const below = (end: number) => Math.floor((next() / 2 ** 32) * end);
  return {
    below,
    chance: (numerator, denominator) => below(denominator) < numerator,
    pick: (choices) => choices[below(choices.length)] ?? choices[0],
  };
}

/** Four words of state. */
type State = readonly [number, number, number, number];

/** A source of whole numbers from 0 up to 2^32, excluded. Not all words of `state` may be 0. */
export function xoshiro128(state: State): () => number {
  let [a, b, c, d] = state;
  return () => {
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotated(d, 11);
    return result;
  };
}

function rotated(word: number, left: number): number {
  return (word << left) | (word >>> (32 - left));
}

/** splitmix32: neighbouring seeds have nothing in common. */
function scattered(seed: number): State {
  let counter = seed | 0;
  const next = () => {
    counter = (counter + 0x9e3779b9) | 0;
    let word = counter ^ (counter >>> 16);
    word = Math.imul(word, 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return word ^ (word >>> 15);
  };
  return [next(), next(), next(), next() | 1];
}
