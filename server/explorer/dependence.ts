/**
 * Which steps commute. Two executions that differ only in the order of commuting steps are one; the reduction
 * explores one of them. Source: Flanagan and Godefroid, POPL 2005; locks as in their section 5.
 */
import type { Touch, TouchMode } from '../task/context.ts';

/** May the two be swapped where both are enabled? A release is never enabled beside an acquire of its lock. */
export function races(a: TouchMode, b: TouchMode): boolean {
  if (touchesNothing(a) || touchesNothing(b)) return false;
  if (isGate(a) || isGate(b)) return false;
  if (isRelease(a) || isRelease(b)) return isPlain(a) || isPlain(b);
  if (a === b && (a === 'add' || a === 'raise' || a === 'lower')) return false;
  return !(isShared(a) && isShared(b));
}

/** Is the later one ordered after the earlier one? */
export function orders(earlier: TouchMode, later: TouchMode): boolean {
  if (isGate(earlier) || isGate(later)) return earlier === 'end' && later === 'ended';
  if (isRelease(earlier) && isRelease(later)) return false;
  if (earlier === 'release-read' && later === 'acquire-read') return false;
  if (isRelease(later) && isAcquire(earlier)) return false;
  if (isRelease(earlier) && isAcquire(later)) return true;
  return races(earlier, later);
}

/** It only marks a loop: see enterLoop(). */
export function touchesNothing(mode: TouchMode): boolean {
  return mode === 'enter' || mode === 'again' || mode === 'hold';
}

/** No order of it with another has to be tried. */
export function racesWithNothing(mode: TouchMode): boolean {
  return touchesNothing(mode) || isGate(mode);
}

/** The end of what is waited for, and the wait: only the order matters, and that cannot be another. */
function isGate(mode: TouchMode): boolean {
  return mode === 'end' || mode === 'ended';
}

function isShared(mode: TouchMode): boolean {
  return mode === 'read' || mode === 'watch' || mode === 'await' || mode === 'acquire-read';
}

function isPlain(mode: TouchMode): boolean {
  return mode === 'read' || mode === 'watch' || mode === 'write' || mode === 'note';
}

function isRelease(mode: TouchMode): boolean {
  return mode === 'release-read' || mode === 'release-write' || mode === 'downgrade';
}

function isAcquire(mode: TouchMode): boolean {
  return mode === 'acquire-read' || mode === 'acquire-write';
}

/** Does it matter to either which of the two comes first? */
export function conflicts(a: TouchMode, b: TouchMode): boolean {
  return races(a, b) || orders(a, b) || orders(b, a);
}

/** Two steps of different tasks commute if no object of one is in conflict with an object of the other. */
export function independent(a: readonly Touch[], b: readonly Touch[]): boolean {
  for (const left of a) {
    for (const right of b) {
      if (left.object === right.object && conflicts(left.mode, right.mode)) return false;
    }
  }
  return true;
}
