/**
 * Everything that tasks of one world share, object by object, in words: what an explorer must see, and what
 * distinguishes two moments of a run.
 *
 * Leaves out: what drivers keep for themselves, but for the locks that they hold and the entries that they report;
 * which frame or slot is handed out next; the ids of migrations, brackets and anon_vmas, which count up.
 */
import { type MigratePfn, migratePfnFlags, migratePfnToPfn } from '../abi/migrate-pfn.ts';
import { cacheObject } from '../kernel/fault/do-fault.ts';
import { holdsPages, migrationsObject } from '../kernel/hmm/open-migrations.ts';
import type { Kernel, Migration } from '../kernel/kernel.ts';
import { reverseMapObject } from '../kernel/memory/anon-vma.ts';
import {
  contentsObject,
  flagObject,
  framesInUse,
  hasFlag,
  mapcount,
  mapcountObject,
  mappingObject,
  mappingOf,
  PAGE_ANON_EXCLUSIVE,
  PAGE_COMPOUND,
  PAGE_DIRTY,
  PAGE_LRU,
  PAGE_SWAPBACKED,
  PAGE_SWAPCACHE,
  pageObject,
  refcount,
} from '../kernel/memory/frames.ts';
import { fileMappingsObject } from '../kernel/memory/memory-file.ts';
import {
  detachedObject,
  fastWalksObject,
  type Mm,
  mmObject,
  mmUsersObject,
  pinnedObject,
  tlbListObject,
  vmaListObject,
} from '../kernel/memory/mm.ts';
import type { Vma } from '../kernel/memory/mm-types.ts';
import {
  entriesOf,
  hugeObject,
  isHuge,
  pmdTablesObject,
  pteObject,
  tableObject,
} from '../kernel/memory/page-table.ts';
import { type Pte, viewPte } from '../kernel/memory/pte.ts';
import { SLOT_ALLOCATOR, slotObject } from '../kernel/memory/swap.ts';
import { userfaultObject, userfaultsText } from '../kernel/memory/userfault.ts';
import { vmaReadersText, vmaWritersText } from '../kernel/memory/vma-lock.ts';
import { overlapping } from '../kernel/notifier/interval-tree.ts';
import type { RunningTask, Scheduler } from '../scheduler/scheduler.ts';
import type { TaskIdentity } from '../task/context.ts';
import { type ObjectId, objectName } from '../task/object-id.ts';
import type { RwSem } from '../task/rwsem.ts';
import { PAGES_MAX, type PageIndex, type Pfn } from '../vocabulary/address.ts';
import { seenObject } from './oracles/mirrors.ts';
import { CALLS_OBJECT, registerObject } from './oracles/registers.ts';
import type { World } from './world.ts';

/** How frames are called. Two worlds that differ only in which frame serves for what are one. */
export interface FrameNames {
  nameOf(pfn: Pfn): string;
  /** Named by something that was shown before. */
  isKnown(pfn: Pfn): boolean;
}

export const OWN_NUMBERS: FrameNames = {
  nameOf: (pfn) => `0x${pfn.toString(16)}`,
  isKnown: () => true,
};

/** Names frames in the order in which they are asked for. */
export function namesInOrder(): FrameNames {
  const names = new Map<Pfn, string>();
  return {
    isKnown: (pfn) => names.has(pfn),
    nameOf(pfn) {
      const known = names.get(pfn);
      if (known !== undefined) return known;
      const name = `#${names.size}`;
      names.set(pfn, name);
      return name;
    },
  };
}

export interface ObjectState {
  readonly object: ObjectId;
  /** What a reader calls the object, in the names of `names`. */
  readonly name: string;
  readonly state: string;
  /** A task that changes this changes that object as well: what it is part of, or 'none'. */
  readonly within: ObjectId | 'none';
}

const EVERYWHERE = { first: 0 as PageIndex, end: PAGES_MAX as PageIndex };

type ShownState = Omit<ObjectState, 'within'>;

function* inside(
  within: ObjectState['within'],
  states: Iterable<ShownState>,
): Iterable<ObjectState> {
  for (const state of states) yield { ...state, within };
}

/** In an order that depends on the state alone. Objects that are as they were made are left out. */
export function* sharedState(world: World, names: FrameNames): Iterable<ObjectState> {
  const { kernel: k } = world;
  for (const mm of k.mms.values()) {
    yield* inside(mmObject(mm.id), stateOfMm(mm, names));
    yield* inside(tlbListObject(mm.id), stateOfTlbs(mm, names));
    yield* inside(mm.mmapLock.object, stateOfQueue(mm.mmapLock));
    yield* inside(mm.subscriptions.object, stateOfSequences(mm));
  }
  for (const anonVma of k.anonVmas.values()) {
    if (anonVma.root === 'self') yield* inside(anonVma.rwsem.object, stateOfQueue(anonVma.rwsem));
  }
  for (const file of k.files.values()) {
    yield* inside(file.iMmapRwsem.object, stateOfQueue(file.iMmapRwsem));
  }
  yield* inside('none', stateOfReverseMaps(k));
  yield* inside('none', stateOfPageCaches(k, names));
  yield* inside('none', stateOfSwap(k, names));
  yield* inside('none', stateOfDevices(world, names));
  yield* inside('none', stateOfFrames(k, names));
  yield* inside('none', stateOfLocks(world.scheduler, names));
  yield* inside(CALLS_OBJECT, stateOfRegisters(world));
}

function* stateOfSwap(k: Kernel, names: FrameNames): Iterable<ShownState> {
  const { state } = k.swap;
  if (state !== 'on') yield { object: SLOT_ALLOCATOR, name: 'swap', state };
  for (const [number, slot] of k.swap.slots) {
    const cached = slot.cached === 'none' ? 'none' : names.nameOf(slot.cached);
    const state = `uses ${slot.uses} cached ${cached} ${slot.claim} ${slot.contents.join()}`;
    yield { object: slotObject(number), name: `slot ${number}`, state };
  }
}

function* stateOfMm(mm: Mm, names: FrameNames): Iterable<ShownState> {
  const { id } = mm;
  yield { object: mmObject(id), name: `mm ${id}`, state: `alive ${mm.alive}` };
  const pinned = `${mm.hasPinned} ${mm.writeProtectSeq}`;
  yield { object: pinnedObject(id), name: `pinned ${id}`, state: pinned };
  yield {
    object: fastWalksObject(id),
    name: `walks without a lock ${id}`,
    state: `${mm.fastWalks}`,
  };
  yield { object: mmUsersObject(id), name: `mm_users ${id}`, state: `${mm.users} ${mm.takenDown}` };
  const vmas = mm.vmas.map(
    ({ first, end, prot, kind, pgoff, accounted }) =>
      `${first}-${end} ${prot} ${kind} ${pgoff} ${accounted}`,
  );
  yield { object: vmaListObject(id), name: `mappings ${id}`, state: vmas.join('; ') };
  const detached = mm.detached.map(({ first, end }) => `${first}-${end}`).join();
  yield { object: detachedObject(id), name: `detached ${id}`, state: detached };
  const tlbs = [...mm.tlbs, ...mm.deviceTlbs].map((tlb) => tlb.cpu).join();
  yield { object: tlbListObject(id), name: `CPUs ${id}`, state: tlbs };
  yield { object: userfaultObject(id), name: `userfaults ${id}`, state: userfaultsText(mm) };
  const { vmaLocks } = mm;
  yield { object: vmaLocks.object, name: `vma writers ${id}`, state: vmaWritersText(mm) };
  yield { object: vmaLocks.readersObject, name: `vma readers ${id}`, state: vmaReadersText(mm) };
  yield { object: mm.unstableObject, name: `unstable ${id}`, state: `${mm.unstable}` };
  const pending = `${mm.tlbFlushPending}`;
  yield { object: mm.flushPendingObject, name: `flush pending ${id}`, state: pending };
  const batched = `${mm.tlbFlushBatched} ${mm.tlbFlushedBatch} ${mm.tlbBatches}`;
  yield { object: mm.flushBatchedObject, name: `flushes batched ${id}`, state: batched };
  yield* stateOfSubscriptions(mm);
  yield* stateOfNotifiers(mm);
  yield* stateOfTable(mm, names);
}

/** Readers alone pass each other. */
function* stateOfQueue(sem: RwSem): Iterable<ShownState> {
  const order = sem.waiting.map(({ mode }) => mode).join();
  if (!order.includes('write')) return;
  const { owner, index } = objectName(sem.object);
  yield { object: sem.queue, name: `${sem.class} queue ${owner} ${index}`, state: order };
}

/** Which mappings a walk meets, in its order. Anon_vmas have running numbers, which say nothing. */
function* stateOfReverseMaps(k: Kernel): Iterable<ShownState> {
  const texts = new Map<ObjectId, string[]>();
  for (const anonVma of k.anonVmas.values()) {
    if (anonVma.vmas.length === 0) continue;
    const object = reverseMapObject(anonVma);
    texts.set(object, [...(texts.get(object) ?? []), mappingsText(anonVma.vmas)]);
  }
  const shown = [...texts].map(([object, found]) => ({ object, state: found.sort().join('; ') }));
  shown.sort((a, b) => (a.state < b.state ? -1 : 1));
  for (const { object, state } of shown) yield { object, name: 'anon_vmas', state };
  for (const file of k.files.values()) {
    const state = mappingsText(file.vmas);
    yield { object: fileMappingsObject(file), name: `mappings of file ${file.id}`, state };
  }
}

function* stateOfPageCaches(k: Kernel, names: FrameNames): Iterable<ShownState> {
  for (const file of k.files.values()) {
    for (const [offset, pfn] of [...file.pages].sort(([a], [b]) => a - b)) {
      const name = `page ${offset} of file ${file.id}`;
      yield { object: cacheObject(file, offset), name, state: names.nameOf(pfn) };
    }
  }
}

function mappingsText(vmas: readonly Vma[]): string {
  return vmas.map(({ mm, first, end, pgoff }) => `${mm} ${first}-${end} ${pgoff}`).join();
}

function* stateOfTlbs(mm: Mm, names: FrameNames): Iterable<ShownState> {
  for (const tlb of [...mm.tlbs, ...mm.deviceTlbs]) {
    if (tlb.entries.size === 0) continue;
    const entries = [...tlb.entries].sort(([a], [b]) => a - b);
    const state = entries.map(
      ([page, { pfn, access, dirty }]) => `${page}: ${names.nameOf(pfn)} ${access} ${dirty}`,
    );
    yield { object: tlb.object, name: `TLB ${tlb.cpu}`, state: state.join('; ') };
  }
}

function* stateOfSubscriptions({ id, subscriptions }: Mm): Iterable<ShownState> {
  const all = overlapping(subscriptions.itree, EVERYWHERE);
  const listed = all.map(({ device, range }) => `${device} ${range.first}-${range.end}`);
  const deferred = subscriptions.deferred.map((one) => `${one.action} ${one.subscription.device}`);
  const { activeInvalidateRanges: active, invalidateSeq } = subscriptions;
  const state = `seq ${invalidateSeq} active ${active} ${listed.join()} ${deferred.join()}`;
  yield { object: subscriptions.object, name: `subscriptions ${id}`, state };
}

function* stateOfSequences({ subscriptions }: Mm): Iterable<ShownState> {
  for (const { device, sub } of overlapping(subscriptions.itree, EVERYWHERE)) {
    yield { object: sub.object, name: `sequence of ${device}`, state: `${sub.invalidateSeq}` };
  }
}

function* stateOfNotifiers({ id, subscriptions }: Mm): Iterable<ShownState> {
  const { list, listObject, readers, readersObject } = subscriptions;
  if (readers.size > 0) {
    yield { object: readersObject, name: `walks ${id}`, state: `${readers.size}` };
  }
  let listed = '';
  for (let one = list; one !== 'none'; one = one.next) {
    listed += ` ${one.device}`;
    yield {
      object: one.object,
      name: `notifier of ${one.device}`,
      state: `${one.state} ${one.calls}`,
    };
  }
  if (listed !== '') yield { object: listObject, name: `notifiers ${id}`, state: listed };
}

function* stateOfTable(mm: Mm, names: FrameNames): Iterable<ShownState> {
  const { table, id } = mm;
  const regions = [...table.pmdTables].sort((a, b) => a - b).join();
  if (regions !== '')
    yield { object: pmdTablesObject(table), name: `PMD tables ${id}`, state: regions };
  for (const [number, { level, huge, frees }] of [...table.pages].sort(([a], [b]) => a - b)) {
    const page = (number * table.ptrsPerPte) as PageIndex;
    const object = tableObject(table, page);
    if (frees > 0) yield { object, name: `freed tables ${id} ${number}`, state: `${frees}` };
    if (level === 'none') continue;
    yield { object, name: `table ${id} ${number}`, state: 'there' };
    if (level !== 'huge') continue;
    const state = describePte(huge, names);
    yield { object: hugeObject(table, page), name: `huge ${id} ${number}`, state };
  }
  for (const [page, pte] of [...entriesOf(table)].sort(([a], [b]) => a - b)) {
    // What a huge entry says of its parts is written, and read, as that entry.
    const object = isHuge(table, page) ? hugeObject(table, page) : pteObject(table, page);
    yield { object, name: `PTE ${id} ${page}`, state: describePte(pte, names) };
  }
}

/** The bits that viewPte() leaves out. */
const PTE_BITS = 15;

function describePte(pte: Pte, names: FrameNames): string {
  const view = viewPte(pte);
  if ('slot' in view) return `${view.state} slot ${view.slot} ${pte & PTE_BITS}`;
  return `${view.state} ${'pfn' in view ? names.nameOf(view.pfn as Pfn) : ''} ${pte & PTE_BITS}`;
}

function* stateOfDevices(world: World, names: FrameNames): Iterable<ShownState> {
  const { oracles, kernel: k } = world;
  for (const [device, table] of oracles.mirrors.byDevice) {
    const entries = [...table].sort(([a], [b]) => a - b);
    for (const [page, entry] of entries) {
      if (entry.state === 'none') continue;
      const state = `${names.nameOf(entry.pfn)} ${entry.access}`;
      yield {
        object: seenObject(oracles.mirrors, device, page),
        name: `entry ${device} ${page}`,
        state,
      };
    }
    const open = [...k.migrations.values()].filter(
      (each) => each.owner === device && holdsPages(each),
    );
    const shown = open.map((each) => describeMigration(each, names)).sort();
    const object = migrationsObject(device);
    yield { object, name: `migrations of ${device}`, state: shown.join() };
  }
}

function describeMigration({ range, src, dst, cpages }: Migration, names: FrameNames): string {
  const pages = [src, dst].map((entries) => entries.map((entry) => describeEntry(entry, names)));
  return `${range.first}-${range.end} ${cpages === 'collecting' ? 'collecting' : 'collected'} ${pages.join(' to ')}`;
}

function describeEntry(entry: MigratePfn, names: FrameNames): string {
  const pfn = migratePfnToPfn(entry);
  return `${pfn === 'none' ? '' : names.nameOf(pfn)}/${migratePfnFlags(entry)}`;
}

const FLAGS = [
  PAGE_LRU,
  PAGE_ANON_EXCLUSIVE,
  PAGE_DIRTY,
  PAGE_SWAPBACKED,
  PAGE_SWAPCACHE,
  PAGE_COMPOUND,
];

function* stateOfFrames(k: Kernel, names: FrameNames): Iterable<ShownState> {
  const all = new Set([...framesInUse(k.frames), ...k.frames.contents.keys()]);
  const known = [...all].filter((pfn) => names.isKnown(pfn));
  // Frames that nothing names yet come by what they are.
  const others = [...all].filter((pfn) => !names.isKnown(pfn));
  const shown = new Map(others.map((pfn) => [pfn, describeFrame(k, pfn)]));
  others.sort((a, b) => ((shown.get(a) ?? '') < (shown.get(b) ?? '') ? -1 : 1));
  for (const pfn of [...known, ...others]) yield* stateOfFrame(k, pfn, names.nameOf(pfn));
}

function describeFrame(k: Kernel, pfn: Pfn): string {
  return [...stateOfFrame(k, pfn, '')].map(({ name, state }) => `${name}${state}`).join();
}

function* stateOfFrame(k: Kernel, pfn: Pfn, name: string): Iterable<ShownState> {
  const { frames } = k;
  const contents = frames.contents.get(pfn)?.join() ?? '';
  if (contents !== '') {
    yield { object: contentsObject(pfn), name: `contents ${name}`, state: contents };
  }
  const references = refcount(frames, pfn);
  if (references > 0) {
    yield { object: pageObject(pfn), name: `references ${name}`, state: `${references}` };
    const { index } = mappingOf(frames, pfn);
    yield { object: mappingObject(pfn), name: `index ${name}`, state: `${index}` };
  }
  const mapped = mapcount(frames, pfn);
  if (mapped > 0) yield { object: mapcountObject(pfn), name: `mapped ${name}`, state: `${mapped}` };
  for (const flag of FLAGS) {
    if (!hasFlag(frames, pfn, flag)) continue;
    yield { object: flagObject(pfn, flag), name: `flag ${flag} ${name}`, state: 'set' };
  }
}

function* stateOfLocks(scheduler: Scheduler, names: FrameNames): Iterable<ShownState> {
  const held = new Map<ObjectId, string[]>();
  const all = [...scheduler.readyTasks(), ...scheduler.blockedTasks()];
  for (const { identity } of all) noteHeld(identity, held);
  for (const [object, holders] of held) {
    yield { object, name: lockName(object, names), state: holders.sort().join() };
  }
}

function noteHeld({ held, actor, name }: TaskIdentity, into: Map<ObjectId, string[]>): void {
  for (const { object } of held) {
    const holders = into.get(object);
    if (holders === undefined) into.set(object, [`${actor} ${name}`]);
    else holders.push(`${actor} ${name}`);
  }
}

function lockName(object: ObjectId, names: FrameNames): string {
  const { kind, owner, index } = objectName(object);
  return kind === 'page_lock'
    ? `page lock ${names.nameOf(index as Pfn)}`
    : `${kind} ${owner} ${index}`;
}

function* stateOfRegisters(world: World): Iterable<ShownState> {
  for (const [object, value] of world.oracles.registers.shared) {
    yield { object, name: `shared page ${objectName(object).index}`, state: `${value}` };
  }
  for (const [mm, { values, discardable }] of world.oracles.registers.spaces) {
    const pages = [...new Set([...values.keys(), ...discardable])].sort((a, b) => a - b);
    for (const page of pages) {
      const state = `${values.get(page)} ${discardable.has(page)}`;
      yield { object: registerObject(mm, page), name: `register ${mm} ${page}`, state };
    }
  }
}

/** Where a task stands: what it is about to do, and to what. */
export function positionOf(task: RunningTask, names: FrameNames): string {
  const { pending, identity } = task;
  const where = `${identity.actor} ${identity.name} ${task.state} at ${pending.at}`;
  if (pending.kind === 'spawn') return where;
  const object = pending.kind === 'access' ? pending.object : pending.on;
  return isNamed(object) ? `${where} ${lockName(object, names)}` : where;
}

/** Objects whose index is a running number say nothing. */
function isNamed(object: ObjectId): boolean {
  const { kind } = objectName(object);
  return kind !== 'task' && kind !== 'answer';
}
