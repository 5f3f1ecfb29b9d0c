/** Random programs, as genes: what each set does, as often as the golden traces do it. */
import type { FuzzSet } from './fuzz-program.ts';
import { EXTRA_END, GENE_KINDS, type Gene, type GeneKind, LENGTHS, WINDOW_PAGES } from './genes.ts';
import type { Random } from './random.ts';

/** Operations of a program, besides the mappings that it starts with. */
const OPS_MIN = 6;
const OPS_MAX = 24;
/** Each as long as a range can be: together they cover the window. */
const FIRST_MAPPINGS = 2;

const OTHER_WEIGHT = 3;

type Weights = Readonly<Partial<Record<GeneKind, number>>>;

const ANON: Weights = {
  store: 16,
  'dev-read': 15,
  'migrate-to-dev': 14,
  load: 9,
  'dev-write': 10,
  mprotect: 5,
  exclusive: 6,
  'check-exclusive': 2,
  'migrate-to-sys': 5,
  mmap: 4,
  mremap: 3,
  munmap: 3,
  'madvise-DONTNEED': 5,
  'madvise-FREE': 2,
  snapshot: 2,
  // Whoever touches what is missing would wait for a monitor, and a random program is none.
  'uffd-register': 0,
};
const FORK: Weights = { ...ANON, load: 14, store: 20, fork: 6, exit: 2 };
const MIXED: Weights = { ...FORK, mmap: 8, pin: 5, unpin: 2 };
const SWAP: Weights = { ...FORK, 'madvise-FREE': 4, 'madvise-PAGEOUT': 10 };
/** Each kind as often as it weighs: an index into it is a choice. */
const KINDS: Readonly<Record<FuzzSet, readonly number[]>> = {
  anon: drawn(ANON),
  fork: drawn(FORK),
  mixed: drawn(MIXED),
  swap: drawn(SWAP),
  huge: drawn(SWAP),
};

export function generateGenes(set: FuzzSet, random: Random): Gene[] {
  const genes: Gene[] = [];
  const mappings = FIRST_MAPPINGS;
  for (let at = 0; at < mappings; at += 1) genes.push(firstMapping(set, random, at, mappings));
  // Some programs work on one page, some on many: races want the same page, bugs of ranges want several.
  const window = random.pick([1, 2, 4, WINDOW_PAGES]);
  const base = random.below(WINDOW_PAGES - window + 1);
  const morePages = random.pick([1, 2, 4, LENGTHS]);
  const ops = OPS_MIN + random.below(OPS_MAX - OPS_MIN + 1);
  const kinds = KINDS[set];
  const aloneOf8 = random.pick([0, 1, 3]);
  for (let at = 0; at < ops; at += 1) {
    const kind = kinds[random.below(kinds.length)] ?? 0;
    genes.push({
      kind,
      alone: random.chance(aloneOf8, 8) ? 1 : 0,
      actor: random.below(2),
      thread: random.below(2),
      page: base + random.below(window),
      more: random.below(morePages),
      extra: extraOf(kind, set, random),
    });
  }
  return genes;
}

/** The window is mapped in two pieces; most of it can be written. */
function firstMapping(set: FuzzSet, random: Random, at: number, of: number): Gene {
  const first = Math.floor((at * WINDOW_PAGES) / of);
  const prot = random.chance(1, 8) ? random.below(4) : 0;
  return {
    kind: GENE_KINDS.indexOf('mmap'),
    alone: 1,
    actor: random.below(2),
    thread: 0,
    page: first,
    more: LENGTHS - 1,
    extra: set === 'mixed' ? (random.below(4) << 2) | prot : prot,
  };
}

function extraOf(kind: number, set: FuzzSet, random: Random): number {
  const extra = random.below(EXTRA_END);
  // Only set mixed has files and shared memory.
  return GENE_KINDS[kind] === 'mmap' && set !== 'mixed' ? extra % 4 : extra;
}

/** Operations that no set weighs are of all sets. */
function drawn(weights: Weights): readonly number[] {
  const weighed: Weights = { ...MIXED, ...SWAP };
  return GENE_KINDS.flatMap((kind, at) => {
    const length = weights[kind] ?? (weighed[kind] === undefined ? OTHER_WEIGHT : 0);
    return Array.from({ length }, () => at);
  });
}
