/** What the command line says of a scenario: the file, patches, drivers and parameters, as a question and as a plan. */

import { existsSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { jointName, namesIn } from '../../server/patches/joint-name.ts';
import {
  type AskedChoice,
  type ExploreRequest,
  isFile,
  planWith,
  scenarioOf,
  usesOwnCode,
  withPath,
} from '../../server/scenario/explore-request.ts';
import type { ScenarioPlan } from '../../server/scenario/scenario-plan.ts';
import type { Scenario } from '../../server/scenario/scenario-schema.ts';
import {
  shippedScenarioFile,
  shippedScenarioNames,
} from '../../server/scenario/shipped-scenarios.ts';
import { countFromHere } from '../../server/verify/coverage/reached-code.ts';
import type { OwnCodeChecks } from '../../server/verify/explore/workers/check-in-thread.ts';
import { suggestion } from '../../server/vocabulary/nearest-word.ts';
import { UsageError } from './failure.ts';

export interface ChoiceOptions {
  /** Absent: as the scenario says. */
  readonly kernel?: string;
  readonly patch: string;
  readonly driver: readonly string[];
  readonly devices?: number;
  readonly migrators?: number;
}

/**
 * The file that a word of the command line means: a path, or the name of a scenario that ships.
 *
 * Throws: UsageError.
 */
export function scenarioFile(word: string): string {
  if (existsSync(word)) return word;
  const name = basename(word).replace(/\.ya?ml$/, '');
  const shipped = shippedScenarioFile(name);
  if (name === word && shipped !== 'none') return shipped;
  if (shipped !== 'none')
    throw new UsageError(`${word}: there is no such file; the scenario that ships is ${name}`);
  const hint =
    suggestion(name, shippedScenarioNames()) || '; mmrace scenarios lists those that ship';
  throw new UsageError(`${word}: there is no such file, and no such scenario ships${hint}`);
}

/** The question that `options` ask of a scenario. Nothing but the file's text has been read. */
export function askedFrom(word: string, options: ChoiceOptions): ExploreRequest {
  const file = scenarioFile(word);
  return { file, text: textOf(file), ...askedChoiceFrom(options) };
}

/** What `options` change of a scenario, in words. */
export function askedChoiceFrom({
  kernel,
  patch,
  driver,
  devices,
  migrators,
}: ChoiceOptions): AskedChoice {
  return {
    ...(kernel === undefined ? {} : { kernel }),
    patch: resolvedPatch(patch),
    drivers: driver.map((choice) => withPath(choice, resolve)),
    parameters: {
      ...(devices === undefined ? {} : { devices }),
      ...(migrators === undefined ? {} : { migrators }),
    },
  };
}

/** A joint name with the paths of files as they are here. */
export function resolvedPatch(joint: string): string {
  return jointName(namesIn(joint).map((name) => (isFile(name) ? resolve(name) : name)));
}

/** Reads a scenario. Throws: BadInput with every problem, a line each. */
export function scenarioFrom(word: string): Scenario {
  const file = scenarioFile(word);
  return scenarioOf({ file, text: textOf(file) });
}

/** Plans questions that may bring code of the user's own along. */
export interface Planner {
  /** Throws: BadInput if something of it cannot be used. Loads the user's own files. */
  planFrom(scenario: Scenario, options: ChoiceOptions): Promise<ScenarioPlan>;
  close(): Promise<void>;
}

/** Own code is tried in a thread first, one for all plans: a loop without end in it would hang this process. */
export function newPlanner(): Planner {
  let opened: Promise<OwnCodeChecks> | 'not yet' = 'not yet';
  return {
    async planFrom(scenario, options) {
      const choice = askedChoiceFrom(options);
      if (usesOwnCode(choice)) {
        if (opened === 'not yet') opened = openChecks();
        const checks = await opened;
        await checks.check({ file: scenario.name, text: JSON.stringify(scenario), ...choice });
        countFromHere();
      }
      return await planWith(scenario, choice);
    },
    async close() {
      if (opened !== 'not yet') await (await opened).close();
    },
  };
}

/** One plan. Throws: BadInput, as a Planner does. */
export async function planFrom(scenario: Scenario, options: ChoiceOptions): Promise<ScenarioPlan> {
  const planner = newPlanner();
  try {
    return await planner.planFrom(scenario, options);
  } finally {
    await planner.close();
  }
}

/** Most questions need no thread, and should not wait for its modules. */
async function openChecks(): Promise<OwnCodeChecks> {
  const { openOwnCodeChecks } = await import(
    '../../server/verify/explore/workers/check-in-thread.ts'
  );
  return await openOwnCodeChecks();
}

function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'it is a folder; name one of its files, or ask for all with mmrace test';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file}: cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}
