/**
 * The premise of every reduction: an explorer is told of all that a step changes. Here the state of each shared object
 * is compared before and after each step; a change of one that the step has not owned up to is a hole.
 */
import { takeStep } from '../../explorer/execution.ts';
import type { Chooser } from '../../explorer/replay.ts';
import { type ObjectState, OWN_NUMBERS, sharedState } from '../../machine/shared-state.ts';
import type { World } from '../../machine/world.ts';
import type { ScenarioRun } from '../../scenario/scenario-world.ts';
import type { Touch } from '../../task/context.ts';
import { type ObjectId, objectName } from '../../task/object-id.ts';

/** `do_anonymous_page.install -> task.end: PTE 0 0x100200 none -> present`: each hole once. */
export type Hole = string;

type Seen = Pick<ObjectState, 'name' | 'state' | 'within'>;

/**
 * Changes that commute with each other, so that reading the object is all that a step says of them: readers that queue
 * for a semaphore, and the oracle's note of what was read where it knew of no value.
 */
function isExcused(object: ObjectId): boolean {
  const { kind, index } = objectName(object);
  const queue = (kind === 'mmap_lock' || kind === 'rmap_lock') && index % 2 === 1;
  return queue || kind === 'user';
}

/** Runs `run` to its end, or up to `stepsMax`. Returns: what was changed without being told. */
export function unreportedChanges(run: ScenarioRun, chooser: Chooser, stepsMax: number): Set<Hole> {
  const { scheduler, world } = run;
  const holes = new Set<Hole>();
  let before = stateByObject(world);
  let previous = 0;
  for (let depth = 0; depth < stepsMax && run.failure() === 'none'; depth += 1) {
    const ready = scheduler.readyTasks().sort((a, b) => a.identity.id - b.identity.id);
    if (ready.length === 0) break;
    const task = chooser(ready, previous, depth);
    previous = task.identity.id;
    const { step, touches } = takeStep(run, task);
    const failure = run.failure();
    // Its task is dead, and with it who holds its locks: nothing comes behind that could conflict.
    if (failure !== 'none' && failure.kind === 'kernel bug') break;
    const now = stateByObject(world);
    for (const change of changes(before, now, touches)) {
      const next = task.state === 'done' ? 'its end' : task.pending.at;
      holes.add(`${step.at} up to ${next}: ${change}`);
    }
    before = now;
  }
  return holes;
}

function stateByObject(world: World): Map<ObjectId, Seen> {
  const states = new Map<ObjectId, Seen>();
  for (const { object, ...seen } of sharedState(world, OWN_NUMBERS)) states.set(object, seen);
  return states;
}

function* changes(
  before: ReadonlyMap<ObjectId, Seen>,
  now: ReadonlyMap<ObjectId, Seen>,
  touches: readonly Touch[],
): Iterable<string> {
  const read = new Set(touches.map(({ object }) => object));
  const changing = new Set(
    touches.filter(({ mode }) => mode !== 'read').map(({ object }) => object),
  );
  for (const object of new Set([...before.keys(), ...now.keys()])) {
    const [from, to] = [before.get(object), now.get(object)];
    if (from?.state === to?.state || changing.has(object)) continue;
    const within = from?.within ?? to?.within ?? 'none';
    if (within !== 'none' && changing.has(within)) continue;
    if (isExcused(object) && read.has(object)) continue;
    const name = from?.name ?? to?.name ?? '';
    yield `${name}: ${from?.state ?? 'nothing'} -> ${to?.state ?? 'nothing'}`;
  }
}
