/** From a counterexample to the plan that it is executed with: its scenario, and the user's own files that it names. */

import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { jointName, namesIn } from '../../../server/patches/joint-name.ts';
import {
  driversNamed,
  isFile,
  kernelChosen,
  patchesNamed,
} from '../../../server/scenario/explore-request.ts';
import { readScenario } from '../../../server/scenario/read-scenario.ts';
import {
  BadChoice,
  planScenario,
  type ScenarioPlan,
} from '../../../server/scenario/scenario-plan.ts';
import type { Scenario } from '../../../server/scenario/scenario-schema.ts';
import {
  shippedScenario,
  shippedScenarioNames,
} from '../../../server/scenario/shipped-scenarios.ts';
import {
  type CodeName,
  type Counterexample,
  kernelOf,
  scenarioHash,
  shortHash,
} from '../../../server/verify/counterexample/counterexample.ts';
import { suggestion } from '../../../server/vocabulary/nearest-word.ts';
import { UsageError } from '../failure.ts';

/** What a counterexample comes to here, and what is not as it was when it was found. */
export interface FoundPlan {
  readonly plan: ScenarioPlan;
  /** A sentence each; empty if scenario, patch and drivers are the same. */
  readonly changed: readonly string[];
}

/**
 * `beside` is the folder of the counterexample's file: the user's files are looked for from there, too.
 *
 * Throws: UsageError for what is not here.
 */
export async function planOfCounterexample(
  counterexample: Counterexample,
  beside: string,
): Promise<FoundPlan> {
  const changed: string[] = [];
  const scenario = scenarioOf(counterexample, changed);
  const patch = jointName(
    eachCode(counterexample.patch).map((one) => codeHere(one, beside, changed)),
  );
  const drivers = Object.entries(counterexample.drivers).map(
    ([actor, code]) => `${actor}=${codeHere(code, beside, changed)}`,
  );
  const choice = {
    ...kernelChosen(kernelOf(counterexample)),
    patches: await patchesNamed(patch),
    drivers: await driversNamed(drivers),
    parameters: counterexample.parameters,
  };
  try {
    return { plan: planScenario(scenario, choice), changed };
  } catch (error) {
    if (error instanceof BadChoice) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function scenarioOf({ scenario }: Counterexample, changed: string[]): Scenario {
  const { name, hash, data } = scenario;
  if (data !== undefined) {
    const read = readScenario(JSON.stringify(data), `the scenario ${name} of the counterexample`);
    if (read.ok) return read.scenario;
    throw new UsageError(`${read.problems[0]?.file}: ${read.problems[0]?.message}`);
  }
  const shipped = shippedScenario(name);
  if (shipped === 'none') {
    const hint = suggestion(name, shippedScenarioNames());
    throw new UsageError(`no scenario "${name}" ships with this mmrace${hint}`);
  }
  if (hash !== '' && hash !== scenarioHash(shipped)) {
    changed.push(`the scenario ${name} has changed since`);
  }
  return shipped;
}

/** The name of what ships; the path of a file as it is here. */
function codeHere({ name, hash }: CodeName, beside: string, changed: string[]): string {
  if (!isFile(name)) return name;
  const path = [resolve(name), resolve(beside, name)].find((one) => existsSync(one));
  if (path === undefined) {
    throw new UsageError(`${name}: is not here: the counterexample was found with this file`);
  }
  if (hash !== undefined && hash !== fileHash(path)) changed.push(`${name} has changed since`);
  return path;
}

const HASHES = '+';

/** Several patches are stored as one: their names joined, and the hashes of those that are files. */
function eachCode({ name, hash }: CodeName): CodeName[] {
  const hashes = hash?.split(HASHES) ?? [];
  return namesIn(name).map((one) => {
    const its = isFile(one) ? hashes.shift() : undefined;
    return its === undefined ? { name: one } : { name: one, hash: its };
  });
}

/** The patches of a joint name. */
export function patchesName(joint: string): CodeName {
  const hashes = namesIn(joint).flatMap((name) => codeName(name).hash ?? []);
  return hashes.length === 0 ? { name: joint } : { name: joint, hash: hashes.join(HASHES) };
}

/** How a counterexample names what the command line named: a file with the hash of what stands in it. */
export function codeName(name: string): CodeName {
  return isFile(name) ? { name, hash: fileHash(resolve(name)) } : { name };
}

function fileHash(path: string): string {
  return shortHash(readFileSync(path, 'utf8').replaceAll('\r\n', '\n')).slice(0, 8);
}

/** The folder of `file`, for planOfCounterexample(). */
export function folderOf(file: string): string {
  return dirname(resolve(file));
}
