/** What stands at the page of a shape before its actors begin, each as the setup that leads there. */
import type { Scenario, ScenarioVma, SetupOp } from '../../scenario/scenario-schema.ts';

/** Holds the page, or mirrors it. */
export const HOLDER = 'holder';
export const CHILD = 'child';
/** Whose pin I/O goes through, and its number. */
export const PINNER = 'cpu0';
export const PIN = 1;
/** Fills what is missing, once. */
export const MONITOR = 'monitor';
/** The mapping that mremap() moves to the place of. */
export const TARGET = 'b';

export interface ShapeMemory {
  readonly id: string;
  readonly setup: readonly SetupOp[];
  readonly vmas: readonly ScenarioVma[];
  readonly machine: NonNullable<Scenario['machine']>;
  /** What the operations are about: a page, or two if `pages` says so. */
  readonly page: string;
  readonly pages: 1 | 2;
  /** For mremap() to move to: unmapped then. */
  readonly target: string;
  /** 'child': a forked process maps the page as well. */
  readonly processes: 'one' | 'child';
  readonly holder: 'none' | 'device';
  /** 'one each': a device that migrates two pages gets a frame for one. */
  readonly deviceFrames: 'enough' | 'one each';
  /** 'warm': the TLBs of those who act have the page already. */
  readonly tlbs: 'cold' | 'warm';
  /** 'monitor': a missing page of the process is filled by MONITOR, which its threads wait for. */
  readonly filledBy: 'kernel' | 'monitor';
  /** 'shared': what one device has in its memory its peers reach, and may take. */
  readonly deviceOwner: 'each its own' | 'shared';
}

const FIRST = 0x1_0020_0000;
/** The last page of one page table, where tables have two entries; the first of the next lies behind it. */
const BORDER = FIRST + 0x1000;
/** Of files: what the first page begins with, and the second. */
const WORDS = ['0x64', '0x65'];

const STORED: SetupOp = { actor: 'cpu0', do: 'store', at: 'a', value: 1 };
const SECOND_STORED: SetupOp = { actor: 'cpu0', do: 'store', at: 'a+1', value: 1 };
const LOADED: SetupOp = { actor: 'cpu0', do: 'load', at: 'a' };
const FORKED: SetupOp = { actor: 'cpu0', do: 'fork', child: CHILD };
const SWAPPED_OUT: SetupOp = { actor: 'cpu0', do: 'madvise', at: 'a', advice: 'PAGEOUT' };
const FREED: SetupOp = { actor: 'cpu0', do: 'madvise', at: 'a', advice: 'FREE' };
const READ_ONLY: SetupOp = { actor: 'cpu0', do: 'mprotect', at: 'a', prot: 'r' };
const PINNED: SetupOp = { actor: PINNER, do: 'pin', at: 'a', id: PIN, mode: 'longterm' };
/** Who has a reference keeps the page in the swap cache. */
const GOTTEN: SetupOp = { actor: 'cpu0', do: 'pin', at: 'a', id: 1, mode: 'get' };
const MIRRORED: SetupOp = { actor: HOLDER, do: 'prefetch', at: 'a' };
const SECOND_LOADED: SetupOp = { actor: 'cpu0', do: 'load', at: 'a+1' };
const REGISTERED: SetupOp = { actor: 'cpu0', do: 'uffd-register', at: 'a' };
const BOTH_MIRRORED: SetupOp = { actor: HOLDER, do: 'prefetch', at: 'a', pages: 2 };
const MIGRATED: SetupOp = { actor: HOLDER, do: 'migrate', at: 'a' };
const EXCLUSIVE: SetupOp = { actor: HOLDER, do: 'exclusive', at: 'a' };
/** The second page is then in a mapping that has been split, or has grown. */
const CHILD_MOVED: SetupOp = { actor: CHILD, do: 'mremap', at: 'a', to: 'b' };
const CHILD_DENIED: SetupOp = { actor: CHILD, do: 'mprotect', at: 'a', prot: 'none' };
const CHILD_GONE: SetupOp = { actor: CHILD, do: 'exit' };

/** The smallest page table with huge pages that has parts: see docs/SCENARIOS.md, Machine. */
const SMALL_HUGE = { ptrsPerPte: 4, thp: 'always' } as const;
/** One slot: what is swapped out takes the place of what came in. */
const ONE_SLOT = { swapSlots: 1 } as const;
const TWO_SLOTS = { swapSlots: 2 } as const;
const SECOND_PAGE = { page: 'a+1', target: 'b+1' } as const;
const WITH_FILE = { files: [{ id: 0, words: WORDS }] };
/** The file is one block, whose page table may go. */
const BLOCK = { ...WITH_FILE, ptrsPerPte: 2 };

/** In the order in which they are asked about: what most bugs are about comes first. */
export const SHAPE_MEMORIES: readonly ShapeMemory[] = [
  memory('present', [STORED]),
  memory('none', []),
  memory('zero-mirrored', [LOADED, MIRRORED]),
  memory('present-mirrored', [STORED, MIRRORED]),
  memory('cow', [STORED, FORKED]),
  memory('device', [STORED, MIGRATED]),
  memory('swap', [STORED, SWAPPED_OUT], { machine: ONE_SLOT }),
  memory('swap-cached', [STORED, GOTTEN, SWAPPED_OUT], { machine: ONE_SLOT }),
  memory('freed', [STORED, FREED], { machine: ONE_SLOT }),
  // Clean, it would be thrown away: an operation that loses the dirty bit loses what was written.
  memory('rewritten', [STORED, FREED, STORED], { machine: ONE_SLOT }),
  memory('exclusive', [STORED, EXCLUSIVE]),
  memory('pinned', [STORED, PINNED], { machine: ONE_SLOT }),
  memory('read-only', [STORED, READ_ONLY, MIRRORED]),
  memory('none-read-only', [READ_ONLY]),
  memory('zero', [LOADED]),
  memory('cow-whole', [STORED, FORKED], { vmas: mappings('anon-private', 1) }),
  memory('was-cow', [STORED, FORKED, CHILD_GONE], { tlbs: 'warm', processes: 'one' }),
  memory('warm', [STORED], { tlbs: 'warm', machine: TWO_SLOTS }),
  memory('cow-mirrored', [STORED, FORKED, MIRRORED]),
  // Only a page that is its process's alone may get the right to write back without a fault.
  memory('cow-read-only', [STORED, FORKED, READ_ONLY]),
  memory('cow-swap', [STORED, SWAPPED_OUT, FORKED], { machine: TWO_SLOTS }),
  memory('cow-device', [STORED, MIGRATED, FORKED]),
  memory('cow-moved', [STORED, SECOND_STORED, FORKED, CHILD_MOVED], SECOND_PAGE),
  memory('cow-split', [STORED, SECOND_STORED, FORKED, CHILD_DENIED], SECOND_PAGE),
  memory('shared', [STORED, MIRRORED], { vmas: mappings('anon-shared') }),
  memory('shared-none', [], { vmas: mappings('anon-shared') }),
  memory('shared-two', [STORED, FORKED], { vmas: mappings('anon-shared') }),
  memory('file-shared', [STORED, MIRRORED], { vmas: filed('file-shared'), machine: WITH_FILE }),
  memory('file-private', [LOADED, MIRRORED], { vmas: filed('file-private'), machine: WITH_FILE }),
  memory('file-cow', [STORED, FORKED], { vmas: filed('file-private'), machine: WITH_FILE }),
  memory('file-twice', [STORED, { actor: 'cpu0', do: 'load', at: 'c' }, MIRRORED], {
    vmas: [
      ...filed('file-shared'),
      { name: 'c', address: 0x1_0030_0000, pages: 2, prot: 'rw', kind: 'file-shared', file: 0 },
    ],
    machine: WITH_FILE,
  }),
  memory('file-block', [STORED, BOTH_MIRRORED], {
    vmas: filed('file-shared'),
    machine: BLOCK,
    pages: 2,
  }),
  memory('file-block-private', [LOADED, SECOND_LOADED], {
    vmas: filed('file-private'),
    machine: BLOCK,
    pages: 2,
  }),
  memory('file-block-own', [STORED, MIRRORED], {
    vmas: filed('file-private'),
    machine: BLOCK,
    pages: 2,
  }),
  memory('missing', [REGISTERED], { filledBy: 'monitor' }),
  memory('missing-read-only', [REGISTERED, READ_ONLY], { filledBy: 'monitor' }),
  memory('two', [STORED, SECOND_STORED, BOTH_MIRRORED], { pages: 2 }),
  memory('two-empty', [SECOND_STORED], { pages: 2 }),
  memory('two-none', [], { pages: 2 }),
  memory('two-tables', [STORED, SECOND_STORED, BOTH_MIRRORED], {
    vmas: mappings('anon-private', 2, BORDER),
    machine: { ...TWO_SLOTS, ptrsPerPte: 2 },
    pages: 2,
    tlbs: 'warm',
  }),
  memory('two-device', [STORED, SECOND_STORED, MIGRATED], { pages: 2 }),
  memory('two-mappings', [STORED, SECOND_STORED, READ_ONLY, BOTH_MIRRORED], { pages: 2 }),
  // The last frame is taken: what needs another fails, and must leave everything as it was.
  memory('last-frame', [STORED], { machine: { systemPages: 1 } }),
  memory('cow-last-frame', [STORED, FORKED], { machine: { systemPages: 1 } }),
  memory('few-frames', [STORED, SECOND_STORED], { pages: 2, deviceFrames: 'one each' }),
  memory('peer', [STORED, MIGRATED], { deviceOwner: 'shared' }),
  memory('peer-cow', [STORED, MIGRATED, FORKED], { deviceOwner: 'shared' }),
  memory('two-peer', [STORED, SECOND_STORED, MIGRATED], { pages: 2, deviceOwner: 'shared' }),
  memory('huge', [STORED], { machine: SMALL_HUGE }),
  memory('huge-part', [STORED, SECOND_STORED], { machine: SMALL_HUGE, ...SECOND_PAGE }),
  memory('huge-mirrored', [STORED, MIRRORED], { machine: SMALL_HUGE }),
  memory('huge-cow', [STORED, FORKED], { machine: SMALL_HUGE }),
  memory('huge-zero', [LOADED], { machine: SMALL_HUGE }),
  memory('huge-missing', [REGISTERED], { machine: SMALL_HUGE, filledBy: 'monitor' }),
];

/** Its file is one block. */
export function isBlock({ machine }: ShapeMemory): boolean {
  return machine.files !== undefined && machine.ptrsPerPte === BLOCK.ptrsPerPte;
}

/** The page may be moved by UFFDIO_MOVE: to the place of TARGET, which stays mapped. */
export function mayBeMoved({ vmas, setup, filledBy }: ShapeMemory): boolean {
  const [{ kind } = { kind: 'file-shared' }] = vmas;
  return (
    kind === 'anon-private' && filledBy === 'kernel' && setup.every((op) => op.do !== 'mremap')
  );
}

export function isPinned({ setup }: ShapeMemory): boolean {
  return setup.includes(PINNED);
}

function memory(
  id: string,
  setup: readonly SetupOp[],
  more: Partial<Omit<ShapeMemory, 'id' | 'setup' | 'holder'>> = {},
): ShapeMemory {
  const vmas = more.vmas ?? mappings('anon-private', more.machine?.ptrsPerPte);
  return {
    id,
    setup,
    vmas,
    machine: {},
    page: 'a',
    pages: 1,
    target: TARGET,
    processes: setup.includes(FORKED) ? 'child' : 'one',
    deviceFrames: 'enough',
    tlbs: 'cold',
    filledBy: 'kernel',
    deviceOwner: 'each its own',
    holder: setup.some(({ actor }) => actor === HOLDER) ? 'device' : 'none',
    ...more,
  };
}

/** The page and one behind it, and a place to move to. */
function mappings(kind: ScenarioVma['kind'], pages = 2, address = FIRST): ScenarioVma[] {
  return [
    { name: 'a', address, pages, prot: 'rw', kind },
    { name: TARGET, address: 0x1_0000_0000, pages, prot: 'rw', kind: 'anon-private' },
  ];
}

function filed(kind: 'file-private' | 'file-shared'): ScenarioVma[] {
  return mappings(kind).map((vma) => (vma.name === 'a' ? { ...vma, file: 0 } : vma));
}
