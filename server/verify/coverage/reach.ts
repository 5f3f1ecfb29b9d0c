/** Whether a search has run what its patches and drivers change: what was not run is not said to be safe. */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DriverVariant } from '../../../clients/drivers/interface/driver-variant.ts';
import { STOCK } from '../../kernel/stock.ts';
import type { Patch } from '../../patches/patch.ts';
import type { Bound, Searched } from '../../report/bound.ts';
import type { CodeMissed, CodeNotReached } from '../../report/code-reached.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { type DriverReach, driverReach } from './driver-reach.ts';
import { type OwnLines, ownLines } from './own-files.ts';
import { beginCounting, type CountedScript, hasRun } from './reached-code.ts';
import { type OverridesSeen, watchOverrides } from './watch-overrides.ts';

/** What ran of one patch in all executions of a search. */
export interface PatchReach {
  /** The id of the patch. */
  readonly patch: string;
  /** Kernel functions that it overrides, by their names in KernelFunctions. */
  readonly overridden: readonly string[];
  /** Those of them that were called. */
  readonly called: readonly string[];
  /** Lines that the stock kernel does not have; absent where its file is not known. */
  readonly lines?: readonly OwnLines[];
}

export interface Reach {
  /** Functions of the kernel that ran, by their names in KernelFunctions, sorted. */
  readonly functions: readonly string[];
  readonly patches: readonly PatchReach[];
  /** Without those that ship and have no fault. */
  readonly drivers: readonly DriverReach[];
}

/** What a question brings along beside the kernel and the drivers that everything is compared with. */
export interface AskedCode {
  readonly patches: readonly Patch[];
  readonly drivers: readonly DriverVariant[];
}

/** A watch that has begun. */
export interface ReachWatch {
  /** The same patches: worlds are to be built with these. */
  readonly patches: readonly Patch[];
  /** What `prepare` calls is not what the question is about. Of lines it is not told apart. */
  aside<T>(prepare: () => T): T;
  /** What has run since it began. To be called before end(). */
  reach(): Reach;
  /** To be called once, also after a failure. */
  end(): void;
}

/** Watches this thread: nothing else may run in it meanwhile. */
export function watchReach({ patches, drivers }: AskedCode): ReachWatch {
  const seen = new Map<Patch, OverridesSeen>();
  const watched = patches.map((patch) => {
    const one: OverridesSeen = { overridden: new Map(), called: new Set() };
    seen.set(patch, one);
    return watchOverrides(patch, one);
  });
  const own = drivers.some(({ file }) => file !== undefined);
  const counting = beginCounting(patches.length === 0 && !own ? 'functions' : 'lines');
  return {
    patches: watched,
    aside(prepare) {
      const before = [...seen.values()].map(({ called }) => ({ called, had: [...called] }));
      const prepared = prepare();
      for (const { called, had } of before) {
        called.clear();
        for (const name of had) called.add(name);
      }
      return prepared;
    },
    reach() {
      const scripts = counting.taken();
      const called = new Set([...seen.values()].flatMap((one) => [...one.called]));
      return {
        functions: kernelFunctions(scripts, called),
        patches: [...seen]
          .filter(([, { overridden }]) => overridden.size > 0)
          .map(([patch, one]) => reachOf(patch, one, scripts)),
        drivers: [...new Set(drivers)].flatMap((driver) => {
          const one = driverReach(driver, scripts);
          return one === 'stock' ? [] : [one];
        }),
      };
    },
    end: counting.end,
  };
}

/** Searches with `search`. Returns: its answer, with what ran. */
export function withReach<T>(
  code: AskedCode,
  search: (watch: Pick<ReachWatch, 'patches' | 'aside'>) => T,
): { readonly value: T; readonly reach: Reach } {
  const watch = watchReach(code);
  try {
    const value = search(watch);
    return { value, reach: watch.reach() };
  } finally {
    watch.end();
  }
}

/** The same of a scenario. */
export function withReachOf<T>(
  plan: ScenarioPlan,
  search: (watched: ScenarioPlan) => T,
): { readonly value: T; readonly reach: Reach } {
  return withReach(askedCodeOf(plan), ({ patches }) =>
    search({ ...plan, choice: { ...plan.choice, patches } }),
  );
}

export function askedCodeOf({ choice, devices }: ScenarioPlan): AskedCode {
  return { patches: choice.patches, drivers: devices.map(({ driver }) => driver) };
}

function kernelFunctions(
  scripts: readonly CountedScript[],
  overridesCalled: ReadonlySet<string>,
): string[] {
  const ran = new Set(
    scripts
      .filter(({ url }) => url.includes('/server/kernel/'))
      .flatMap(({ functions }) => functions)
      .filter(hasRun)
      .map(({ functionName }) => functionName),
  );
  return Object.keys(STOCK)
    .filter((name) => ran.has(name) || overridesCalled.has(name))
    .sort();
}

function reachOf(
  patch: Patch,
  { overridden, called }: OverridesSeen,
  scripts: readonly CountedScript[],
): PatchReach {
  const shipped = scripts.find(({ url }) => isSourceOf(url, patch));
  const aliases = new Map([...overridden].map(([name, inFile]) => [inFile, name]));
  const file = patch.file ?? (shipped === undefined ? undefined : fileURLToPath(shipped.url));
  return {
    patch: patch.id,
    overridden: [...overridden.keys()].sort(),
    called: [...called].sort(),
    ...(file === undefined
      ? {}
      : { lines: ownLines(file, scripts, { shipped: 'kernel', aliases }) }),
  };
}

function isSourceOf(url: string, { id }: Patch): boolean {
  if (!url.startsWith('file:')) return false;
  const path = fileURLToPath(url);
  return path.includes('/server/patches/') && /^(.*)\.[jt]s$/.exec(basename(path))?.[1] === id;
}

/** The first patch or driver of which so much has not run that nothing may be said of it, or 'none'. */
export function notReached({ patches, drivers }: Reach): CodeNotReached | 'none' {
  for (const { patch, overridden, called, lines = [] } of patches) {
    const why = { kind: 'patch not reached', patch, overridden } as const;
    if (called.length === 0) return { ...why, lines: [] };
    const missed = lines.find((one) => one.missed.length > 0);
    if (missed !== undefined) {
      const file = missed === lines[0] ? {} : { file: missed.file };
      return { ...why, lines: missed.missed, ...file };
    }
  }
  for (const { driver, ran, idle, lines, own } of drivers) {
    const why = { kind: 'driver not reached', driver } as const;
    if (own === 'part' && idle.length > 0) return { ...why, functions: idle, lines: [] };
    if (!ran) return { ...why, functions: [], lines: [] };
    const all = lines.flatMap((one) => one.all);
    const missed = lines.flatMap((one) => one.missed);
    if (all.length > 0 && missed.length === all.length) {
      return { ...why, functions: [], lines: lines[0]?.missed ?? [] };
    }
  }
  return 'none';
}

/** What of the drivers has not run, although enough has for an answer. */
function missedOf({ drivers }: Reach): CodeMissed[] {
  return drivers.flatMap(({ driver, idle, lines }) => {
    const missed = lines.flatMap(({ missed: numbers, file }, at) =>
      numbers.length === 0 ? [] : [{ file: at === 0 ? driver : file, numbers }],
    );
    return idle.length + missed.length === 0 ? [] : [{ driver, functions: idle, lines: missed }];
  });
}

interface Judged {
  readonly verdict: 'holds' | 'broken' | 'unknown';
  readonly bound: Bound;
  readonly counterexample: unknown;
  readonly reach?: Reach;
}

/**
 * `holds` of a patch or a driver that did not run is unknown. An execution that shows what was asked for is its own
 * proof.
 */
export function judgedByReach<V extends Judged>(value: V, reach: Reach): V {
  const { bound } = value;
  if (value.verdict !== 'holds' || value.counterexample !== 'none' || !('strategy' in bound)) {
    return { ...value, reach };
  }
  const missed = notReached(reach);
  if (missed !== 'none') {
    return { ...value, verdict: 'unknown', bound: { ...bound, ...missed }, reach };
  }
  const named = missedOf(reach);
  const facts: Pick<Searched, 'missed'> = named.length === 0 ? {} : { missed: named };
  return { ...value, bound: { ...bound, ...facts }, reach };
}
