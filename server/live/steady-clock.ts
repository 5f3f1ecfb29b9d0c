import type { Millis } from './lab-actor.ts';

/**
 * A clock that never advances by more than `gapMax` between two looks: a server that stood still (a stopped process, a
 * paused machine, a long turn) could not hear its clients, so that time is not theirs. `wall` only moves forwards; the
 * clock has to be looked at more often than each `gapMax`.
 */
export function steadyClock(wall: () => Millis, gapMax: Millis): () => Millis {
  let seen = wall();
  let shown = seen;
  return () => {
    const now = wall();
    shown += Math.min(now - seen, gapMax);
    seen = now;
    return shown;
  };
}
