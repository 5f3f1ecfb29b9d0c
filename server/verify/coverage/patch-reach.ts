/** Whether a search has run what its patches change: what was not run is not said to be safe. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STOCK } from '../../kernel/stock.ts';
import type { Patch } from '../../patches/patch.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { type DifferingLines, differingLines } from './differing-lines.ts';
import { type CountedScript, reachedBy } from './reached-code.ts';
import { type OverridesSeen, watchOverrides } from './watch-overrides.ts';

/** What ran of one patch in all executions of a search. */
export interface PatchReach {
  /** The id of the patch. */
  readonly patch: string;
  /** Kernel functions that it overrides, by their names in KernelFunctions. */
  readonly overridden: readonly string[];
  /** Those of them that were called. */
  readonly called: readonly string[];
  /** Lines of its file that the stock kernel does not have; absent where the file is not known. */
  readonly lines?: DifferingLines;
}

export interface Reach {
  /** Functions of the kernel that ran, by their names in KernelFunctions, sorted. */
  readonly functions: readonly string[];
  readonly patches: readonly PatchReach[];
}

/** Searches with `search`. Returns: its answer, with what ran. */
export function withReach<T>(
  plan: ScenarioPlan,
  search: (watched: ScenarioPlan) => T,
): { readonly value: T; readonly reach: Reach } {
  const seen = new Map<Patch, OverridesSeen>();
  const patches = plan.choice.patches.map((patch) => {
    const one = { overridden: new Set<string>(), called: new Set<string>() };
    seen.set(patch, one);
    return watchOverrides(patch, one);
  });
  const watched = { ...plan, choice: { ...plan.choice, patches } };
  const detail = patches.length === 0 ? 'functions' : 'lines';
  const { value, scripts } = reachedBy(detail, () => search(watched));
  const called = new Set([...seen.values()].flatMap((one) => [...one.called]));
  return {
    value,
    reach: {
      functions: kernelFunctions(scripts, called),
      patches: [...seen]
        .filter(([, { overridden }]) => overridden.size > 0)
        .map(([patch, one]) => reachOf(patch, one, scripts)),
    },
  };
}

function kernelFunctions(
  scripts: readonly CountedScript[],
  overridesCalled: ReadonlySet<string>,
): string[] {
  const ran = new Set(
    scripts
      .filter(({ url }) => url.includes('/server/kernel/'))
      .flatMap(({ functions }) => functions)
      .filter(({ ranges: [whole] }) => (whole?.count ?? 0) > 0)
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
  const script = scripts.find(({ url }) => isSourceOf(url, patch));
  return {
    patch: patch.id,
    overridden: [...overridden].sort(),
    called: [...called].sort(),
    ...(script === undefined
      ? {}
      : { lines: differingLines(script, readFileSync(fileURLToPath(script.url), 'utf8')) }),
  };
}

function isSourceOf(url: string, { id, file }: Patch): boolean {
  if (!url.startsWith('file:')) return false;
  const path = fileURLToPath(url);
  if (file !== undefined) return path === file;
  return path.includes('/server/patches/') && /^(.*)\.[jt]s$/.exec(basename(path))?.[1] === id;
}

/** The first patch of which something that it changes has not run, or 'none'. */
export function patchNotReached({ patches }: Reach): PatchReach | 'none' {
  const missed = patches.find(
    ({ called, lines }) => called.length === 0 || (lines?.missed ?? []).length > 0,
  );
  return missed ?? 'none';
}
