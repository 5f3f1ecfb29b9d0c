/** A question as plain text: all that a plan is made from, so that it can be asked again in another thread. */

import { DRIVERS } from '../../clients/drivers/catalogue/drivers.ts';
import type { DriverVariant } from '../../clients/drivers/interface/driver-variant.ts';
import { isKernelId, KERNEL_IDS, type KernelId } from '../abi/kernel-ids.ts';
import { namesIn, STOCK_NAME } from '../patches/joint-name.ts';
import type { Patch } from '../patches/patch.ts';
import { PATCHES } from '../patches/patches.ts';
import { BadInput } from '../vocabulary/bad-input.ts';
import { suggestion } from '../vocabulary/nearest-word.ts';
import type { Parameters } from './instances.ts';
import { readScenario } from './read-scenario.ts';
import { BadChoice, planScenario, type ScenarioPlan } from './scenario-plan.ts';
import type { Scenario } from './scenario-schema.ts';
import { loadDriver, loadPatch } from './user-code.ts';
import { printProblem } from './yaml-source.ts';

/** What a question changes of a scenario, in words. */
export interface AskedChoice {
  /** The kernel that the patch is applied to; absent: as the scenario says. */
  readonly kernel?: string;
  /** 'stock', the id of a patch that ships, or the absolute path of a file; several joined: see patch-set.ts. */
  readonly patch: string;
  /** `ACTOR=NAME`, `ACTOR=/FILE`, or the same without `ACTOR=` for all devices. */
  readonly drivers: readonly string[];
  readonly parameters: Parameters;
}

export interface ExploreRequest extends AskedChoice {
  /** How problems call the scenario. */
  readonly file: string;
  readonly text: string;
}

/** Throws: BadInput with all that is wrong, a line each. Loads and runs the user's own files. */
export async function planOf(asked: ExploreRequest): Promise<ScenarioPlan> {
  const scenario = scenarioOf(asked);
  try {
    return await planWith(scenario, asked);
  } catch (error) {
    if (!(error instanceof BadChoice)) throw error;
    throw new BadChoice(`${asked.file}: ${error.message}`, { cause: error });
  }
}

/** The same for a scenario that has been read. */
export async function planWith(scenario: Scenario, choice: AskedChoice): Promise<ScenarioPlan> {
  return planScenario(scenario, {
    ...kernelChosen(choice.kernel),
    patches: await patchesNamed(choice.patch),
    drivers: await driversNamed(choice.drivers),
    parameters: choice.parameters,
  });
}

/** Throws: BadInput with every problem of the text, a line each. */
export function scenarioOf({ text, file }: Pick<ExploreRequest, 'text' | 'file'>): Scenario {
  const read = readScenario(text, file);
  if (read.ok) return read.scenario;
  throw new BadInput(read.problems.map(printProblem).join('\n'));
}

/** Whether the user's own code runs. */
export function usesOwnCode({ patch, drivers }: AskedChoice): boolean {
  return isFile(patch) || drivers.some((driver) => isFile(nameIn(driver)));
}

/** Of a joint name: each the id of a patch that ships, or a file whose export `patch` is a Patch. Throws: BadInput. */
export async function patchesNamed(joint: string): Promise<readonly Patch[]> {
  const patches: Patch[] = [];
  for (const name of namesIn(joint)) patches.push(await patchNamed(name));
  return patches;
}

async function patchNamed(name: string): Promise<Patch> {
  const shipped = PATCHES.get(name);
  if (shipped !== undefined) return shipped;
  if (isFile(name)) return await loadPatch(name);
  throw unknown('patch', name, [STOCK_NAME, ...PATCHES.keys()]);
}

/** Nothing for a question that leaves it to the scenario. Throws: BadInput. */
export function kernelChosen(name: string | undefined): { readonly kernel?: KernelId } {
  if (name === undefined) return {};
  if (isKernelId(name)) return { kernel: name };
  const hint = suggestion(name, KERNEL_IDS) || `; there are ${KERNEL_IDS.join(', ')}`;
  throw new BadInput(`there is no kernel "${name}"${hint}`);
}

/** Throws: BadInput. */
export async function driversNamed(
  choices: readonly string[],
): Promise<ReadonlyMap<string, DriverVariant>> {
  const drivers = new Map<string, DriverVariant>();
  for (const choice of choices) drivers.set(actorIn(choice), await driverNamed(nameIn(choice)));
  return drivers;
}

/** One that ships, or a file's. Throws: BadInput. */
export async function driverNamed(name: string): Promise<DriverVariant> {
  const shipped = DRIVERS.get(name);
  if (shipped !== undefined) return shipped;
  if (isFile(name)) return await loadDriver(name);
  throw unknown('driver', name, [...DRIVERS.keys()]);
}

function actorIn(choice: string): string {
  const at = choice.indexOf('=');
  return at < 0 ? '*' : choice.slice(0, at);
}

function nameIn(choice: string): string {
  return choice.slice(choice.indexOf('=') + 1);
}

/** A path has a slash or an ending; a name has neither. */
export function isFile(name: string): boolean {
  return /[\\/]|\.[cm]?[tj]s$/.test(name);
}

/** `choice` with the path in it, if there is one, as `resolve` makes it. */
export function withPath(choice: string, resolve: (path: string) => string): string {
  const name = nameIn(choice);
  if (!isFile(name)) return choice;
  return `${choice.slice(0, choice.length - name.length)}${resolve(name)}`;
}

function unknown(what: 'patch' | 'driver', name: string, known: readonly string[]): BadInput {
  const hint = suggestion(name, known);
  const all = `${hint === '' ? '; known' : ' Known'} are ${known.join(', ')}`;
  const remedy = `a file of your own is given as ./${name}.ts`;
  return new BadInput(`there is no ${what} "${name}"${hint}${all}; ${remedy}`);
}
