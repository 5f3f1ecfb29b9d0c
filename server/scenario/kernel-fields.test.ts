/** Whether the explorer's cache of states is told of every field of the kernel: see kernel-fields.fixture.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { migratePfn } from '../abi/migrate-pfn.ts';
import type { WorldContents } from '../explorer/explored.ts';
import { migrationsObject } from '../kernel/hmm/open-migrations.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { framesInUse, PAGE_DIRTY, setMapping } from '../kernel/memory/frames.ts';
import { newMemoryFile } from '../kernel/memory/memory-file.ts';
import { blockOf } from '../kernel/memory/page-table.ts';
import { answerObject } from '../kernel/notifier/ask-devices.ts';
import { at, cpu, openedWorld, pages, runAlone, store } from '../machine/opened-world.fixture.ts';
import { OWN_NUMBERS, sharedState } from '../machine/shared-state.ts';
import type { World } from '../machine/world.ts';
import { NO_TASK } from '../task/context.ts';
import { newLock } from '../task/lock.ts';
import { type ObjectId, type ObjectKind, objectId, objectName } from '../task/object-id.ts';
import { MM_PARTS } from '../task/object-owners.ts';
import type { PageIndex, Pfn } from '../vocabulary/address.ts';
import { pagesFrom } from '../vocabulary/address.ts';
import {
  type Fate,
  KERNEL_FIELDS,
  LEFT_OUT_OF_SHARED_STATE,
  type Teller,
} from './kernel-fields.fixture.ts';
import { newMilestones } from './milestones.ts';
import { worldContents } from './world-contents.ts';

type Fields = Record<string, unknown>;
type Tell = (world: World) => WorldContents;

const OWNER = 'dev0';
const FAR = 0x200000 as PageIndex;

/** A kernel in which every structure is there at least once, and no collection that is told is empty. */
function fullWorld(): World {
  const opened = openedWorld({ config: { swapSlots: 4 } });
  const { world } = opened;
  for (const page of [0, 1, 2]) assert.equal(store(opened, 7n, page), 'done');
  runAlone(world, 'cpu0', cpu(opened).madvise(pages(2), 'PAGEOUT'));
  runAlone(world, 'cpu0', cpu(opened).fork('child'));
  const file = { range: pagesFrom(at(64), 2), prot: 'rw', kind: 'anon-shared' } as const;
  runAlone(world, 'cpu0', cpu(opened).mmap(file));
  assert.equal(store(opened, 7n, 0), 'done');
  addWhatPasses(world.kernel);
  return world;
}

/** What lasts for some steps only. */
function addWhatPasses(k: Kernel): void {
  const [mm] = k.mms.values();
  const [pfn] = framesInUse(k.frames);
  const [vma] = mm?.vmas ?? [];
  assert.ok(mm !== undefined && pfn !== undefined && vma !== undefined);
  const { subscriptions, mmapLock, table } = mm;
  const range = pages(0, 2);
  const file = newMemoryFile(k.context, 5, 1);
  file.pages.set(0, pfn);
  k.files.set(5, file);
  for (const sem of [...k.anonVmas.values()].map(({ rwsem }) => rwsem)) {
    sem.waiting.push({ mode: 'read', task: NO_TASK });
  }
  for (const { iMmapRwsem } of k.files.values())
    iMmapRwsem.waiting.push({ mode: 'read', task: NO_TASK });
  mmapLock.waiting.push({ mode: 'read', task: NO_TASK });
  mmapLock.writer = NO_TASK;
  mm.vmaLocks.readers.push(vma);
  mm.vmaLocks.written.add(vma);
  mm.detached.push(vma);
  mm.deviceTlbs = mm.tlbs.slice(0, 1);
  mm.userfaults.ranges.push(range);
  mm.userfaults.waits.push({ page: range.first, task: 1, state: 'waits' });
  blockOf(table, FAR).level = 'huge';
  k.pageLocks.set(pfn, newLock('page_lock', objectId('page_lock', 0, pfn)));
  k.isolated.add(pfn);
  k.cutOff.add(OWNER);
  k.swap.free.push(3);
  k.frames.system.free.push(900 as Pfn);
  k.frames.swapSlots.set(pfn, 3);
  setMapping(k.frames, pfn, 1, 1);
  const answers = new Map([[1, { device: OWNER, given: false }]]);
  k.invalidations.set(1, {
    id: 1,
    by: NO_TASK,
    mm,
    range,
    hit: [1],
    answers,
    told: { mm: 0, range, event: 'clear', owner: 'none', blocking: 'blockable' },
    answer: 'agreed',
  });
  subscriptions.readers.add(1);
  const from = { id: 2, mm, owner: OWNER, vma, range, select: 'system' } as const;
  const [src, dst] = [[migratePfn(pfn, 0)], [migratePfn(900 as Pfn, 0)]];
  k.migrations.set(2, { ...from, faultPage: 'none', src, dst, cpages: 2 });
  for (const { buckets } of subscriptions.itree.classes.values()) {
    for (const items of buckets.values()) {
      for (const subscription of items.values()) {
        subscription.sub.invalidateSeq = subscriptions.invalidateSeq;
        const { driver } = subscription;
        const object = objectId('notifiers', mm.id, 3);
        subscriptions.list = {
          id: 3,
          object,
          driver,
          device: OWNER,
          next: 'none',
          state: 'listed',
          calls: 0,
        };
        if (k.pgmaps.length === 0)
          k.pgmaps.push({
            device: OWNER,
            owner: OWNER,
            driver,
            first: 9 as Pfn,
            count: 1,
            leftOver: 'none',
          });
        if (subscriptions.deferred.length === 0)
          subscriptions.deferred.push({ action: 'insert', subscription });
      }
    }
  }
}

const tell: Tell = (world) =>
  worldContents({
    world,
    devices: [],
    names: [],
    registers: new Map(),
    milestones: newMilestones(world.context, []),
    sequences: 'compared',
    more: () => '',
    windowReached: () => '',
  });

/** A structure of the kernel, as the walk from the kernel meets it. */
interface Met {
  readonly struct: string;
  readonly fields: Fields;
}

function metIn(kernel: Kernel): Met[] {
  const met = new Map<unknown, Met>();
  const walk = (struct: string, found: unknown): void => {
    if (typeof found !== 'object' || found === null || met.has(found)) return;
    const fields = found as Fields;
    met.set(found, { struct, fields });
    for (const [field, fate] of Object.entries(fatesOf(struct))) {
      if (fate.holds === 'nothing') continue;
      for (const held of elementsOf(fields[field])) walk(fate.holds, held);
    }
  };
  walk('Kernel', kernel);
  return [...met.values()];
}

function fatesOf(struct: string): Readonly<Record<string, Fate>> {
  return KERNEL_FIELDS.get(struct) ?? assert.fail(`${struct} is not listed`);
}

function elementsOf(value: unknown): unknown[] {
  if (value instanceof Map) return [...value.values()].flatMap(elementsOf);
  if (value instanceof Set || Array.isArray(value)) return [...value].flatMap(elementsOf);
  return [value];
}

/** Fields that the kernel has and the list has not. */
function unlisted(kernel: Kernel): string[] {
  const names = metIn(kernel).flatMap(({ struct, fields }) =>
    Object.keys(fields)
      .filter((field) => !(field in fatesOf(struct)))
      .map((field) => `${struct}.${field}`),
  );
  return [...new Set(names)];
}

/** Everything that `by` tells of the world. */
function toldBy(contents: WorldContents, by: Teller, objects: readonly ObjectId[]): string {
  if (by === 'rest') return contents.rest();
  if (by === 'derived') return [...contents.derived()].join();
  return objects.map((object) => contents.contentOf(object)).join('\n');
}

/** Objects of one kind that may be about something. */
function objectsOf(kernel: Kernel, kind: ObjectKind): ObjectId[] {
  if (kind === 'device') return [migrationsObject(OWNER)];
  if (kind === 'user') return [answerObject(1)];
  const parts = Object.values(MM_PARTS);
  const indices = new Set([...parts, ...framesInUse(kernel.frames), ...kernel.swap.slots.keys()]);
  for (let page = 0; page < 3; page += 1) indices.add(at(page));
  for (const id of [...kernel.anonVmas.keys(), ...kernel.files.keys()]) {
    for (const index of [id, 2 * id + 1]) indices.add(index);
  }
  for (const { struct, fields } of metIn(kernel)) {
    if (struct === 'IntervalSub' || struct === 'Tlb' || struct === 'ListedNotifier') {
      indices.add(objectName(fields.object as ObjectId).index);
    }
    if (struct !== 'PageTable') continue;
    for (const number of (fields.pages as Map<number, unknown>).keys()) indices.add(2 * number + 1);
  }
  const owners = Array.from({ length: 14 }, (_, owner) => owner);
  return owners.flatMap((owner) => [...indices].map((index) => objectId(kind, owner, index)));
}

/** Makes the field another one than it is. */
function change(fields: Fields, field: string, to: unknown): void {
  const value = fields[field];
  if (to !== undefined) fields[field] = to;
  else if (typeof value === 'number') fields[field] = value + 1;
  else if (typeof value === 'boolean') fields[field] = !value;
  else if (typeof value === 'string') fields[field] = `${value}, or not`;
  else if (value instanceof Map || value instanceof Set) value.delete([...value.keys()][0]);
  else if (Object.isFrozen(value)) fields[field] = [];
  else if (Array.isArray(value)) value.pop();
  else if (ArrayBuffer.isView(value)) flip(value as Int32Array);
  else if (field === 'range') fields[field] = pages(5);
  else fields[field] = 'none';
}

/** A bit that is state in a column of flags, too. */
function flip(column: Int32Array): void {
  for (const [row, value] of column.entries()) column[row] = value ^ PAGE_DIRTY;
}

type Question = readonly [struct: string, field: string, fate: Fate];

function questions(): Question[] {
  return [...KERNEL_FIELDS].flatMap(([struct, fates]) =>
    Object.entries(fates).map(([field, fate]) => [struct, field, fate] as const),
  );
}

type AsText = (world: World, by: Teller, objects: readonly ObjectId[]) => string;

/** Fields that may change and `text` stays what it is. */
function untold(text: AsText): string[] {
  return questions().flatMap(([struct, field, fate]) =>
    fate.fate !== 'told' || isTold(text, struct, field, fate) ? [] : [`${struct}.${field}`],
  );
}

function isTold(
  text: AsText,
  struct: string,
  field: string,
  { by, to }: Extract<Fate, { fate: 'told' }>,
): boolean {
  const world = fullWorld();
  const { kernel } = world;
  const objects = by === 'rest' || by === 'derived' ? [] : objectsOf(kernel, by);
  const before = text(world, by, objects);
  for (const met of metIn(kernel)) if (met.struct === struct) change(met.fields, field, to);
  return text(world, by, objects) !== before;
}

/** What the world tells the cache of states, where the list says that it is told. */
const toCache =
  (how: Tell): AsText =>
  (world, by, objects) =>
    toldBy(how(world), by, objects);

/** Object by object, for the audit of what steps announce. */
const asShared: AsText = (world) =>
  [...sharedState(world, OWN_NUMBERS)].map(({ object, state }) => `${object} ${state}`).join('\n');

test('every field of the kernel is told to the cache of states, or there is a reason', () => {
  assert.deepEqual(unlisted(fullWorld().kernel), []);
});

test('the walk meets every structure of the list, with all its fields', () => {
  const met = metIn(fullWorld().kernel);
  for (const [struct, field] of questions()) {
    const found = met.filter((one) => one.struct === struct);
    assert.ok(
      found.some(({ fields }) => field in fields),
      `${struct}.${field}`,
    );
  }
});

test('a field that is new and in no list is named', () => {
  for (const struct of KERNEL_FIELDS.keys()) {
    const { kernel } = fullWorld();
    const met = metIn(kernel).find((one) => one.struct === struct);
    assert.ok(met !== undefined, struct);
    met.fields.forgotten = 0;
    assert.deepEqual(unlisted(kernel), [`${struct}.forgotten`]);
  }
});

test('a field that is told changes what is told', () => {
  assert.deepEqual(untold(toCache(tell)), []);
});

test('a field that is told no longer is named', () => {
  const silent: Tell = (world) => ({
    ...tell(world),
    contentOf: (object) =>
      objectName(object).kind === 'swap_slot' ? 0 : tell(world).contentOf(object),
  });
  const slot = ['uses', 'contents', 'cached', 'claim'].map((field) => `SwapSlot.${field}`);
  assert.deepEqual(untold(toCache(silent)), ['Swap.slots', ...slot]);
});

test('what is told to the cache of states is audited as well, or there is a reason', () => {
  assert.deepEqual(untold(asShared), [...LEFT_OUT_OF_SHARED_STATE.keys()]);
});
