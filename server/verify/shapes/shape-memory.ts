/** What stands at the page of a shape before its actors begin, each as the setup that leads there. */
import type { Scenario, ScenarioVma, SetupOp } from '../../scenario/scenario-schema.ts';

/** The page that all operations are about: the first of two, so that they may split the mapping. */
export const PAGE = 'a';
/** Unmapped, for mremap() to move to. */
export const TARGET = 'b';
/** Holds the page, or mirrors it, and does nothing else. */
export const HOLDER = 'holder';
export const CHILD = 'child';

export interface ShapeMemory {
  readonly id: string;
  readonly setup: readonly SetupOp[];
  readonly kind: ScenarioVma['kind'];
  readonly machine: NonNullable<Scenario['machine']>;
  /** 'child': a forked process maps the page as well. */
  readonly processes: 'one' | 'child';
  readonly holder: 'none' | 'device';
}

const STORED: SetupOp = { actor: 'cpu0', do: 'store', at: PAGE, value: 1 };
const LOADED: SetupOp = { actor: 'cpu0', do: 'load', at: PAGE };
const FORKED: SetupOp = { actor: 'cpu0', do: 'fork', child: CHILD };
const SWAPPED_OUT: SetupOp = { actor: 'cpu0', do: 'madvise', at: PAGE, advice: 'PAGEOUT' };
const READ_ONLY: SetupOp = { actor: 'cpu0', do: 'mprotect', at: PAGE, prot: 'r' };
const PINNED: SetupOp = { actor: 'cpu0', do: 'pin', at: PAGE, id: 1, mode: 'longterm' };
const MIRRORED: SetupOp = { actor: HOLDER, do: 'prefetch', at: PAGE };
const MIGRATED: SetupOp = { actor: HOLDER, do: 'migrate', at: PAGE };
const EXCLUSIVE: SetupOp = { actor: HOLDER, do: 'exclusive', at: PAGE };

/** The smallest page table with huge pages that has parts: see docs/SCENARIOS.md, Machine. */
const SMALL_HUGE = { ptrsPerPte: 4, thp: 'always' } as const;

export const SHAPE_MEMORIES: readonly ShapeMemory[] = [
  memory('none', []),
  memory('zero', [LOADED]),
  memory('zero-mirrored', [LOADED, MIRRORED]),
  memory('present', [STORED]),
  memory('present-mirrored', [STORED, MIRRORED]),
  memory('read-only', [STORED, READ_ONLY, MIRRORED]),
  memory('swap', [STORED, SWAPPED_OUT], { machine: { swapSlots: 2 } }),
  memory('device', [STORED, MIGRATED]),
  memory('exclusive', [STORED, EXCLUSIVE]),
  memory('pinned', [STORED, PINNED]),
  memory('shared-none', [], { kind: 'anon-shared' }),
  memory('shared', [STORED, MIRRORED], { kind: 'anon-shared' }),
  memory('cow', [STORED, FORKED]),
  memory('cow-mirrored', [STORED, FORKED, MIRRORED]),
  memory('cow-swap', [STORED, SWAPPED_OUT, FORKED], { machine: { swapSlots: 2 } }),
  memory('cow-device', [STORED, MIGRATED, FORKED]),
  memory('shared-two', [STORED, FORKED], { kind: 'anon-shared' }),
  memory('huge', [STORED], { machine: SMALL_HUGE }),
  memory('huge-mirrored', [STORED, MIRRORED], { machine: SMALL_HUGE }),
  memory('huge-cow', [STORED, FORKED], { machine: SMALL_HUGE }),
];

function memory(
  id: string,
  setup: readonly SetupOp[],
  more: Partial<Pick<ShapeMemory, 'kind' | 'machine'>> = {},
): ShapeMemory {
  return {
    id,
    setup,
    kind: 'anon-private',
    machine: {},
    processes: setup.includes(FORKED) ? 'child' : 'one',
    holder: setup.some(({ actor }) => actor === HOLDER) ? 'device' : 'none',
    ...more,
  };
}

/** The mappings of a shape: the page and one behind it, and a place to move to. */
export function vmasOf({ kind, machine }: ShapeMemory): ScenarioVma[] {
  const pages = machine.ptrsPerPte ?? 2;
  return [
    { name: PAGE, address: 0x1_0020_0000, pages, prot: 'rw', kind },
    { name: TARGET, address: 0x1_0000_0000, pages, prot: 'rw', kind },
  ];
}
