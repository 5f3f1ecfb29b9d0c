/** What a CPU process does when a conductor asks: the calls of CpuApi, and some that are many accesses at once. */
import { Type } from 'typebox';
import type { CpuApi } from '../../server/abi/cpu-api.ts';
import { addressAt, hexU64Of } from '../../server/abi/cpu-call.ts';
import { answerToCall, bindCall, CPU_CALLS, isCpuCall } from '../../server/abi/cpu-calls.ts';
import { RANGE_PAGES_MAX } from '../../server/abi/limits.ts';
import { pageAddress, strict, u64s } from '../../server/abi/scalars.ts';
import type { VerbHelp } from '../../server/abi/verb-help.ts';
import { type Check, compileCheck, firstError } from '../../server/protocol/validators.ts';
import type { TaskContext } from '../../server/task/context.ts';
import type { Task, YieldPoint } from '../../server/task/task.ts';
import { type Part, together } from '../../server/task/together.ts';
import { PAGE_SIZE, virtualAddress } from '../../server/vocabulary/address.ts';
import { type VerbParams, VerbRefused, type VerbResult } from '../sdk/conductor.ts';

export interface CpuPerformer {
  readonly api: CpuApi;
  readonly context: TaskContext;
  readonly actor: string;
}

interface ManyPagesVerb<Params extends Type.TObject> {
  readonly meaning: string;
  readonly result: string;
  readonly help: VerbHelp;
  readonly params: Params;
  readonly perform: (performer: CpuPerformer, params: Type.Static<Params>) => Task<VerbResult>;
}

function verb<const Params extends Type.TObject>(spec: ManyPagesVerb<Params>) {
  return spec;
}

/** Verbs that are no method of the wire. */
const MANY_PAGES_VERBS = {
  'load-pages': verb({
    meaning: 'Loads the u64 at the start of each page, all at once.',
    result: '`{values}`: a u64 or the signal, one a page',
    help: {
      group: 'memory',
      summary: 'read the first word of each page, all at once',
      examples: ['load-pages a 4'],
    },
    params: strict({
      address: pageAddress,
      pages: Type.Integer({ minimum: 1, maximum: RANGE_PAGES_MAX }),
    }),
    *perform({ api, context, actor }, { address, pages }) {
      const first = addressAt(address);
      const parts = Array.from({ length: pages }, (_, at) => ({
        actor,
        name: 'load',
        task: api.load(virtualAddress(first + at * PAGE_SIZE)),
      }));
      const loads = yield* allTogether(context, 'load_pages.together', parts);
      const valueOrSignal = (load: (typeof loads)[number]) =>
        load.kind === 'done' ? hexU64Of(load.value) : load.signal;
      return { values: loads.map(valueOrSignal) };
    },
  }),
  'store-pages': verb({
    meaning: 'Stores a u64 at the start of each page, all at once.',
    result: '`{ok: true}` or the first `{signal}`',
    help: {
      group: 'memory',
      summary: 'write a value at the start of each page, one page a value, all at once',
      examples: ['store-pages a 1 2 3 4'],
    },
    params: strict({ address: pageAddress, values: u64s }),
    *perform({ api, context, actor }, { address, values }) {
      const first = addressAt(address);
      const parts = values.map((value, at) => ({
        actor,
        name: 'store',
        task: api.store(virtualAddress(first + at * PAGE_SIZE), BigInt(value)),
      }));
      const stores = yield* allTogether(context, 'store_pages.together', parts);
      const refused = stores.find((store) => store.kind === 'signal');
      return refused === undefined ? { ok: true } : { signal: refused.signal };
    },
  }),
} as const;

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** As together(), in a process where calls may throw: what a part throws, the task that waits for it does. */
function* allTogether<T>(
  context: TaskContext,
  at: YieldPoint,
  parts: readonly Part<T>[],
): Task<readonly T[]> {
  const caught = parts.map((part) => ({ ...part, task: outcomeOf(part.task) }));
  const outcomes = yield* together<Outcome<T>>(context, at, caught);
  return outcomes.map((outcome) => {
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  });
}

function* outcomeOf<T>(task: Task<T>): Task<Outcome<T>> {
  try {
    return { value: yield* task };
  } catch (error) {
    return { error };
  }
}

/** Every verb of a CPU process. */
export const CPU_VERBS = { ...CPU_CALLS, ...MANY_PAGES_VERBS } as const;

const CHECKS = new Map<string, Check>(
  Object.entries(CPU_VERBS).map(([name, { params }]) => [name, compileCheck(params)]),
);

/** Does one verb. Throws: VerbRefused if it is unknown or its parameters are wrong. Yields: yes. */
export function* performCpuVerb(
  performer: CpuPerformer,
  { verb: name, ...params }: VerbParams,
): Task<VerbResult> {
  const check = CHECKS.get(name);
  if (check === undefined) {
    throw new VerbRefused(`verb: expected one of ${[...CHECKS.keys()].join(', ')}`);
  }
  if (!check.accepts(params)) {
    const { path, bound } = firstError(check, params, name);
    throw new VerbRefused(`${path}: expected ${bound}`);
  }
  if (isCpuCall(name)) return answerToCall(name, yield* bindCall(name, params)(performer.api));
  const manyPages = MANY_PAGES_VERBS[name as keyof typeof MANY_PAGES_VERBS];
  return yield* manyPages.perform(performer, params as never);
}
