/** Tasks of one device that read a range again and again until they are stopped. */

import { serial, wake } from '../../server/task/context.ts';
import { type ObjectId, objectId } from '../../server/task/object-id.ts';
import { type Task, waitUntil } from '../../server/task/task.ts';
import type { PageIndex, PageRange } from '../../server/vocabulary/address.ts';
import type { Dmirror } from '../drivers/dmirror/dmirror-state.ts';
import { performVerb } from '../drivers/dmirror/dmirror-verb.ts';
import { CallRefused, SESSION_LOST } from '../sdk/call-refusal.ts';

/** The tasks that read one range. */
interface Loop {
  wanted: 'run' | 'stop';
  running: number;
  reads: number;
  errors: number;
  readonly ended: ObjectId;
}

export interface Loops {
  /** By the first page of the range. */
  readonly byRange: Map<PageIndex, Loop>;
  /** Lets every other task of the device go first. */
  readonly pause: () => Task<void>;
}

export interface LoopCounts {
  readonly reads: number;
  readonly errors: number;
}

export function newLoops(pause: () => Task<void>): Loops {
  return { byRange: new Map(), pause };
}

/** Returns when the tasks are started. Yields: yes. */
export function* startLoops(
  loops: Loops,
  dmirror: Dmirror,
  range: PageRange,
  threads: number,
): Task<void> {
  const actor = dmirror.api.owner;
  const ended = objectId('user', 1, serial(dmirror.context));
  const loop: Loop = { wanted: 'run', running: threads, reads: 0, errors: 0, ended };
  loops.byRange.set(range.first, loop);
  const children = Array.from({ length: threads }, () => ({
    actor,
    name: 'read-loop',
    done: objectId('task', 0, serial(dmirror.context)),
    task: readUntilStopped(loop, dmirror, range, loops.pause),
  }));
  yield { kind: 'spawn', at: 'read_loop.start', children };
}

/** Returns how much was read, once all tasks have ended. Yields: yes. */
export function* stopLoops(loops: Loops, range: PageRange): Task<LoopCounts> {
  const loop = loops.byRange.get(range.first);
  if (loop === undefined) return { reads: 0, errors: 0 };
  loop.wanted = 'stop';
  yield waitUntil('read_loop.stop', loop.ended, () => loop.running === 0);
  loops.byRange.delete(range.first);
  return { reads: loop.reads, errors: loop.errors };
}

function* readUntilStopped(
  loop: Loop,
  dmirror: Dmirror,
  range: PageRange,
  pause: () => Task<void>,
): Task<void> {
  try {
    while (loop.wanted === 'run') {
      const errno = yield* readOnce(dmirror, range);
      if (errno === 'session over') return;
      if (errno === 'OK') loop.reads += 1;
      else loop.errors += 1;
      // First come, first served: a task that unlocks and locks again without a pause in between starves the callbacks.
      yield* pause();
    }
  } finally {
    loop.running -= 1;
    wake(dmirror.context, loop.ended);
  }
}

/** Nobody waits for what a loop throws: what it was refused counts as an error, and with its session it is over. */
function* readOnce(dmirror: Dmirror, range: PageRange): Task<unknown> {
  try {
    return (yield* performVerb(dmirror, { verb: 'read', range })).errno;
  } catch (error) {
    if (!(error instanceof CallRefused)) throw error;
    return error.refusal.code === SESSION_LOST ? 'session over' : error.refusal.errno;
  }
}
