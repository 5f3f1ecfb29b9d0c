/** A scenario with its patches, drivers and parameters: all that is worked out once, before any world is built. */

import { DRIVERS } from '../../clients/drivers/catalogue/drivers.ts';
import type { DriverVariant } from '../../clients/drivers/interface/driver-variant.ts';
import { DEFAULT_KERNEL, type KernelId } from '../abi/kernel-ids.ts';
import type { KernelConfig } from '../kernel/kernel.ts';
import { ORACLES } from '../machine/oracles/all-oracles.ts';
import { jointName } from '../patches/joint-name.ts';
import type { Patch } from '../patches/patch.ts';
import { clashOf, patchesIn } from '../patches/patch-set.ts';
import type { PageIndex } from '../vocabulary/address.ts';
import { BadInput } from '../vocabulary/bad-input.ts';
import { type CompiledOp, compileOp } from './compile-op.ts';
import type { Condition } from './condition.ts';
import {
  countOf,
  type Instance,
  instancesOf,
  type Parameters,
  parametersOf,
  symmetricGroups,
} from './instances.ts';
import { childMilestone, type Milestone, THREAD_END } from './milestones.ts';
import { type Op, steersProgram } from './op-schema.ts';
import { parseCondition } from './parse-condition.ts';
import { firstPageOf, pageOfPlace } from './places.ts';
import { SCENARIO_ACTORS_MAX, type Scenario, type ScenarioVma } from './scenario-schema.ts';
import { parseWaitedFor } from './waited-for.ts';
import { type CompiledWindow, compileWindow } from './window.ts';

/** What a question may change of a scenario. */
export interface ScenarioChoice {
  /** The kernel that the patches are applied to; absent: as the scenario says. */
  readonly kernel?: KernelId;
  readonly patches: readonly Patch[];
  /** The driver of a device, by the device's name or its template's; '*' for all that are not named. */
  readonly drivers: ReadonlyMap<string, DriverVariant>;
  readonly parameters: Parameters;
}

export const AS_WRITTEN: ScenarioChoice = { patches: [], drivers: new Map(), parameters: {} };

export interface PlannedOp {
  /** As the scenario says it. */
  readonly op: Op;
  readonly run: CompiledOp;
  /** `actor.name`, or 'none'. */
  readonly register: string | 'none';
}

export interface PlannedThread {
  readonly actor: string;
  readonly name: string;
  readonly ops: readonly PlannedOp[];
}

export interface PlannedDevice {
  readonly name: string;
  readonly driver: DriverVariant;
  readonly memoryPages: number;
  readonly pgmapOwner: string | undefined;
}

export type ConditionQuestion =
  | { readonly kind: 'none' }
  | { readonly kind: 'forbid' | 'exists'; readonly text: string; readonly condition: Condition };

export interface ScenarioPlan {
  /** Called for each world that is built: whoever supervises a search sees that it goes on. */
  readonly onNewWorld?: () => void;
  readonly scenario: Scenario;
  readonly choice: ScenarioChoice;
  readonly kernel: KernelId;
  readonly config: Partial<KernelConfig>;
  readonly files: NonNullable<NonNullable<Scenario['machine']>['files']>;
  readonly vmas: readonly ScenarioVma[];
  readonly instances: readonly Instance[];
  readonly devices: readonly PlannedDevice[];
  /** CPUs that a fork makes. */
  readonly children: ReadonlySet<string>;
  /** Groups of device names that can change places without anybody noticing. */
  readonly symmetric: readonly (readonly string[])[];
  readonly setup: readonly {
    readonly actor: string;
    readonly name: string;
    readonly op: Op;
    readonly run: CompiledOp;
  }[];
  readonly threads: readonly PlannedThread[];
  /** Names of registers, in the order of the file. */
  readonly registers: readonly string[];
  readonly window: CompiledWindow;
  readonly question: ConditionQuestion;
  readonly oracles: ReadonlySet<string>;
  readonly milestones: readonly Milestone[];
  /** Faults for one access that a thread takes before it lets others go first. */
  readonly faultsMax: number;
  /** Pages that end states speak of, with how they are called. */
  readonly pages: readonly { readonly name: string; readonly page: PageIndex }[];
}

/** The choice does not fit the scenario: a parameter it does not have, a device that is not there. */
export class BadChoice extends BadInput {
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'BadChoice';
  }
}

/** By a scenario that names none. */
const ORACLES_ASKED = ORACLES.filter(({ asked }) => asked === 'always').map(({ id }) => id);
/** More than any undisturbed access takes. */
const DEFAULT_FAULTS_MAX = 4;
/** Pages of one vma whose end states count as outcomes. */
const SHOWN_PAGES_MAX = 8;

/** Throws: BadChoice. `scenario` must come from readScenario(). */
export function planScenario(
  scenario: Scenario,
  choice: ScenarioChoice = AS_WRITTEN,
): ScenarioPlan {
  checkParameters(scenario, choice.parameters);
  const instances = instancesOf(scenario, parametersOf(scenario, choice.parameters));
  checkDrivers(choice, instances);
  const namesOf = (name: string): readonly string[] =>
    instances.filter((one) => one.name === name || one.template === name).map((one) => one.name);
  const threads = instances.flatMap((instance) => threadsOf(scenario, instance));
  return {
    scenario,
    choice: { ...choice, patches: patchesOf(scenario, choice) },
    kernel: choice.kernel ?? scenario.machine?.kernel ?? DEFAULT_KERNEL,
    config: configOf(scenario),
    files: scenario.machine?.files ?? [],
    vmas: scenario.vmas,
    instances,
    devices: instances
      .filter(({ kind }) => kind === 'device')
      .map((one) => planDevice(one, choice)),
    children: childrenOf(scenario, instances),
    symmetric: symmetricGroups(scenario, instances),
    setup: (scenario.setup ?? []).map((op) => ({
      actor: op.actor,
      name: op.do,
      op,
      run: compileOp(scenario, op),
    })),
    threads,
    registers: threads.flatMap(({ ops }) =>
      ops.flatMap(({ register }) => (register === 'none' ? [] : [register])),
    ),
    window: compileWindow(scenario.window ?? [], namesOf, (place) => pageOfPlace(scenario, place)),
    question: questionOf(scenario),
    oracles: new Set(scenario.oracles ?? ORACLES_ASKED),
    faultsMax: scenario.bounds?.faults ?? DEFAULT_FAULTS_MAX,
    milestones: milestonesOf(scenario, instances, namesOf),
    pages: scenario.vmas.flatMap(pagesOf),
  };
}

/** Those of the scenario's machine first, then the chosen ones. Throws: BadChoice where two override one function. */
function patchesOf({ machine }: Scenario, choice: ScenarioChoice): readonly Patch[] {
  const joint = jointName([machine?.patch ?? []].flat());
  const own = patchesIn(joint);
  if ('unknown' in own) throw new BadChoice(`machine.patch: there is no patch "${own.unknown}"`);
  const chosen = new Set(choice.patches.map(({ id }) => id));
  const patches = [...own.filter(({ id }) => !chosen.has(id)), ...choice.patches];
  const clash = clashOf(patches);
  if (clash !== 'none') throw new BadChoice(clash);
  return patches;
}

function configOf({ machine = {} }: Scenario): Partial<KernelConfig> {
  const { kernel: _, patch: _patch, files: __, ...config } = machine;
  return config;
}

function checkParameters(scenario: Scenario, given: Parameters): void {
  const known = Object.keys(scenario.parameters ?? {});
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const all = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`;
    throw new BadChoice(`${scenario.name} has no parameter "${name}": ${all}`);
  }
  const parameters = parametersOf(scenario, given);
  for (const actor of scenario.actors) {
    const count = countOf(actor.count, parameters);
    if (Number.isInteger(count) && count >= 0 && count <= SCENARIO_ACTORS_MAX) continue;
    throw new BadChoice(
      `the count of ${actor.name} (${actor.count}) comes to ${count}, expected 0 to ${SCENARIO_ACTORS_MAX}`,
    );
  }
}

function checkDrivers(choice: ScenarioChoice, instances: readonly Instance[]): void {
  const devices = instances.filter(({ kind }) => kind === 'device');
  for (const name of choice.drivers.keys()) {
    if (name === '*' || devices.some((one) => one.name === name || one.template === name)) continue;
    const known = devices.map((one) => one.name).join(', ') || 'none';
    throw new BadChoice(`there is no device "${name}"; devices are ${known}`);
  }
}

function planDevice(instance: Instance, choice: ScenarioChoice): PlannedDevice {
  const { name, template, memoryPages, pgmapOwner } = instance;
  const chosen =
    choice.drivers.get(name) ?? choice.drivers.get(template) ?? choice.drivers.get('*');
  const driver = chosen ?? DRIVERS.get(instance.driver);
  if (driver === undefined) throw new BadChoice(`there is no driver "${instance.driver}"`);
  return { name, driver, memoryPages, pgmapOwner };
}

function threadsOf(scenario: Scenario, instance: Instance): PlannedThread[] {
  return instance.threads.map((program) => ({
    actor: instance.name,
    name: program.find((op) => !steersProgram(op))?.do ?? 'program',
    ops: program.map((op) => ({
      op,
      run: compileOp(scenario, op),
      register: 'as' in op && op.as !== undefined ? `${instance.name}.${op.as}` : 'none',
    })),
  }));
}

function questionOf(scenario: Scenario): ConditionQuestion {
  const { condition } = scenario;
  if (condition === undefined) return { kind: 'none' };
  const kind = 'forbid' in condition ? 'forbid' : 'exists';
  const text = 'forbid' in condition ? condition.forbid : condition.exists;
  const parsed = parseCondition(text);
  if (!parsed.ok) throw new BadChoice(`condition: ${parsed.problem.message}`);
  return { kind, text, condition: parsed.condition };
}

function namesWaitedFor(op: Op): string[] {
  if (op.do === 'wait') return [op.for];
  return op.do === 'repeat' && op.until !== undefined ? [op.until] : [];
}

/** Some program goes round until another thread has come far enough: for ever, if that one never does. */
export function goesRound({ threads }: Pick<ScenarioPlan, 'threads'>): boolean {
  return threads.some(({ ops }) =>
    ops.some(({ op }) => op.do === 'repeat' && op.until !== undefined),
  );
}

/** Only what some operation waits for counts: an end that nothing waits for conflicts with nothing. */
function milestonesOf(
  scenario: Scenario,
  instances: readonly Instance[],
  instancesNamed: (name: string) => readonly string[],
): Milestone[] {
  const ops = [...(scenario.setup ?? []), ...instances.flatMap(({ threads }) => threads.flat())];
  const waitedFor = new Set(ops.flatMap(namesWaitedFor));
  const threadsOfInstance = (name: string): number =>
    instances.find((one) => one.name === name)?.threads.length ?? 0;
  const waits = [...waitedFor].map((name): Milestone => {
    const { actor, op } = parseWaitedFor(name);
    const times = new Map(
      instancesNamed(actor).map((one) => [one, op?.times ?? threadsOfInstance(one)]),
    );
    return { name, counts: op?.does ?? THREAD_END, times, by: [...times.keys()] };
  });
  const births = [...childrenOf(scenario, instances)].map((child) => {
    const forks = (op: Op): boolean => op.do === 'fork' && op.child === child;
    const parents = instances.filter(({ threads }) => threads.flat().some(forks));
    return childMilestone(
      child,
      parents.map(({ name }) => name),
    );
  });
  return [...waits, ...births];
}

function childrenOf(scenario: Scenario, instances: readonly Instance[]): Set<string> {
  const ops = [...(scenario.setup ?? []), ...instances.flatMap(({ threads }) => threads.flat())];
  return new Set(ops.flatMap((op) => (op.do === 'fork' ? [op.child] : [])));
}

function pagesOf(vma: ScenarioVma): { name: string; page: PageIndex }[] {
  const count = Math.min(vma.pages, SHOWN_PAGES_MAX);
  return Array.from({ length: count }, (_, at) => ({
    name: at === 0 ? vma.name : `${vma.name}+${at}`,
    page: (firstPageOf(vma) + at) as PageIndex,
  }));
}
