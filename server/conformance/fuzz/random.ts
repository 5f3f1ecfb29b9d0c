import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { mersenne } from 'pure-rand/generator/mersenne';

/**
 * Chance from a seed: the same seed gives the same numbers, on every machine, so that a finding is named by its seed.
 * The Mersenne Twister fills its state from the seed, so neighbouring seeds have nothing in common.
 */
export interface Random {
  /** A whole number from 0 to `end` - 1. */
  below(end: number): number;
  /** True with probability `numerator` / `denominator`. */
  chance(numerator: number, denominator: number): boolean;
  pick<T>(choices: readonly [T, ...T[]]): T;
}

/** `seed` is a whole number; its low 32 bits count. */
export function newRandom(seed: number): Random {
  const generator = mersenne(seed | 0);
  const below = (end: number) => uniformInt(generator, 0, end - 1);
  return {
    below,
    chance: (numerator, denominator) => below(denominator) < numerator,
    pick: (choices) => choices[below(choices.length)] ?? choices[0],
  };
}
