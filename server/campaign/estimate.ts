/** How long a campaign will still take, as far as what was measured says. */
import type { CampaignLook } from './campaigns.ts';

export interface CampaignEstimate {
  /** Units a second, as they came lately. */
  readonly rate: number;
  /** 'unknown' while too little was seen, or where what is left may take any time. */
  readonly seconds: { readonly least: number; readonly most: number } | 'unknown';
}

/** Fewer say nothing of the others. */
const UNITS_LEAST = 10;
/** Standard deviations between the mean and either end. */
const DEVIATIONS = 2;

/** A moment of it: milliseconds of any clock, and the units that were left then. */
export interface SeenUnits {
  readonly at: number;
  readonly left: number;
}

/**
 * `seen`: moments in their order, the last one now. Units are taken to be drawn from those that were measured. Of an
 * exhaustive search in one piece nothing is known before its end, so with one of them left nothing is said.
 */
export function campaignEstimate(
  { times, left, searchesLeft }: Pick<CampaignLook, 'times' | 'left' | 'searchesLeft'>,
  seen: readonly SeenUnits[],
): CampaignEstimate {
  const [first] = seen;
  const last = seen.at(-1);
  const seconds = first === undefined || last === undefined ? 0 : (last.at - first.at) / 1_000;
  const rate =
    seconds > 0 && first !== undefined && last !== undefined
      ? (first.left - last.left) / seconds
      : 0;
  const all = Object.entries(times).filter(([kind]) => kind !== 'answer');
  const sum = (of: 'units' | 'ms' | 'squares') =>
    all.reduce((total, [, one]) => total + one[of], 0);
  const units = sum('units');
  if (searchesLeft > 0 || units < UNITS_LEAST || rate <= 0) return { rate, seconds: 'unknown' };
  const mean = sum('ms') / units;
  const deviation = Math.sqrt(Math.max(0, sum('squares') / units - mean * mean));
  const relative = mean === 0 ? 0 : (DEVIATIONS * deviation) / mean;
  // Of what is left, and of the mean itself.
  const spread = relative * Math.sqrt(1 / Math.max(1, left) + 1 / units);
  const middle = left / rate;
  return {
    rate,
    seconds: { least: middle * Math.max(0, 1 - spread), most: middle * (1 + spread) },
  };
}
