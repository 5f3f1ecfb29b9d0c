/**
 * Every field of the kernel's state, with what tells it to the explorer's cache of states, or why nothing has to. Two
 * states that differ in a field that is told nowhere are taken for one, and the explorer says `holds` of what it has
 * not seen. The compiler wants each field here; the test beside this file walks a kernel, and asks what is told.
 */
import type { IntervalSub } from '../abi/device-api.ts';
import type { Invalidation, Kernel, Migration, Pgmap } from '../kernel/kernel.ts';
import type { Frames } from '../kernel/memory/frames.ts';
import type { Mm } from '../kernel/memory/mm.ts';
import type { AnonVma, MemoryFile, Vma } from '../kernel/memory/mm-types.ts';
import type { PageTable, PtePage } from '../kernel/memory/page-table.ts';
import type { Swap, SwapSlot } from '../kernel/memory/swap.ts';
import type { Tlb, TlbEntry } from '../kernel/memory/tlb.ts';
import type { Userfaults, UserfaultWait } from '../kernel/memory/userfaults.ts';
import type { VmaLocks } from '../kernel/memory/vma-locks.ts';
import type {
  ListedNotifier,
  NotifierSubscriptions,
  Subscription,
} from '../kernel/notifier/subscriptions.ts';
import type { Lock } from '../task/lock.ts';
import type { ObjectKind } from '../task/object-id.ts';
import type { RwSem } from '../task/rwsem.ts';

/** Where a field is told: at objects of one kind, or by rest() or derived() of the world. */
export type Teller = ObjectKind | 'rest' | 'derived';

export type Fate =
  /** `to`: a value that must be told from the one there; any other one unless said. */
  | { readonly fate: 'told'; readonly by: Teller; readonly holds: string; readonly to?: unknown }
  | { readonly fate: 'not state'; readonly because: string; readonly holds: string }
  /** Always the same object: its own fields are the state. */
  | { readonly fate: 'parts'; readonly holds: string };

type Fates<Struct> = { readonly [Field in keyof Struct]-?: Fate };

const told = (by: Teller, holds = 'nothing'): Fate => ({ fate: 'told', by, holds });
const toldAs = (by: Teller, to: unknown): Fate => ({ fate: 'told', by, holds: 'nothing', to });
const not = (because: string, holds = 'nothing'): Fate => ({ fate: 'not state', because, holds });
const parts = (holds: string): Fate => ({ fate: 'parts', holds });

const FIXED = not('is the same from the birth of the object, or of the world, to its end');
const NAME = not('names it, and never changes: it is the key under which the rest is told');
const NUMBERS = not('counts up and names what is new; the kernel only asks whether two are equal');
const HOLDER = 'who holds a lock follows from where its task stands and what that has learnt';

type Tree = NotifierSubscriptions['itree'];
type SizeClass = Tree['classes'] extends Map<number, infer Item> ? Item : never;

const KERNEL: Fates<Kernel> = {
  fn: FIXED,
  context: not('belongs to the scheduler; the explorer follows the tasks itself'),
  emit: FIXED,
  frames: parts('Frames'),
  thp: FIXED,
  ptrsPerPte: FIXED,
  swap: parts('Swap'),
  mms: told('mm', 'Mm'),
  files: told('rmap', 'MemoryFile'),
  anonVmas: told('rmap', 'AnonVma'),
  pgmaps: not('which memory a device has its driver keeps as well: device_memory', 'Pgmap'),
  pgmapOwners: not('is said when a device is opened, before anything else that it does'),
  pageLocks: not(HOLDER, 'Lock'),
  migrations: told('device', 'Migration'),
  invalidations: told('subscriptions', 'Invalidation'),
  isolated: told('page'),
  cutOff: told('rest'),
  nextId: NUMBERS,
  nextMmId: not('names what is new; fork() looks at it 1,024 address spaces later'),
};

const FRAMES: Fates<Frames> = {
  system: parts('SystemZone'),
  device: parts('DeviceZone'),
  deviceHoles: not('no device of a scenario leaves for good'),
  contents: told('contents'),
  context: FIXED,
  swapSlots: told('page'),
};

const SYSTEM_ZONE: Fates<Frames['system']> = {
  base: FIXED,
  limit: FIXED,
  allocator: NAME,
  used: told('rest'),
  free: told('rest'),
  columns: parts('Columns'),
};

const DEVICE_ZONE: Fates<Frames['device']> = {
  ...SYSTEM_ZONE,
  used: told('allocator'),
  free: not('a driver keeps its free frames itself: freeFrame() puts none here'),
};

const COLUMNS: Fates<Frames['system']['columns']> = {
  refcount: told('page'),
  mapcount: told('page'),
  flags: told('page'),
  mapping: told('page'),
  index: told('page'),
};

const SWAP: Fates<Swap> = {
  slotsMax: FIXED,
  slots: told('swap_slot', 'SwapSlot'),
  context: FIXED,
  nextSlot: told('rest'),
  free: told('rest'),
  state: told('rest'),
};

const SWAP_SLOT: Fates<SwapSlot> = {
  number: NAME,
  uses: told('swap_slot'),
  contents: told('swap_slot'),
  cached: told('swap_slot'),
  claim: told('swap_slot'),
};

/** With the lists as an address space has them, beside how it shows them. */
const MM: Fates<Mm & Record<'allVmas' | 'allTlbs', unknown>> = {
  id: NAME,
  mmapLock: parts('MmapLock'),
  vmas: told('mm', 'Vma'),
  vmasToChange: told('mm'),
  allVmas: told('mm'),
  table: parts('PageTable'),
  subscriptions: parts('NotifierSubscriptions'),
  tlbs: told('mm', 'Tlb'),
  tlbsToChange: told('mm'),
  allTlbs: told('mm'),
  deviceTlbs: told('mm', 'Tlb'),
  userfaults: parts('Userfaults'),
  detached: told('mm'),
  hasPinned: told('mm'),
  writeProtectSeq: told('mm'),
  unstable: told('vma'),
  unstableObject: NAME,
  vmaLocks: parts('VmaLocks'),
  tlbFlushPending: told('tlb'),
  flushPendingObject: NAME,
  tlbFlushBatched: told('tlb'),
  tlbFlushedBatch: told('tlb'),
  tlbBatches: told('tlb'),
  flushBatchedObject: NAME,
  fastWalks: told('mm'),
  alive: told('mm'),
  users: told('mm'),
  takenDown: told('mm'),
};

const USERFAULTS: Fates<Userfaults> = {
  ranges: told('mm'),
  waits: told('mm', 'UserfaultWait'),
};

const USERFAULT_WAIT: Fates<UserfaultWait> = {
  page: told('mm'),
  task: not('is asked for by that task alone, which stands at its wait'),
  state: told('mm'),
};

const semOf = (queue: ObjectKind): Fates<RwSem> => ({
  class: FIXED,
  object: NAME,
  queue: NAME,
  writer: not(HOLDER),
  writes: not('tells one hold from the next'),
  readers: not(HOLDER),
  waiting: told(queue, queue === 'mmap_lock' ? 'MmapTicket' : 'RmapTicket'),
});

const ticketOf = (queue: ObjectKind): Fates<RwSem['waiting'][number]> => ({
  mode: toldAs(queue, 'write'),
  task: not('tells one that waits from another, which stands at its wait'),
});

const LOCK: Fates<Lock> = {
  class: FIXED,
  object: NAME,
  holder: not(HOLDER),
  holds: not('tells one hold from the next, which only holders ask'),
  isFree: FIXED,
};

const VMA_LOCKS: Fates<VmaLocks> = {
  object: NAME,
  readersObject: NAME,
  walkersObject: NAME,
  readers: told('vma'),
  written: told('vma'),
  walkers: told('vma'),
};

const VMA: Fates<Vma> = {
  mm: told('rmap'),
  first: told('mm'),
  end: told('mm'),
  prot: told('mm'),
  kind: told('mm'),
  file: not('never changes, and the mapping stands in the list of its file: rmap'),
  pgoff: told('mm'),
  accounted: told('mm'),
  anonVma: told('rest'),
  chain: told('rest'),
  life: not('follows from the list of mappings, and who has one that left it has seen it leave'),
};

const ANON_VMA: Fates<AnonVma> = {
  id: NAME,
  context: FIXED,
  root: FIXED,
  parent: FIXED,
  children: not('one for a root itself, and one for each that has it as parent and has mappings'),
  activeVmas: not('how many mappings have it as theirs, which rest() tells one by one'),
  vmas: told('rmap'),
  freed: not('no mapping is in it any more, and none has it as its own'),
  rwsem: parts('RmapLock'),
};

const MEMORY_FILE: Fates<MemoryFile> = {
  id: NAME,
  context: FIXED,
  sizePages: FIXED,
  pages: told('page_cache'),
  vmas: told('rmap'),
  iMmapRwsem: parts('RmapLock'),
};

const PAGE_TABLE: Fates<PageTable> = {
  mm: NAME,
  ptrsPerPte: FIXED,
  context: FIXED,
  pages: told('pmd', 'PtePage'),
  pmds: not('says what pages says, more coarsely, so that walks are short'),
  puds: not('says what pages says, more coarsely, so that walks are short'),
  pmdTables: told('mm'),
};

const PTE_PAGE: Fates<PtePage> = {
  ptes: told('pte'),
  level: told('pmd'),
  huge: told('pmd'),
  ptl: not(HOLDER, 'Lock'),
  frees: told('pmd'),
};

const ANOTHER_NOTIFIER = { object: 0, device: 'another', state: 'listed', calls: 0, next: 'none' };

const SUBSCRIPTIONS: Fates<NotifierSubscriptions> = {
  object: NAME,
  invalidateSeq: told('subscriptions'),
  activeInvalidateRanges: told('subscriptions'),
  itree: parts('IntervalTree'),
  deferred: told('subscriptions', 'Deferred'),
  listObject: NAME,
  list: { ...toldAs('notifiers', ANOTHER_NOTIFIER), holds: 'ListedNotifier' },
  readersObject: NAME,
  readers: told('notifiers'),
  leaving: not('while it is not 0, the step that wrote to the list last stands for its content'),
};

const TREE: Fates<Tree> = {
  classes: told('interval_sub', 'SizeClass'),
  size: told('subscriptions'),
};

const SIZE_CLASS: Fates<SizeClass> = {
  width: FIXED,
  buckets: told('interval_sub', 'Subscription'),
  items: not('counts what buckets hold'),
};

const SUBSCRIPTION: Fates<Subscription> = {
  id: NAME,
  range: FIXED,
  sub: parts('IntervalSub'),
  driver: FIXED,
  device: FIXED,
  callee: FIXED,
};

const LISTED_NOTIFIER: Fates<ListedNotifier> = {
  id: NAME,
  object: NAME,
  driver: FIXED,
  device: FIXED,
  next: toldAs('notifiers', ANOTHER_NOTIFIER),
  state: told('notifiers'),
  calls: told('notifiers'),
};

const DEFERRED: Fates<NotifierSubscriptions['deferred'][number]> = {
  action: told('subscriptions'),
  subscription: parts('Subscription'),
};

const INTERVAL_SUB: Fates<IntervalSub> = {
  id: NAME,
  range: FIXED,
  object: NAME,
  invalidateSeq: told('derived'),
};

const TLB: Fates<Tlb> = {
  cpu: told('mm'),
  object: NAME,
  entries: told('tlb', 'TlbEntry'),
  frames: not('counts entries, by frame'),
};

const TLB_ENTRY: Fates<TlbEntry> = { pfn: told('tlb'), access: told('tlb'), dirty: told('tlb') };

const PGMAP: Fates<Pgmap> = {
  device: FIXED,
  owner: FIXED,
  driver: FIXED,
  first: FIXED,
  count: FIXED,
  leftOver: not('no device of a scenario leaves for good'),
};

const MIGRATION: Fates<Migration> = {
  id: NAME,
  mm: FIXED,
  owner: FIXED,
  vma: FIXED,
  range: told('device'),
  select: told('device'),
  faultPage: FIXED,
  src: told('device'),
  dst: told('device'),
  cpages: toldAs('device', 0),
};

const INVALIDATION: Fates<Invalidation> = {
  id: NAME,
  by: not('a name for reports'),
  mm: FIXED,
  range: told('subscriptions'),
  hit: told('subscriptions'),
  answers: told('user'),
  told: FIXED,
  answer: toldAs('subscriptions', 'refused'),
};

export const KERNEL_FIELDS: ReadonlyMap<string, Readonly<Record<string, Fate>>> = new Map(
  Object.entries({
    Kernel: KERNEL,
    Frames: FRAMES,
    SystemZone: SYSTEM_ZONE,
    DeviceZone: DEVICE_ZONE,
    Columns: COLUMNS,
    Swap: SWAP,
    SwapSlot: SWAP_SLOT,
    Mm: MM,
    Userfaults: USERFAULTS,
    UserfaultWait: USERFAULT_WAIT,
    MmapLock: semOf('mmap_lock'),
    MmapTicket: ticketOf('mmap_lock'),
    RmapLock: semOf('rmap_lock'),
    RmapTicket: ticketOf('rmap_lock'),
    Lock: LOCK,
    VmaLocks: VMA_LOCKS,
    Vma: VMA,
    AnonVma: ANON_VMA,
    MemoryFile: MEMORY_FILE,
    PageTable: PAGE_TABLE,
    PtePage: PTE_PAGE,
    NotifierSubscriptions: SUBSCRIPTIONS,
    IntervalTree: TREE,
    SizeClass: SIZE_CLASS,
    Subscription: SUBSCRIPTION,
    ListedNotifier: LISTED_NOTIFIER,
    Deferred: DEFERRED,
    IntervalSub: INTERVAL_SUB,
    Tlb: TLB,
    TlbEntry: TLB_ENTRY,
    Pgmap: PGMAP,
    Migration: MIGRATION,
    Invalidation: INVALIDATION,
  }),
);

const HANDED_OUT = 'which frame or slot is handed out next: they are as good as each other';

/**
 * Fields that the cache of states is told and sharedState() leaves out, with the reason. A step that changes one of
 * them unannounced is not noticed by the audit of what steps announce.
 */
export const LEFT_OUT_OF_SHARED_STATE: ReadonlyMap<string, string> = new Map([
  ['Kernel.invalidations', 'how many brackets are open is told with the subscriptions'],
  ['Kernel.isolated', 'a frame is isolated in the step that takes PAGE_LRU from it'],
  ['Kernel.cutOff', 'the machine cuts a device off, no step of a task'],
  [
    'Frames.swapSlots',
    'a frame has a slot while it has PAGE_SWAPCACHE, and the slot names the frame',
  ],
  ['SystemZone.used', HANDED_OUT],
  ['SystemZone.free', HANDED_OUT],
  ['DeviceZone.used', HANDED_OUT],
  ['Columns.mapping', 'the id of an anon_vma, which is a running number'],
  ['Swap.nextSlot', HANDED_OUT],
  ['Swap.free', HANDED_OUT],
  ['MmapLock.waiting', 'readers alone pass each other'],
  ['RmapLock.waiting', 'readers alone pass each other'],
  ['VmaLocks.walkers', 'only patches count there, and announce it'],
  ['Vma.anonVma', 'has no object: set under mmap_lock for reading, see anonVmaPrepare()'],
  ['Vma.chain', 'has no object: set with anonVma; the other end of the link is told'],
  ['IntervalTree.size', 'counts what is told one by one'],
  ['Migration.select', 'never changes while the migration is open'],
  ['Invalidation.range', 'never changes while the bracket is open'],
  ['Invalidation.hit', 'never changes while the bracket is open'],
  ['Invalidation.answers', 'only an oracle looks at it, at an object of its own'],
  ['Invalidation.answer', 'only the task that has opened the bracket looks at it'],
]);
