/**
 * Operations as small numbers, so that a random source can write them and a shrinker can make them smaller: a gene
 * that shrinks becomes a simpler operation, on fewer and lower pages, alone in its step.
 */
import type { Type } from 'typebox';
import type { Advice } from '../../abi/cpu-api.ts';
import { PAGE_SIZE, PTRS_PER_PTE } from '../../vocabulary/address.ts';
import { OP_ARGUMENTS, type OpName, type TraceOp } from '../traces/trace-format.ts';
import {
  type FuzzOp,
  type FuzzProgram,
  type FuzzSet,
  fuzzActorOf,
  STEP_OPS_MAX,
} from './fuzz-program.ts';

/** The pages that programs use: as many below as above the start of a 2 MiB block. */
export const WINDOW_PAGES = 16;
const BLOCK_START = 0x1_0020_0000 / PAGE_SIZE;
/** Genes name one of this many lengths of a range. */
export const LENGTHS = 8;

/** Where pages of the window lie, relative to the start of the block, and how long ranges are. */
interface Layout {
  readonly pages: readonly number[];
  readonly lengths: readonly number[];
  /** A range ends here at the latest. */
  readonly end: number;
}

const SMALL: Layout = {
  pages: Array.from({ length: WINDOW_PAGES }, (_, at) => at - WINDOW_PAGES / 2),
  lengths: Array.from({ length: LENGTHS }, (_, at) => at + 1),
  end: WINDOW_PAGES / 2,
};

/** Two blocks, with the pages at their edges and in their middles. */
const HUGE: Layout = {
  pages: [-512, -511, -510, -257, -256, -255, -2, -1, 0, 1, 2, 255, 256, 257, 510, 511],
  lengths: [1, 2, 3, 4, 255, 256, 257, 512],
  end: PTRS_PER_PTE,
};
/** Pin ids, file offsets and protections come from this many values. */
export const EXTRA_END = 16;

/** From the simplest on. */
const SIMPLEST_FIRST = [
  'load',
  'store',
  'dev-read',
  'dev-write',
  'migrate-to-dev',
  'migrate-to-sys',
  'madvise-DONTNEED',
  'munmap',
  'mprotect',
  'exclusive',
  'check-exclusive',
  'mmap',
  'mremap',
  'snapshot',
  'madvise-FREE',
  'fork',
  'exit',
  'pin',
  'unpin',
  'madvise-PAGEOUT',
] as const satisfies readonly GeneKind[];
export type GeneKind = Exclude<OpName, 'madvise' | 'release'> | `madvise-${Advice}`;
/** Operations that have no place yet among the others come behind them. */
export const GENE_KINDS: readonly GeneKind[] = [
  ...new Set<GeneKind>([...SIMPLEST_FIRST, ...Object.keys(OP_ARGUMENTS).filter(isGeneKind)]),
];

function isGeneKind(op: string): op is Exclude<OpName, 'madvise' | 'release'> {
  return op !== 'madvise' && op !== 'release';
}

export interface Gene {
  /** An index into GENE_KINDS. */
  readonly kind: number;
  /** 0 joins the operation before it in its step, if its actor is free; anything else begins a step. */
  readonly alone: number;
  /** Which process or device: 0 or 1. */
  readonly actor: number;
  /** Which thread of it: 0 or 1. */
  readonly thread: number;
  /** Below WINDOW_PAGES. */
  readonly page: number;
  /** Below LENGTHS: how long the range is. */
  readonly more: number;
  /** Below EXTRA_END: what is particular to the kind. */
  readonly extra: number;
}

/** Every list of genes is a program. */
export function programOfGenes(set: FuzzSet, genes: readonly Gene[]): FuzzProgram {
  const steps: FuzzOp[][] = [];
  for (const [at, gene] of genes.entries()) {
    const layout = set === 'huge' ? HUGE : SMALL;
    const op: FuzzOp = {
      op: opOf(gene, at, layout),
      thread: gene.thread === 0 ? 'first' : 'second',
    };
    const step = steps.at(-1);
    const joins =
      step !== undefined &&
      gene.alone === 0 &&
      step.length < STEP_OPS_MAX &&
      step.every((other) => fuzzActorOf(other) !== fuzzActorOf(op));
    if (joins) step.push(op);
    else steps.push([op]);
  }
  return { set, steps };
}

function opOf(gene: Gene, at: number, layout: Layout): TraceOp {
  const kind = GENE_KINDS[gene.kind] ?? 'load';
  const [op, advice] = kind.startsWith('madvise-')
    ? (['madvise', kind.slice('madvise-'.length)] as const)
    : ([kind as OpName, 'none'] as const);
  const fields = Object.entries(OP_ARGUMENTS[op].properties);
  const values = fields.map(([field, schema]) => {
    const fill = FILLED[field];
    const value = fill === undefined ? oneOf(schema, gene) : fill(gene, at, layout);
    return [field, field === 'advice' ? advice : value] as const;
  });
  const given = Object.fromEntries(values.filter(([, value]) => value !== undefined));
  return { op, ...given, ...(op === 'exit' ? { actor: 'cpu1' } : {}) } as TraceOp;
}

/** A field by what the gene says of it; undefined for one that is left out. */
const FILLED: {
  readonly [field: string]: (
    gene: Gene,
    at: number,
    layout: Layout,
  ) => string | number | string[] | undefined;
} = {
  actor: (gene) => (gene.actor === 0 ? 'cpu0' : 'cpu1'),
  dev: (gene) => gene.actor,
  addr: (gene, _, layout) => addressAt(layout.pages[gene.page] ?? 0),
  pages: (gene, _, layout) => pagesOf(gene, layout),
  to: (gene, _, layout) => {
    const to = layout.pages[(gene.page + 1 + gene.extra) % WINDOW_PAGES] ?? 0;
    return addressAt(Math.min(to, layout.end - pagesOf(gene, layout)));
  },
  value: (_, at) => valueWritten(at, 0),
  values: (gene, at, layout) =>
    Array.from({ length: pagesOf(gene, layout) }, (_, page) => valueWritten(at, page)),
  prot: (gene) => PROTS[gene.extra % PROTS.length],
  // The low two bits of `extra` choose the protection of a mapping, the others its kind.
  kind: mappingKind,
  file: (gene) => (mappingKind(gene).startsWith('file') ? gene.actor : undefined),
  off: (gene) => (mappingKind(gene).startsWith('file') ? gene.page % 4 : undefined),
  id: (gene) => gene.extra >> 1,
};

function pagesOf(gene: Gene, layout: Layout): number {
  return Math.min(layout.lengths[gene.more] ?? 1, layout.end - (layout.pages[gene.page] ?? 0));
}

function mappingKind(gene: Gene): string {
  return MAPPING_KINDS[gene.extra >> 2] ?? 'anon-private';
}

/** A word of those that there are. */
function oneOf(schema: Type.TSchema, gene: Gene): string | undefined {
  const words = (schema as { readonly enum?: readonly string[] }).enum ?? [];
  return words[gene.extra % words.length];
}

/** The likeliest first: shrinking goes there. */
const PROTS = ['rw', 'r', 'rw', 'none'] as const;
const MAPPING_KINDS = ['anon-private', 'file-private', 'anon-shared', 'file-shared'] as const;

/** Unlike every other value of the program, so that a stale read gives itself away. */
function valueWritten(at: number, page: number): string {
  return hex(((at + 1) << 4) | (page + 1));
}

function addressAt(page: number): string {
  return hex((BLOCK_START + page) * PAGE_SIZE);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
