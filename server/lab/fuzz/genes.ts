/**
 * Operations as small numbers, so that a random source can write them and a shrinker can make them smaller: a gene
 * that shrinks becomes a simpler operation, on fewer and lower pages, alone in its step.
 */
import { PAGE_SIZE } from '../../vocabulary/address.ts';
import type { TraceOp } from '../conformance/trace-format.ts';
import {
  type FuzzOp,
  type FuzzProgram,
  type FuzzSet,
  fuzzActorOf,
  STEP_OPS_MAX,
} from './fuzz-program.ts';

/** The pages that programs use: as many below as above the start of a 2 MiB block. */
export const WINDOW_PAGES = 16;
const WINDOW_START = 0x1_0020_0000 - (WINDOW_PAGES / 2) * PAGE_SIZE;
/** Pages of one operation at most. */
export const OP_PAGES_MAX = 8;
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
  /** Of the range, less one: below OP_PAGES_MAX. */
  readonly more: number;
  /** Below EXTRA_END: what is particular to the kind. */
  readonly extra: number;
}

/** Every list of genes is a program. */
export function programOf(set: FuzzSet, genes: readonly Gene[]): FuzzProgram {
  const steps: FuzzOp[][] = [];
  for (const [at, gene] of genes.entries()) {
    const op: FuzzOp = { op: opOf(gene, at), thread: gene.thread === 0 ? 'first' : 'second' };
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

function opOf(gene: Gene, at: number): TraceOp {
  const addr = hex(WINDOW_START + gene.page * PAGE_SIZE);
  const pages = Math.min(gene.more + 1, WINDOW_PAGES - gene.page);
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
      const to = (gene.page + 1 + gene.extra) % (WINDOW_PAGES - pages + 1);
      return { op: kind, addr, pages, to: hex(WINDOW_START + to * PAGE_SIZE) };
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

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
