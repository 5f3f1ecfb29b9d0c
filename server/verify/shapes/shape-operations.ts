/** What an actor of a shape can do, each as a program of one operation or of two that belong together. */
import type { Prot } from '../../abi/cpu-api.ts';
import type { Op } from '../../scenario/op-schema.ts';
import type { SetupOp } from '../../scenario/scenario-schema.ts';
import { CHILD, isBlock, isPinned, mayBeMoved, PIN, type ShapeMemory } from './shape-memory.ts';

type Place = Pick<ShapeMemory, 'page' | 'pages' | 'target' | 'machine'>;

export interface ShapeOperation {
  readonly id: string;
  /**
   * 'child': a thread of the forked process. 'holder': of the device that the memory has already. 'pinner': I/O through
   * the pin that it has. 'kernel': a thread of the kernel.
   */
  readonly by: 'cpu' | 'child' | 'device' | 'holder' | 'pinner' | 'kernel';
  /** Of a device; absent: the one that keeps the contract. */
  readonly driver?: string;
  /** `number` distinguishes the operations of one shape. */
  readonly program: (place: Place, number: number) => readonly Op[];
  /** What it needs besides what the memory has. */
  readonly setup?: (place: Place) => SetupOp;
  /** What the process may do at the place afterwards; that it may not do more shows in the register `denied`. */
  readonly rights?: Prot;
  /** 'the place': the process may have nothing there afterwards, so that others are refused. */
  readonly takes?: 'the place';
  /** 'the page': it may be missing afterwards. */
  readonly drops?: 'the page';
  /** The page may be one of zeros afterwards that a monitor fills. */
  readonly fills?: 'zeros';
  /** Memories in which it is worth asking; absent: all that have its actor. */
  readonly where?: (memory: ShapeMemory) => boolean;
}

/** The register of an access that must be refused. */
export const DENIED = 'denied';
/** The register of one that must not be, where no operation takes the place or the right to it. */
export const ANSWER = 'r';
const RENEWED: readonly string[] = ['present', 'present-mirrored', 'swap', 'swap-cached'];
/** One of each kind: in all others there would be nothing else to see. */
const FEW: readonly string[] = ['present', 'cow', 'swap', 'file-shared'];
const VALUE = { cpu: 2, device: 3, filled: 4 } as const;

const CPU: readonly ShapeOperation[] = [
  cpu('load', loadsOf),
  cpu('store', ({ page }) => [
    { do: 'store', at: page, value: VALUE.cpu },
    { do: 'load', at: page, as: ANSWER },
  ]),
  taking(cpu('munmap', (place) => [{ do: 'munmap', ...rangeOf(place) }])),
  {
    // Of what reaches over both a part is left, which changes by itself.
    ...taking(
      cpu('munmap-first', ({ page }) => [
        { do: 'munmap', at: page },
        { do: 'madvise', at: second(page), advice: 'DONTNEED' },
        { do: 'load', at: second(page), as: 's' },
      ]),
    ),
    where: ({ pages }) => pages === 2,
  },
  {
    ...taking(cpu('munmap-second', ({ page }) => [{ do: 'munmap', at: second(page) }])),
    where: ({ pages }) => pages === 2,
  },
  {
    ...cpu('mprotect-none', (place) => [
      { do: 'mprotect', ...rangeOf(place), prot: 'none' },
      { do: 'load', at: place.page, as: DENIED },
    ]),
    rights: 'none',
  },
  {
    ...cpu('mprotect-r', (place) => [
      { do: 'mprotect', ...rangeOf(place), prot: 'r' },
      { do: 'store', at: place.page, value: VALUE.cpu, as: DENIED },
    ]),
    rights: 'r',
  },
  {
    ...cpu('mprotect-rw', (place) => [{ do: 'mprotect', ...rangeOf(place), prot: 'rw' }]),
    rights: 'rw',
    where: ({ setup }) => setup.some((op) => op.do === 'mprotect' && op.actor !== CHILD),
  },
  taking(
    cpu('mremap', (place) => [
      { do: 'mremap', ...rangeOf(place), to: place.target },
      { do: 'load', at: place.target, as: ANSWER },
    ]),
  ),
  dropping(
    cpu('dontneed', (place) => [
      { do: 'madvise', ...rangeOf(place), advice: 'DONTNEED' },
      ...loadsOf(place),
    ]),
  ),
  {
    ...cpu('remove', (place) => [
      { do: 'madvise', ...rangeOf(place), advice: 'REMOVE' },
      { do: 'load', at: place.page, as: ANSWER },
    ]),
    where: ({ id }) => id.startsWith('file-shared') || id.startsWith('shared'),
  },
  dropping(cpu('free', (place) => [{ do: 'madvise', ...rangeOf(place), advice: 'FREE' }])),
  {
    ...cpu('collapse', (place) => [{ do: 'madvise', ...rangeOf(place), advice: 'COLLAPSE' }]),
    where: isBlock,
  },
  {
    ...dropping(
      cpu('free-block', ({ page, machine }) => [
        { do: 'madvise', at: page, pages: machine.ptrsPerPte ?? 1, advice: 'FREE' },
      ]),
    ),
    where: ({ machine }) => machine.thp === 'always',
  },
  cpu('pageout', (place) => [{ do: 'madvise', ...rangeOf(place), advice: 'PAGEOUT' }]),
  {
    // What was read in goes out again, to the slot that it came from.
    ...cpu('store-pageout', ({ page }) => [
      { do: 'store', at: page, value: VALUE.cpu },
      { do: 'madvise', at: page, advice: 'PAGEOUT' },
    ]),
    where: ({ machine }) => hasSwap(machine),
  },
  {
    // The place looks as before, and is another's: a task that looked at it in between must notice.
    ...cpu('renew', ({ page, machine }) => [
      { do: 'madvise', at: page, advice: 'DONTNEED' },
      { do: 'store', at: page, value: VALUE.cpu },
      { do: 'madvise', at: page, advice: hasSwap(machine) ? 'PAGEOUT' : 'DONTNEED' },
    ]),
    where: ({ id }) => RENEWED.includes(id),
  },
  {
    // A second monitor: one of the two comes late.
    ...cpu('uffd-copy', ({ page }) => [{ do: 'uffd-copy', at: page, value: VALUE.filled }]),
    where: ({ filledBy }) => filledBy === 'monitor',
  },
  {
    ...cpu('uffd-zeropage', ({ page }) => [{ do: 'uffd-zeropage', at: page }]),
    fills: 'zeros',
    where: ({ filledBy }) => filledBy === 'monitor',
  },
  {
    // And one that moves there what it has elsewhere.
    ...cpu('uffd-move-in', ({ page, target }) => [
      { do: 'store', at: target, value: VALUE.filled },
      { do: 'uffd-move', at: target, to: page },
    ]),
    where: ({ filledBy }) => filledBy === 'monitor',
  },
  {
    ...dropping(
      cpu('uffd-move', (place) => [
        { do: 'uffd-move', ...rangeOf(place), to: place.target },
        { do: 'uffd-unregister', at: place.target, pages: place.pages },
        { do: 'load', at: place.target, as: 's' },
      ]),
    ),
    setup: ({ target, pages }) => ({ actor: 'cpu0', do: 'uffd-register', at: target, pages }),
    where: mayBeMoved,
  },
  { ...cpu('swapoff', () => [{ do: 'swapoff' }]), where: ({ machine }) => hasSwap(machine) },
  cpu('fork', (_, number) => [{ do: 'fork', child: forkedBy(number) }]),
  taking(cpu('exit', () => [{ do: 'exit' }])),
  taking(cpu('oom-reap', () => [{ do: 'oom-reap' }])),
  cpu('pin-get', (place) => [
    { do: 'pin', ...rangeOf(place), id: 2, mode: 'get' },
    { do: 'unpin', id: 2 },
  ]),
  cpu('pin', (place) => [
    { do: 'pin', ...rangeOf(place), id: 3, mode: 'longterm' },
    { do: 'pin-write', id: 3, value: VALUE.device },
    { do: 'unpin', id: 3 },
  ]),
  cpu('pin-fast', (place) => [
    { do: 'pin', ...rangeOf(place), id: 4, mode: 'fast' },
    { do: 'store', at: place.page, value: VALUE.cpu },
    { do: 'pin-write', id: 4, value: VALUE.device },
    { do: 'unpin', id: 4 },
  ]),
];

const PINNERS: readonly ShapeOperation[] = [
  {
    id: 'pinned-write',
    by: 'pinner',
    program: () => [{ do: 'pin-write', id: PIN, value: VALUE.device }],
  },
  { id: 'pinned-read', by: 'pinner', program: () => [{ do: 'pin-read', id: PIN }] },
];

/** They come by themselves, whoever's the pages are, and take no mmap_lock. */
const KERNEL: readonly ShapeOperation[] = [
  kernel('reclaim', (place) => [{ do: 'reclaim', ...rangeOf(place) }]),
  kernel('compact', (place) => [{ do: 'compact', ...rangeOf(place) }]),
  {
    ...kernel('khugepaged', (place) => [{ do: 'khugepaged', ...rangeOf(place) }]),
    where: isBlock,
  },
];

const CHILDREN: readonly ShapeOperation[] = [
  ...['load', 'store', 'munmap', 'mprotect-none', 'mremap', 'dontneed', 'pageout'].flatMap((id) =>
    CPU.filter((one) => one.id === id).map((one) => ({
      ...one,
      id: `child-${id}`,
      by: 'child' as const,
    })),
  ),
  taking(child('child-exit', () => [{ do: 'exit' }])),
];

const DEVICE: readonly ShapeOperation[] = [
  device('fault-read', (place) => [{ do: 'fault-read', ...rangeOf(place), as: ANSWER }]),
  device('fault-write', (place) => [{ do: 'fault-write', ...rangeOf(place), as: ANSWER }]),
  device('write', ({ page }) => [{ do: 'write', at: page, value: VALUE.device, as: ANSWER }]),
  {
    // What was had for reading is not enough.
    ...device('read-write', ({ page }) => [
      { do: 'read', at: page },
      { do: 'write', at: page, value: VALUE.device, as: ANSWER },
    ]),
    where: ({ id }) => FEW.includes(id),
  },
  device('migrate', (place) => [{ do: 'migrate', ...rangeOf(place), as: ANSWER }]),
  device('prefetch', (place) => [{ do: 'prefetch', ...rangeOf(place), as: ANSWER }]),
  device('collect', (place) => [{ do: 'collect', ...rangeOf(place), as: ANSWER }]),
  device('migrate-and-back', (place) => [
    { do: 'migrate', ...rangeOf(place) },
    { do: 'migrate-to-sys', ...rangeOf(place), as: ANSWER },
  ]),
  device('exclusive', (place) => [{ do: 'exclusive', ...rangeOf(place) }]),
  {
    ...device('exclusive-late', (place) => [{ do: 'exclusive', ...rangeOf(place) }]),
    driver: 'late-exclusive',
  },
  {
    ...device('subscribe', ({ page }) => [{ do: 'fault-read', at: page, as: ANSWER }]),
    driver: 'per-range',
  },
  {
    ...device('unsubscribe', ({ page }) => [
      { do: 'fault-read', at: page, as: ANSWER },
      { do: 'release' },
    ]),
    driver: 'per-range',
  },
  {
    // It pins what it reaches, until it lets go.
    ...device('dma', ({ page }) => [
      { do: 'write', at: page, value: VALUE.device },
      { do: 'release' },
      { do: 'write', at: page, value: VALUE.device, as: ANSWER },
    ]),
    driver: 'vfio',
    where: ({ id }) => FEW.includes(id),
  },
];

const GUESTS: readonly ShapeOperation[] = [
  guest('guest-read', (place) => [{ do: 'read', ...rangeOf(place), as: ANSWER }]),
  guest('guest-write', ({ page }) => [{ do: 'write', at: page, value: VALUE.device, as: ANSWER }]),
  // A cache of one page: it is looked up anew for each other, and what is refused must not stay in it.
  guest('guest-cached', ({ page, pages }) => [
    ...(pages === 1 ? [] : [second(page), page].map((at) => ({ do: 'read-cached' as const, at }))),
    { do: 'read-cached', at: page, as: ANSWER },
  ]),
  {
    ...guest('guest-release', (place) => [
      { do: 'fault-read', ...rangeOf(place), as: ANSWER },
      { do: 'release' },
    ]),
    where: ({ id }) => FEW.includes(id),
  },
  guest('guest-memslot', (place) => [
    { do: 'fault-read', ...rangeOf(place), as: ANSWER },
    { do: 'delete-memslot', ...rangeOf(place) },
    { do: 'add-memslot', ...rangeOf(place) },
  ]),
];

/** They walk the page table of the process, and remember what they found. */
const TRANSLATING: readonly ShapeOperation[] = [
  translating('ats-read', ({ page }) => [
    { do: 'fault-read', at: page },
    { do: 'read', at: page, as: ANSWER },
  ]),
  translating('ats-write', ({ page }) => [
    { do: 'write', at: page, value: VALUE.device, as: ANSWER },
  ]),
];

const HOLDERS: readonly ShapeOperation[] = [
  holder('holder-write', ({ page }) => [{ do: 'write', at: page, value: VALUE.device }]),
  holder('holder-read', ({ page }) => [{ do: 'read', at: page }]),
  holder('holder-fault-write', (place) => [{ do: 'fault-write', ...rangeOf(place) }]),
  holder('holder-exclusive', (place) => [{ do: 'exclusive', ...rangeOf(place) }]),
  holder('holder-migrate', (place) => [{ do: 'migrate', ...rangeOf(place) }]),
  {
    ...holder('holder-migrate-to-sys', (place) => [{ do: 'migrate-to-sys', ...rangeOf(place) }]),
    where: ({ setup }) => setup.some((op) => op.do === 'migrate'),
  },
  {
    ...holder('holder-release', () => [{ do: 'release' }]),
    where: ({ setup }) => setup.some((op) => op.do === 'migrate'),
  },
];

/** In the order in which pairs are named. */
export const SHAPE_OPERATIONS: readonly ShapeOperation[] = [
  ...CPU,
  ...CHILDREN,
  ...DEVICE,
  ...GUESTS,
  ...TRANSLATING,
  ...HOLDERS,
  ...PINNERS,
  ...KERNEL,
];

/** Of the model: what no shape has, for a reader of their verdicts. */
export const NOT_IN_SHAPES: readonly string[] = [
  'more than two pages, more than one forked process in the setup',
  'a part of a huge page but its first two',
  'mmap, and mremap onto what is mapped',
  'running out of frames in the middle of an operation',
  'userfaultfd but for missing pages',
  'a device that answers late, is cut off, or breaks the contract',
  'the weak ordering of memory (nor has the model it)',
];

export function fits({ by, where, takes, drops }: ShapeOperation, memory: ShapeMemory): boolean {
  // The monitor fills once: who waits for a page that has gone again waits for ever, as in Linux.
  if (memory.filledBy === 'monitor' && (takes ?? drops) !== undefined) return false;
  if (by === 'child' && memory.processes !== 'child') return false;
  if (by === 'holder' && memory.holder !== 'device') return false;
  if (by === 'pinner' && !isPinned(memory)) return false;
  return where === undefined || where(memory);
}

/** Whom the operation with this number forks. */
export function forkedBy(number: number): string {
  return `child${number + 2}`;
}

function hasSwap({ swapSlots = 0 }: ShapeMemory['machine']): boolean {
  return swapSlots > 0;
}

function rangeOf({ page, pages }: Place): { readonly at: string; readonly pages?: number } {
  return pages === 1 ? { at: page } : { at: page, pages };
}

function loadsOf({ page, pages }: Place): Op[] {
  const first: Op = { do: 'load', at: page, as: ANSWER };
  return pages === 1 ? [first] : [first, { do: 'load', at: second(page), as: 's' }];
}

export function second(page: string): string {
  return `${page}+1`;
}

function taking(operation: ShapeOperation): ShapeOperation {
  return { ...operation, takes: 'the place' };
}

function dropping(operation: ShapeOperation): ShapeOperation {
  return { ...operation, drops: 'the page' };
}

function cpu(id: string, program: ShapeOperation['program']): ShapeOperation {
  return { id, by: 'cpu', program };
}

function kernel(id: string, program: ShapeOperation['program']): ShapeOperation {
  return { id, by: 'kernel', program };
}

function child(id: string, program: ShapeOperation['program']): ShapeOperation {
  return { id, by: 'child', program };
}

function device(id: string, program: ShapeOperation['program']): ShapeOperation {
  return { id, by: 'device', program };
}

function guest(id: string, program: ShapeOperation['program']): ShapeOperation {
  return { ...device(id, program), driver: 'kvm' };
}

function translating(id: string, program: ShapeOperation['program']): ShapeOperation {
  return { ...device(id, program), driver: 'sva' };
}

function holder(id: string, program: ShapeOperation['program']): ShapeOperation {
  return { id, by: 'holder', program };
}
