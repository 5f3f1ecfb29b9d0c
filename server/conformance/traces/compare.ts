/**
 * Compares what a world answered with what the real kernel answered, page by page, and names the
 * first difference.
 * Mapping lists are compared mapping by mapping: which neighbours the kernel merges decides what later
 * calls do, as many go mapping by mapping.
 */
import { PAGE_SIZE } from '../../vocabulary/address.ts';
import type { OpResult } from './trace-format.ts';
import {
  parseAddress,
  STATE_VIEWS,
  type StateView,
  type TraceSpans,
  type TraceState,
  type TraceVma,
  type TraceVmas,
} from './trace-state.ts';

/**
 * Where two answers part. `field` is a path such as `result.values[2]` or
 * `state.dev1[0x100200000]`.
 */
export interface Difference {
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
}

/** Stands for a field, a page or a process that one side does not have. */
const ABSENT = 'absent';

const RESULT_FIELDS = [
  'errno',
  'signal',
  'ok',
  'value',
  'faults',
  'cpages',
  'npages',
  'values',
  'prot',
] as const satisfies readonly (keyof OpResult)[];

export function compareResult(expected: OpResult, actual: OpResult): Difference | 'same' {
  for (const field of RESULT_FIELDS) {
    const found = compareField(`result.${field}`, expected[field], actual[field]);
    if (found !== 'same') return found;
  }
  return 'same';
}

export function compareState(expected: TraceState, actual: TraceState): Difference | 'same' {
  for (const view of Object.keys(STATE_VIEWS) as StateView[]) {
    const found = comparePages(`state.${view}`, charsOf(expected[view]), charsOf(actual[view]));
    if (found !== 'same') return found;
  }
  return 'same';
}

export function compareVmas(expected: TraceVmas, actual: TraceVmas): Difference | 'same' {
  for (const process of ['cpu0', 'cpu1'] as const) {
    const field = `vmas.${process}`;
    const found = compareField(field, listed(expected[process]), listed(actual[process]));
    if (found !== 'same') return found;
  }
  return 'same';
}

type Field = string | number | boolean | readonly string[] | undefined;

function compareField(field: string, expected: Field, actual: Field): Difference | 'same' {
  if (typeof expected === 'object' && typeof actual === 'object') {
    for (let at = 0; at < Math.max(expected.length, actual.length); at += 1) {
      const found = compareField(`${field}[${at}]`, expected[at], actual[at]);
      if (found !== 'same') return found;
    }
    return 'same';
  }
  return expected === actual ? 'same' : { field, expected: show(expected), actual: show(actual) };
}

function show(value: Field): string {
  return value === undefined ? ABSENT : String(value);
}

/** What stands at each page, keyed by its address; 'absent' for a view that does not exist. */
type Pages = ReadonlyMap<number, string> | typeof ABSENT;

function comparePages(field: string, expected: Pages, actual: Pages): Difference | 'same' {
  if (expected === ABSENT || actual === ABSENT) {
    if (expected === actual) return 'same';
    const shown = (pages: Pages) => (pages === ABSENT ? ABSENT : 'present');
    return { field, expected: shown(expected), actual: shown(actual) };
  }
  const addresses = [...new Set([...expected.keys(), ...actual.keys()])].sort((a, b) => a - b);
  for (const address of addresses) {
    const wanted = expected.get(address) ?? 'unmapped';
    const got = actual.get(address) ?? 'unmapped';
    if (wanted !== got) {
      return { field: `${field}[0x${address.toString(16)}]`, expected: wanted, actual: got };
    }
  }
  return 'same';
}

function charsOf(spans: TraceSpans | undefined): Pages {
  if (spans === undefined) return ABSENT;
  const pages = new Map<number, string>();
  for (const [start, chars] of Object.entries(spans)) {
    const first = parseAddress(start);
    for (let at = 0; at < chars.length; at += 1) {
      pages.set(first + at * PAGE_SIZE, chars[at] ?? '');
    }
  }
  return pages;
}

/** One line each: `0x100200000-0x100201000 rw-p`. */
function listed(vmas: readonly TraceVma[] | undefined): readonly string[] | undefined {
  return vmas?.map(([start, end, perms]) => `${start}-${end} ${perms}`);
}
