/** What the table of CPU calls says of one call: enough for every place that names, checks, does or explains it. */
import type { Type } from 'typebox';
import type { Task } from '../task/task.ts';
import {
  type PageIndex,
  type PageRange,
  pageCount,
  pageIndex,
  pageOf,
  pagesFrom,
  type VirtualAddress,
  virtualAddress,
} from '../vocabulary/address.ts';
import type { Errno, Result } from '../vocabulary/errno.ts';
import type { Accessed, CpuApi, Signal } from './cpu-api.ts';
import type { VerbHelp } from './verb-help.ts';

/** A call with its parameters, to be made by a thread. */
export type BoundCall = (api: CpuApi) => Task<CpuOutcome>;

/** What came of a call. `value`: a u64 as the wire has it, of a load. `pages`: how many, of a pin. */
export type CpuOutcome =
  | { readonly kind: 'done'; readonly value?: string; readonly pages?: number }
  | { readonly kind: 'signal'; readonly signal: Signal }
  | { readonly kind: 'failed'; readonly errno: Errno };

export interface CpuCallText {
  /** For the documents of the wire. */
  readonly meaning: string;
  /** How it can fail. An access raises a signal instead. */
  readonly errnos: readonly Errno[];
  /** For the prompt. */
  readonly help: VerbHelp;
}

/**
 * `params`: byte addresses and u64 as 0x-hexadecimal, as on the wire. `result`: what the wire answers when it went
 * well. `toParams`: from the arguments that CpuApi takes. `call`: with all worked out that needs no machine.
 */
interface Parts<
  Params extends Type.TObject,
  Results extends Type.TObject,
  Args extends readonly unknown[],
  Done,
> extends CpuCallText {
  readonly params: Params;
  readonly result: Results;
  readonly toParams: (...args: Args) => Type.Static<Params>;
  readonly call: (params: Type.Static<Params>) => (api: CpuApi) => Task<Done>;
}

/** Ends with a value or a signal. */
export function access<
  const Params extends Type.TObject,
  const Results extends Type.TObject,
  Args extends readonly unknown[],
>(parts: Parts<Params, Results, Args, Accessed<unknown>>) {
  return {
    ...parts,
    kind: 'access' as const,
    bind(params: Type.Static<Params>): BoundCall {
      const call = parts.call(params);
      return (api) => outcomeOfAccess(call(api));
    },
  };
}

/** Ends with an errno. */
export function systemCall<
  const Params extends Type.TObject,
  const Results extends Type.TObject,
  Args extends readonly unknown[],
>(parts: Parts<Params, Results, Args, Result<unknown>>) {
  return {
    ...parts,
    kind: 'system-call' as const,
    bind(params: Type.Static<Params>): BoundCall {
      const call = parts.call(params);
      return (api) => outcomeOfSystemCall(call(api));
    },
  };
}

const DONE: CpuOutcome = { kind: 'done' };

function* outcomeOfAccess(call: Task<Accessed<unknown>>): Task<CpuOutcome> {
  const accessed = yield* call;
  if (accessed.kind === 'signal') return accessed;
  const { value } = accessed;
  return typeof value === 'bigint' ? { kind: 'done', value: hexU64Of(value) } : DONE;
}

function* outcomeOfSystemCall(call: Task<Result<unknown>>): Task<CpuOutcome> {
  const returned = yield* call;
  if (!returned.ok) return { kind: 'failed', errno: returned.errno };
  const { value } = returned;
  return typeof value === 'number' ? { kind: 'done', pages: value } : DONE;
}

export function addressAt(text: string): VirtualAddress {
  return virtualAddress(Number(text));
}

export function pageAtAddress(text: string): PageIndex {
  return pageOf(addressAt(text));
}

export function rangeAt(region: { readonly address: string; readonly pages: number }): PageRange {
  return pagesFrom(pageIndex(pageAtAddress(region.address)), region.pages);
}

export function regionOf(range: PageRange): { readonly address: string; readonly pages: number } {
  return { address: hexU64Of(BigInt(range.first) << 12n), pages: pageCount(range) };
}

export function hexU64Of(value: bigint): string {
  return `0x${value.toString(16)}`;
}
