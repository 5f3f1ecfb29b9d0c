/** Tasks that wait for ever, in words. */
import type { Failure } from '../explorer/failure.ts';
import { ITS_OWN, type Waiting } from '../explorer/stuck.ts';

/** Where a thread waits that has faulted too often (scenario/fair-faults.ts). */
const FAIR_TURN = 'lab.fair_turn';

type Stuck = Pick<Extract<Failure, { kind: 'stuck' }>, 'how' | 'chain' | 'cycle'>;

/** One sentence that begins with the name of what it is. */
export function describeStuck({ how, chain, cycle }: Stuck): string {
  if (how === 'livelock') {
    const loops = chain.filter(({ waitsAt }) => waitsAt !== FAIR_TURN);
    if (loops.length > 0) {
      const who = loops.map(({ actor, task, waitsAt }) => `${actor} (${task}, at ${waitsAt})`);
      return `livelock: ${who.join(' and ')} goes round without end, and nothing changes`;
    }
    const actors = chain.map(({ actor }) => actor).join(' and ');
    return `livelock: ${actors} faults again and again, and no other task does anything`;
  }
  const waits = chain.map(describeWait).join('; ');
  return how === 'deadlock' ? `deadlock ${cycle}: ${waits}` : `${how}: ${waits}`;
}

/** `cpu0 (madvise) waits at do_madvise.lock for driver_lock, which dev0 (fault-read) has since dmirror_fault.lock`. */
export function describeWait({ actor, task, wants, waitsAt, heldBy, missedWake }: Waiting): string {
  const waiting = `${actor} (${task}) waits at ${waitsAt} for ${wants}`;
  if (missedWake) return `${waiting}, which is so, but it was not woken`;
  if (heldBy.length === 0) return `${waiting}, which no task will bring about`;
  const holders = heldBy.map((holder) => {
    const who = `${holder.actor} (${holder.task})`;
    if (holder.at === ITS_OWN) return `is up to ${who}`;
    const since = `${who} has since ${holder.at}`;
    return holder.state === 'ended' ? `${since} and has ended` : since;
  });
  return `${waiting}, which ${holders.join(' and ')}`;
}
