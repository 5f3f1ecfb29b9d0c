/** Who of a scenario's tasks waits for what, and who has that: locks, open brackets, callbacks, ends of programs. */
import {
  type HeldSince,
  type Holder,
  ITS_OWN,
  type Stuck,
  stuckOf,
  type Wait,
} from '../explorer/stuck.ts';
import type { World } from '../machine/world.ts';
import type { RunningTask } from '../scheduler/scheduler.ts';
import type { TaskIdentity } from '../task/context.ts';
import { describeObject, type ObjectId, objectName } from '../task/object-id.ts';
import { HOLD_OWNERS } from '../task/object-owners.ts';
import { FAIR_TURN } from './fair-faults.ts';
import { THREAD_END } from './milestones.ts';
import type { ScenarioPlan } from './scenario-plan.ts';

interface View {
  readonly plan: ScenarioPlan;
  readonly world: World;
  readonly stuck: readonly RunningTask[];
}

interface Owner {
  readonly identity: TaskIdentity;
  readonly at: string;
}

/** `stuck` are all tasks that are left, and none of them can go on. */
export function stuckTasks(
  plan: ScenarioPlan,
  world: World,
  stuck: readonly RunningTask[],
): Stuck | 'none' {
  if (stuck.length === 0) return 'none';
  const view = { plan, world, stuck };
  const waits = stuck.map((task) => waitOf(view, task));
  const spinning = waits.filter(({ waitsAt }) => waitsAt === FAIR_TURN);
  const [first] = spinning;
  if (first === undefined) return stuckOf(waits);
  const cycle = `${first.actor} -> ${first.actor}`;
  return { kind: 'livelock', waits, chain: spinning, cycle };
}

function waitOf(view: View, { identity, pending }: RunningTask): Wait {
  const { actor, name } = identity;
  const isBlock = pending.kind === 'block';
  return {
    actor,
    task: name,
    wants: isBlock ? wantedName(view, pending.on) : 'nothing',
    waitsAt: pending.at,
    holds: heldOf(view, identity),
    heldBy: isBlock ? holdersOf(view, identity, pending.on) : [],
    missedWake: isBlock && pending.until(),
  };
}

function heldOf(view: View, { held, heldAt }: TaskIdentity): HeldSince[] {
  return held.map(({ object }, at) => ({
    what: wantedName(view, object),
    at: heldAt[at] ?? 'unknown',
  }));
}

/** In words that a reader knows; what is left is named by its number. */
function wantedName({ plan }: View, object: ObjectId): string {
  const { kind, owner, index } = objectName(object);
  switch (kind) {
    case 'mmap_lock':
      return owner === 0 ? 'mmap_lock' : `mmap_lock of process ${owner}`;
    case 'page_lock':
      return `page_lock of frame 0x${index.toString(16)}`;
    case 'driver_lock':
      return `driver_lock of ${plan.devices[owner]?.name ?? `device ${owner}`}`;
    case 'ptl':
      return 'ptl';
    case 'rmap_lock':
      return owner === 0 ? 'the anon_vma lock' : `i_mmap_rwsem of file ${Math.floor(index / 2)}`;
    case 'subscriptions':
      return 'the end of an invalidation';
    case 'task':
      return 'callbacks to return';
    case 'device_memory':
      return `memory of ${plan.devices[owner]?.name ?? `device ${owner}`} to come back`;
    case 'hold':
      return owner === HOLD_OWNERS.milestones ? milestoneWords(plan, index) : 'its turn';
    default:
      return describeObject(object);
  }
}

function milestoneWords(plan: ScenarioPlan, index: number): string {
  const milestone = plan.milestones[index];
  if (milestone === undefined) return 'another program';
  return milestone.counts === THREAD_END ? `the end of ${milestone.name}` : milestone.name;
}

function holdersOf(view: View, waiter: TaskIdentity, object: ObjectId): Holder[] {
  const living = new Set(view.stuck.map(({ identity }) => identity));
  return ownersOf(view, waiter, object).map(({ identity, at }) => ({
    actor: identity.actor,
    task: identity.name,
    at,
    state: living.has(identity) ? 'waits' : 'ended',
  }));
}

function ownersOf(view: View, waiter: TaskIdentity, object: ObjectId): Owner[] {
  const { plan, world, stuck } = view;
  const { kind, owner, index } = objectName(object);
  if (kind === 'task') {
    return stuck
      .filter(({ identity }) => identity.parent === waiter)
      .map(({ identity }) => ({ identity, at: ITS_OWN }));
  }
  if (kind === 'subscriptions') {
    return [...world.kernel.invalidations.values()]
      .filter((open) => open.mm.id === owner)
      .map(({ by }) => ({ identity: by, at: 'mmu_notifier_invalidate_range_start.seq' }));
  }
  if (kind === 'hold' && owner === HOLD_OWNERS.milestones) {
    const by = plan.milestones[index]?.by ?? [];
    return stuck
      .filter(({ identity }) => by.includes(identity.actor))
      .filter(({ identity }) => identity.parent === 'none')
      .map(({ identity }) => ({ identity, at: ITS_OWN }));
  }
  return lockOwners(view, object);
}

/** Tasks that wait and have it; else the task that the lock itself names, which may have ended. */
function lockOwners({ world, stuck }: View, object: ObjectId): Owner[] {
  const waiting = stuck.flatMap(({ identity }) => {
    const at = identity.held.findIndex((lock) => lock.object === object);
    return at < 0 ? [] : [{ identity, at: identity.heldAt[at] ?? 'unknown' }];
  });
  if (waiting.length > 0) return waiting;
  return namedBy(world, object).map((identity) => {
    const at = identity.held.findIndex((lock) => lock.object === object);
    return { identity, at: identity.heldAt[at] ?? 'unknown' };
  });
}

function namedBy({ kernel }: World, object: ObjectId): TaskIdentity[] {
  const owners: (TaskIdentity | 'none')[] = [];
  for (const lock of kernel.pageLocks.values())
    if (lock.object === object) owners.push(lock.holder);
  for (const { mmapLock, table } of kernel.mms.values()) {
    if (mmapLock.object === object) owners.push(mmapLock.writer, ...mmapLock.readers);
    for (const { ptl } of table.pages.values()) if (ptl.object === object) owners.push(ptl.holder);
  }
  for (const { rwsem } of kernel.anonVmas.values()) {
    if (rwsem.object === object) owners.push(rwsem.writer, ...rwsem.readers);
  }
  for (const { iMmapRwsem } of kernel.files.values()) {
    if (iMmapRwsem.object === object) owners.push(iMmapRwsem.writer, ...iMmapRwsem.readers);
  }
  return owners.filter((owner) => owner !== 'none');
}
