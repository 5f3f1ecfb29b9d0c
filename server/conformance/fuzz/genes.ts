/**
 * Operations as small numbers, so that a random source can write them and a shrinker can make them smaller: a gene
 * that shrinks becomes a simpler operation, on fewer and lower pages, alone in its step.
 */
import { PAGE_SIZE, PTRS_PER_PTE } from '../../vocabulary/address.ts';
import type { TraceOp } from '../traces/trace-format.ts';
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
export const GENE_KINDS = [
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
] as const;
export type GeneKind = (typeof GENE_KINDS)[number];

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
export function programOf(set: FuzzSet, genes: readonly Gene[]): FuzzProgram {
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
  const first = layout.pages[gene.page] ?? 0;
  const addr = addressAt(first);
  const pages = Math.min(layout.lengths[gene.more] ?? 1, layout.end - first);
  const actor = gene.actor === 0 ? 'cpu0' : 'cpu1';
  const onDevice = { dev: gene.actor, addr, pages };
  const prot = PROTS[gene.extra % PROTS.length] ?? 'rw';
  const kind = GENE_KINDS[gene.kind] ?? 'load';
  switch (kind) {
    case 'load':
      return { op: kind, actor, addr };
    case 'store':
      return { op: kind, actor, addr, value: valueWritten(at, 0) };
    case 'dev-read':
    case 'migrate-to-dev':
    case 'migrate-to-sys':
    case 'exclusive':
    case 'check-exclusive':
    case 'snapshot':
      return { op: kind, ...onDevice };
    case 'dev-write': {
      const values = Array.from({ length: pages }, (_, page) => valueWritten(at, page));
      return { op: kind, dev: gene.actor, addr, values };
    }
    case 'madvise-DONTNEED':
      return { op: 'madvise', addr, pages, advice: 'DONTNEED' };
    case 'madvise-FREE':
      return { op: 'madvise', addr, pages, advice: 'FREE' };
    case 'madvise-PAGEOUT':
      return { op: 'madvise', addr, pages, advice: 'PAGEOUT' };
    case 'munmap':
      return { op: kind, addr, pages };
    case 'mprotect':
      return { op: kind, addr, pages, prot };
    case 'mremap': {
      const to = layout.pages[(gene.page + 1 + gene.extra) % WINDOW_PAGES] ?? 0;
      return { op: kind, addr, pages, to: addressAt(Math.min(to, layout.end - pages)) };
    }
    case 'mmap':
      return { op: kind, addr, pages, ...mappingOf(gene) };
    case 'fork':
      return { op: kind };
    case 'exit':
      return { op: kind, actor: 'cpu1' };
    case 'pin':
      return {
        op: kind,
        id: gene.extra >> 1,
        addr,
        pages,
        mode: gene.extra % 2 === 0 ? 'longterm' : 'get',
      };
    case 'unpin':
      return { op: kind, id: gene.extra >> 1 };
  }
}

/** The likeliest first: shrinking goes there. */
const PROTS = ['rw', 'r', 'rw', 'none'] as const;
const MAPPING_KINDS = ['anon-private', 'file-private', 'anon-shared', 'file-shared'] as const;

/** The low two bits of `extra` choose the protection, the others the kind. */
function mappingOf(gene: Gene) {
  const prot = PROTS[gene.extra % PROTS.length] ?? 'rw';
  const kind = MAPPING_KINDS[gene.extra >> 2] ?? 'anon-private';
  if (kind === 'anon-private' || kind === 'anon-shared') return { prot, kind };
  return { prot, kind, file: gene.actor, off: gene.page % 4 };
}

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
