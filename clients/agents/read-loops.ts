/** Tasks of one device that read a range again and again until they are told to stop. */

import { serial, wake } from '../../server/task/context.ts';
import { type ObjectId, objectId } from '../../server/task/object-id.ts';
import { type Task, waitUntil } from '../../server/task/task.ts';
import type { PageRange } from '../../server/vocabulary/address.ts';
import type { Dmirror } from '../drivers/dmirror-state.ts';
import { performVerb } from '../drivers/dmirror-verb.ts';

export interface Loops {
  wanted: 'run' | 'stop';
  running: number;
  reads: number;
  errors: number;
  readonly ended: ObjectId;
}

export function newLoops(): Loops {
  const ended = objectId('user', 0, 1);
  return { wanted: 'stop', running: 0, reads: 0, errors: 0, ended };
}

/** Returns when the tasks are started. Yields: yes. */
export function* startLoops(
  loops: Loops,
  dmirror: Dmirror,
  range: PageRange,
  threads: number,
): Task<void> {
  loops.wanted = 'run';
  loops.reads = 0;
  loops.errors = 0;
  const actor = dmirror.api.owner;
  const children = Array.from({ length: threads }, () => {
    loops.running += 1;
    const done = objectId('task', 0, serial(dmirror.context));
    return { actor, name: 'read-loop', done, task: readUntilStopped(loops, dmirror, range) };
  });
  yield { kind: 'spawn', at: 'read_loop.start', children };
}

/** Returns how much was read, once all tasks have ended. Yields: yes. */
export function* stopLoops(
  loops: Loops,
): Task<{ readonly reads: number; readonly errors: number }> {
  loops.wanted = 'stop';
  yield waitUntil('read_loop.stop', loops.ended, () => loops.running === 0);
  return { reads: loops.reads, errors: loops.errors };
}

function* readUntilStopped(loops: Loops, dmirror: Dmirror, range: PageRange): Task<void> {
  try {
    while (loops.wanted === 'run') {
      const read = yield* performVerb(dmirror, { verb: 'read', range });
      if (read.errno === 'OK') loops.reads += 1;
      else loops.errors += 1;
    }
  } finally {
    loops.running -= 1;
    wake(dmirror.context, loops.ended);
  }
}
