/** What an observer says about what it shows. */

import type { LabSnapshot } from '../../../server/protocol/lab-snapshot.ts';
import { addressWords } from '../../../server/report/event-words.ts';
import { kernelLabel } from '../../../server/report/lines/kernel-label.ts';

export function greeting(snapshot: LabSnapshot): string {
  const { lab, n, actors, vmas } = snapshot;
  const who = actors.map((actor) => actor.name).join(', ') || 'no actors';
  const mapped = vmas
    .slice(0, 4)
    .map(({ first, end }) => `${addressWords(first)}-${addressWords(end)}`)
    .join(', ');
  const memory = vmas.length === 0 ? 'nothing is mapped' : `mapped ${mapped}`;
  return `lab ${lab} at event ${n}, kernel ${kernelLabel(snapshot)}, with ${who}; ${memory}`;
}

/** What was not shown between event `seen` and the snapshot. */
export function gap(seen: number, snapshot: LabSnapshot): string {
  const { n, actors } = snapshot;
  const who = actors.map((actor) => actor.name).join(', ') || 'no actors';
  if (n < seen)
    return `the lab began anew: kernel ${kernelLabel(snapshot)}, event ${n}, with ${who}`;
  return (
    `fell behind: events ${seen + 1} to ${n} are not shown; from here on a snapshot is the beginning ` +
    `(kernel ${kernelLabel(snapshot)}, with ${who})`
  );
}

export function noBacklog(why: 'too-old' | 'unknown', since: number): string {
  return why === 'too-old'
    ? `the server no longer has the events behind ${since}: what follows begins now`
    : 'the server has no earlier events: what follows begins now';
}
