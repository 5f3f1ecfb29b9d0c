/** Chance with a seed: the same choices for the same seed, on every machine. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export interface Chance {
  /** A whole number from 0 up to, but not including, `end`. */
  below(end: number): number;
  /** True in `percent` of 100 cases. */
  in100(percent: number): boolean;
  /** One of them. Never of an empty list. */
  of<Value>(values: readonly Value[]): Value;
}

export function chanceFrom(seed: number): Chance {
  const generator = xoroshiro128plus(seed);
  const below = (end: number) => Math.floor(uniformFloat64(generator) * end);
  return {
    below,
    in100: (percent) => uniformFloat64(generator) * 100 < percent,
    of: (values) => values[below(values.length)] as (typeof values)[number],
  };
}
