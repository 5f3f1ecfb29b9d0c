/** What the command line says of a scenario: the file, patches, drivers and parameters, as a plan to run. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { suggestion } from '../../server/lab/scenario/nearest-word.ts';
import { readScenario } from '../../server/lab/scenario/read-scenario.ts';
import {
  BadChoice,
  planScenario,
  type ScenarioPlan,
} from '../../server/lab/scenario/scenario-plan.ts';
import type { Scenario } from '../../server/lab/scenario/scenario-schema.ts';
import { BadUserCode, loadDriver, loadPatch } from '../../server/lab/scenario/user-code.ts';
import type { Patch } from '../../server/patches/patch.ts';
import { PATCHES, STOCK_NAME } from '../../server/patches/patches.ts';
import type { DriverVariant } from '../drivers/faulty/driver-variant.ts';
import { DRIVERS } from '../drivers/faulty/drivers.ts';
import { UsageError } from './failure.ts';

/** Reads a scenario file. Throws: UsageError with every problem, a line each. */
export function scenarioFrom(file: string): Scenario {
  const read = readScenario(textOf(file), file);
  if (read.ok) return read.scenario;
  const lines = read.problems.map(
    (problem) => `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`,
  );
  throw new UsageError(lines.join('\n'));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${file}: cannot be read: ${why}`, { cause: error });
  }
}

/** 'stock', the id of a patch that ships, or a file whose export `patch` is a Patch. Throws: UsageError. */
export async function patchesFrom(name: string): Promise<readonly Patch[]> {
  if (name === STOCK_NAME) return [];
  const shipped = PATCHES.get(name);
  if (shipped !== undefined) return [shipped];
  if (!isFile(name)) {
    const known = [STOCK_NAME, ...PATCHES.keys()];
    throw new UsageError(
      `there is no patch "${name}"${suggestion(name, known)}: ${known.join(', ')}`,
    );
  }
  return [await ofUser(loadPatch(resolve(name)))];
}

/** `ACTOR=NAME`, `ACTOR=FILE`, or the same without `ACTOR=` for all devices. Throws: UsageError. */
export async function driversFrom(
  choices: readonly string[],
): Promise<ReadonlyMap<string, DriverVariant>> {
  const drivers = new Map<string, DriverVariant>();
  for (const choice of choices) {
    const at = choice.indexOf('=');
    const actor = at < 0 ? '*' : choice.slice(0, at);
    drivers.set(actor, await driverFrom(at < 0 ? choice : choice.slice(at + 1)));
  }
  return drivers;
}

async function driverFrom(name: string): Promise<DriverVariant> {
  const shipped = DRIVERS.get(name);
  if (shipped !== undefined) return shipped;
  if (!isFile(name)) {
    const known = [...DRIVERS.keys()];
    throw new UsageError(
      `there is no driver "${name}"${suggestion(name, known)}: ${known.join(', ')}`,
    );
  }
  return await ofUser(loadDriver(resolve(name)));
}

export function isFile(name: string): boolean {
  return name.includes('/') || name.endsWith('.ts') || name.endsWith('.js');
}

/** What is wrong with a user's file is the user's to mend. */
async function ofUser<T>(loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (error) {
    if (error instanceof BadUserCode) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

export interface ChoiceOptions {
  readonly patch: string;
  readonly driver: readonly string[];
  readonly devices?: number;
  readonly migrators?: number;
}

/** Throws: UsageError if the choice does not fit the scenario. */
export async function planFrom(scenario: Scenario, options: ChoiceOptions): Promise<ScenarioPlan> {
  const { devices, migrators } = options;
  const choice = {
    patches: await patchesFrom(options.patch),
    drivers: await driversFrom(options.driver),
    parameters: {
      ...(devices === undefined ? {} : { devices }),
      ...(migrators === undefined ? {} : { migrators }),
    },
  };
  try {
    return planScenario(scenario, choice);
  } catch (error) {
    if (error instanceof BadChoice) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
