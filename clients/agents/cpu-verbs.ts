/**
 * What a CPU process does when a conductor asks: the calls of CpuApi with the parameters of the wire, and some that
 * do many accesses in one verb.
 *
 *   load-pages {address, pages}            the u64 at the start of each page: {values}
 *   store-pages {address, values}          the same for writing
 */

import Type from 'typebox';
import type { Accessed, CpuApi } from '../../server/abi/cpu-api.ts';
import { RANGE_PAGES_MAX } from '../../server/abi/limits.ts';
import { hexU64, pageAddress, strict } from '../../server/abi/scalars.ts';
import {
  CPU_REQUESTS,
  type CpuMethod,
  type CpuParams,
} from '../../server/protocol/cpu-requests.ts';
import { type Check, compileCheck, whyNot } from '../../server/protocol/validators.ts';
import type { TaskContext } from '../../server/task/context.ts';
import type { Task } from '../../server/task/task.ts';
import { together } from '../../server/task/together.ts';
import {
  PAGE_SIZE,
  type PageRange,
  pageIndex,
  pageOf,
  pagesFrom,
  type VirtualAddress,
  virtualAddress,
} from '../../server/vocabulary/address.ts';
import type { Result } from '../../server/vocabulary/errno.ts';
import { assertNever } from '../../server/vocabulary/invariant.ts';
import { type VerbParams, VerbRefused, type VerbResult } from '../sdk/conductor.ts';

const pages = Type.Integer({ minimum: 1, maximum: RANGE_PAGES_MAX });
const values = Type.Array(hexU64, { minItems: 1, maxItems: RANGE_PAGES_MAX });

/** Verbs that are no method of the wire, by what they take. */
export const MANY_PAGES_VERBS = {
  'load-pages': strict({ address: pageAddress, pages }),
  'store-pages': strict({ address: pageAddress, values }),
} as const;

const CHECKS = new Map<string, Check>([
  ...Object.entries(CPU_REQUESTS).map(
    ([method, spec]) => [method, compileCheck(spec.params)] as const,
  ),
  ...Object.entries(MANY_PAGES_VERBS).map(
    ([verb, params]) => [verb, compileCheck(params)] as const,
  ),
]);

type CpuVerb =
  | {
      readonly [Method in CpuMethod]: { readonly verb: Method; readonly params: CpuParams[Method] };
    }[CpuMethod]
  | {
      readonly verb: 'load-pages';
      readonly params: { readonly address: string; readonly pages: number };
    }
  | {
      readonly verb: 'store-pages';
      readonly params: { readonly address: string; readonly values: readonly string[] };
    };

export interface CpuPerformer {
  readonly api: CpuApi;
  readonly context: TaskContext;
  readonly actor: string;
  /** A child was forked: returns when it has joined the lab. */
  readonly forked: (child: string) => Task<void>;
  /** This CPU's process has exited. */
  readonly exited: () => void;
}

/** Does one verb. Throws: VerbRefused if it is unknown or its parameters are wrong. Yields: yes. */
export function* performCpuVerb(performer: CpuPerformer, params: VerbParams): Task<VerbResult> {
  const { api } = performer;
  const verb = parseVerb(params);
  switch (verb.verb) {
    case 'load':
      return loaded(yield* api.load(addressOf(verb.params.address)));
    case 'store': {
      const { address, value } = verb.params;
      return stored(yield* api.store(addressOf(address), BigInt(value)));
    }
    case 'load-pages':
      return yield* loadPages(performer, verb.params.address, verb.params.pages);
    case 'store-pages':
      return yield* storePages(performer, verb.params.address, verb.params.values);
    case 'fork': {
      const forked = yield* api.fork(verb.params.child);
      if (forked.ok) yield* performer.forked(verb.params.child);
      return errnoOf(forked);
    }
    case 'exit': {
      const exited = yield* api.exit();
      if (exited.ok) performer.exited();
      return errnoOf(exited);
    }
    case 'pin': {
      const { id, mode } = verb.params;
      const pinned = yield* api.pin(id, rangeOf(verb.params), mode);
      return pinned.ok ? { errno: 'OK', npages: pinned.value } : { errno: pinned.errno };
    }
    case 'unpin':
      return errnoOf(yield* api.unpin(verb.params.id));
    default:
      return errnoOf(yield* changeMapping(api, verb));
  }
}

type MappingVerb = Extract<
  CpuVerb,
  { verb: 'mmap' | 'munmap' | 'mprotect' | 'madvise' | 'mremap' }
>;

function changeMapping(api: CpuApi, verb: MappingVerb): Task<Result<void>> {
  const range = rangeOf(verb.params);
  switch (verb.verb) {
    case 'mmap': {
      const { prot, kind, file, offset } = verb.params;
      return api.mmap({
        range,
        prot,
        kind,
        ...(file === undefined ? {} : { file }),
        ...(offset === undefined ? {} : { offset }),
      });
    }
    case 'munmap':
      return api.munmap(range);
    case 'mprotect':
      return api.mprotect(range, verb.params.prot);
    case 'madvise':
      return api.madvise(range, verb.params.advice);
    case 'mremap':
      return api.mremap(range, pageOf(addressOf(verb.params.to)));
    default:
      return assertNever(verb);
  }
}

/** All at once: the thread's loads do not depend on each other. */
function* loadPages(performer: CpuPerformer, address: string, count: number): Task<VerbResult> {
  const first = addressOf(address);
  const parts = Array.from({ length: count }, (_, at) => ({
    actor: performer.actor,
    name: 'load',
    task: performer.api.load(virtualAddress(first + at * PAGE_SIZE)),
  }));
  const loads = yield* together(performer.context, 'load_pages.together', parts);
  return { values: loads.map((load) => (load.kind === 'done' ? hex(load.value) : load.signal)) };
}

function* storePages(
  performer: CpuPerformer,
  address: string,
  contents: readonly string[],
): Task<VerbResult> {
  const first = addressOf(address);
  const parts = contents.map((value, at) => ({
    actor: performer.actor,
    name: 'store',
    task: performer.api.store(virtualAddress(first + at * PAGE_SIZE), BigInt(value)),
  }));
  const stores = yield* together(performer.context, 'store_pages.together', parts);
  const refused = stores.find((store) => store.kind === 'signal');
  return refused === undefined ? { ok: true } : { signal: refused.signal };
}

function parseVerb({ verb, ...params }: VerbParams): CpuVerb {
  const check = CHECKS.get(verb);
  if (check === undefined) {
    throw new VerbRefused(`verb: expected one of ${[...CHECKS.keys()].join(', ')}`);
  }
  if (!check.accepts(params)) {
    const { path, bound } = whyNot(check, params, verb);
    throw new VerbRefused(`${path}: expected ${bound}`);
  }
  return { verb, params } as unknown as CpuVerb;
}

function loaded(access: Accessed<bigint>): VerbResult {
  return access.kind === 'done' ? { value: hex(access.value) } : { signal: access.signal };
}

function stored(access: Accessed<void>): VerbResult {
  return access.kind === 'done' ? { ok: true } : { signal: access.signal };
}

function errnoOf(result: Result<unknown>): VerbResult {
  return { errno: result.ok ? 'OK' : result.errno };
}

function addressOf(text: string): VirtualAddress {
  return virtualAddress(Number(text));
}

function rangeOf(region: { readonly address: string; readonly pages: number }): PageRange {
  return pagesFrom(pageIndex(pageOf(addressOf(region.address))), region.pages);
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
