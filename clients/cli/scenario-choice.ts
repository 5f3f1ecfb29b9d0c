/** What the command line says of a scenario: the file, patches, drivers and parameters, as a question and as a plan. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
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
  return { file, text: textOf(file), ...choiceFrom(options) };
}

function choiceFrom({ kernel, patch, driver, devices, migrators }: ChoiceOptions): AskedChoice {
  return {
    ...(kernel === undefined ? {} : { kernel }),
    patch: isFile(patch) ? resolve(patch) : patch,
    drivers: driver.map((choice) => withPath(choice, resolve)),
    parameters: {
      ...(devices === undefined ? {} : { devices }),
      ...(migrators === undefined ? {} : { migrators }),
    },
  };
}

/** Reads a scenario. Throws: BadInput with every problem, a line each. */
export function scenarioFrom(word: string): Scenario {
  const file = scenarioFile(word);
  return scenarioOf({ file, text: textOf(file) });
}

/** Throws: BadInput if something of it cannot be used. Loads the user's own files. */
export async function planFrom(scenario: Scenario, options: ChoiceOptions): Promise<ScenarioPlan> {
  const choice = choiceFrom(options);
  if (usesOwnCode(choice) === 'yes') await checked(scenario, choice);
  return await planWith(scenario, choice);
}

/** A loop without end in it would otherwise be one of this process. */
async function checked(scenario: Scenario, choice: AskedChoice): Promise<void> {
  const { checkInThread } = await import('../../server/verify/explore/workers/check-in-thread.ts');
  await checkInThread({ file: scenario.name, text: JSON.stringify(scenario), ...choice });
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
