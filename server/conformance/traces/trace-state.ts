/**
 * The state after an operation: page tables as strings of one character a page, and mapping lists.
 *
 * cpu0, cpu1 (the page table entry): `.` none; `z` the shared zero page; `a` anonymous page; `f`
 * page of a file or of shared memory; `P` `p` device-private, writable or not; `X` `x`
 * device-exclusive, writable or not; `m` migration; `s` swap. dev0, dev1 (what hmm_range_fault()
 * reports without faulting): `.` nothing; `r` `w` present, readable or writable; `z` zero page; `L`
 * `l` own device-private page, writable or not; `e` no mapping, or one without read permission.
 * same: `=` both processes have the same page there, `-` different pages, `.` one of them has none.
 */
import { Type } from 'typebox';
import { pageAddress } from '../../abi/scalars.ts';
import { explain, type Mismatch } from '../../protocol/explain.ts';
import { PAGE_SIZE, TASK_SIZE } from '../../vocabulary/address.ts';

/** The characters that a view may hold. */
export const STATE_VIEWS = {
  cpu0: '.zafPpXxms',
  cpu1: '.zafPpXxms',
  dev0: '.rwzlLe',
  dev1: '.rwzlLe',
  same: '=-.',
} as const;

export type StateView = keyof typeof STATE_VIEWS;

/** The start of each maximal mapped range, and one character for each of its pages. */
export interface TraceSpans {
  readonly [start: string]: string;
}

/** `cpu1` and `same` exist only while the child lives. */
export interface TraceState {
  readonly cpu0: TraceSpans;
  readonly dev0: TraceSpans;
  readonly dev1: TraceSpans;
  readonly cpu1?: TraceSpans;
  readonly same?: TraceSpans;
}

/** [start, end, permissions as in /proc/<pid>/maps]. */
export type TraceVma = readonly [start: string, end: string, perms: string];

/** The mapping list of each live process. */
export interface TraceVmas {
  readonly cpu0: readonly TraceVma[];
  readonly cpu1?: readonly TraceVma[];
}

const perms = Type.String({
  pattern: '^[r-][w-][x-][ps]$',
  description: 'permissions such as rw-p',
});

/** The bytes that a hexadecimal address names. Only of checked text. */
export function parseAddress(text: string): number {
  return Number(text);
}

export function stateMismatch(state: unknown, path: string): Mismatch | 'none' {
  if (!isRecord(state)) return { path, bound: 'an object with cpu0, dev0, dev1' };
  for (const view of ['cpu0', 'dev0', 'dev1'] as const) {
    if (!Object.hasOwn(state, view)) return { path: `${path}.${view}`, bound: SPANS_BOUND };
  }
  for (const [view, spans] of Object.entries(state)) {
    const at = `${path}.${view}`;
    if (!isView(view)) return { path: at, bound: 'one of cpu0, dev0, dev1, cpu1, same' };
    const found = spansMismatch(spans, STATE_VIEWS[view], at);
    if (found !== 'none') return found;
  }
  if (Object.hasOwn(state, 'cpu1') !== Object.hasOwn(state, 'same')) {
    return { path, bound: 'cpu1 and same together' };
  }
  return 'none';
}

export function vmasMismatch(vmas: unknown, path: string): Mismatch | 'none' {
  if (!isRecord(vmas)) return { path, bound: 'an object with cpu0' };
  if (!Object.hasOwn(vmas, 'cpu0')) return { path: `${path}.cpu0`, bound: VMAS_BOUND };
  for (const [process, list] of Object.entries(vmas)) {
    const at = `${path}.${process}`;
    if (process !== 'cpu0' && process !== 'cpu1') return { path: at, bound: 'one of cpu0, cpu1' };
    if (!Array.isArray(list)) return { path: at, bound: VMAS_BOUND };
    let end = 0;
    for (const [index, vma] of list.entries()) {
      const found = vmaMismatch(vma, end, `${at}[${index}]`);
      if (found !== 'none') return found;
      end = parseAddress(vma[1]);
    }
  }
  return 'none';
}

const SPANS_BOUND = 'an object of addresses, each with a character a page';
const VMAS_BOUND = 'a list of [start, end, permissions]';

function spansMismatch(spans: unknown, alphabet: string, path: string): Mismatch | 'none' {
  if (!isRecord(spans)) return { path, bound: SPANS_BOUND };
  let end = -1;
  for (const [start, chars] of Object.entries(spans)) {
    const at = `${path}.${start}`;
    const found = explain(pageAddress, start, at);
    if (found !== 'none') return found;
    if (
      typeof chars !== 'string' ||
      chars === '' ||
      [...chars].some((c) => !alphabet.includes(c))
    ) {
      return { path: at, bound: `one or more characters of ${alphabet}` };
    }
    if (parseAddress(start) <= end)
      return { path: at, bound: 'ranges in order with a gap between' };
    end = parseAddress(start) + chars.length * PAGE_SIZE;
    if (end > TASK_SIZE) return { path: at, bound: 'a range that ends by 0x800000000000' };
  }
  return 'none';
}

function vmaMismatch(vma: unknown, after: number, path: string): Mismatch | 'none' {
  if (!Array.isArray(vma) || vma.length !== 3) return { path, bound: '[start, end, permissions]' };
  const found = [
    explain(pageAddress, vma[0], `${path}[0]`),
    explain(pageAddress, vma[1], `${path}[1]`),
    explain(perms, vma[2], `${path}[2]`),
  ].find((each) => each !== 'none');
  if (found !== undefined) return found;
  if (parseAddress(vma[0]) < after || parseAddress(vma[1]) <= parseAddress(vma[0])) {
    return { path, bound: 'mappings in order that end after they start' };
  }
  return 'none';
}

function isView(name: string): name is StateView {
  return Object.hasOwn(STATE_VIEWS, name);
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
