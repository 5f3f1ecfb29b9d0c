/** What explorers are told of steps is complete: in what ships, and in programs that use the rest of the kernel. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Chooser, runWith } from '../../explorer/replay.ts';
import { expectationsOf } from '../../scenario/expectations.ts';
import { readScenario } from '../../scenario/read-scenario.ts';
import { planScenario, type ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, type ScenarioRun } from '../../scenario/scenario-world.ts';
import type { RunningTask } from '../../scheduler/scheduler.ts';
import type { Touch } from '../../task/context.ts';
import { type ObjectName, objectName } from '../../task/object-id.ts';
import { AUDITED } from './audited-scenarios.fixture.ts';
import { clashesBehind } from './swapped-steps.fixture.ts';
import { unreportedChanges } from './unreported-changes.fixture.ts';

const FOLDER = fileURLToPath(new URL('../../../scenarios/', import.meta.url));
const STEPS_MAX = 1_500;
/** Every so many steps of a schedule all pairs of steps are tried in both orders. */
const PAIRS_EVERY = 11;
const SEEDS = [1, 2, 3];

type NewRun = () => ScenarioRun;

function planned(text: string, source: string): ScenarioPlan[] {
  const read = readScenario(text, source);
  assert.ok(read.ok, source);
  return expectationsOf(read.scenario).map(({ choice }) => planScenario(read.scenario, choice));
}

const SHIPPED = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => planned(readFileSync(`${FOLDER}${name}`, 'utf8'), name));
const OTHERS = AUDITED.map((text) => planned(text, 'audited'));

/** Schedules that stay with a task mostly, so that they get deep and switch anywhere. */
function wandering(seed: number): Chooser {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  const chance = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  let last = 0;
  return (ready) => {
    const same = ready.find((task) => task.identity.id === last);
    const chosen =
      same !== undefined && chance() < 0.7
        ? same
        : (ready[Math.floor(chance() * ready.length)] as RunningTask);
    last = chosen.identity.id;
    return chosen;
  };
}

function clashesOf(newRun: NewRun, seed: number, every = PAIRS_EVERY): string[] {
  const choices = runWith(newRun, wandering(seed), STEPS_MAX).steps.map((step) => step.task);
  const found: string[] = [];
  for (let at = seed % every; at < choices.length; at += every) {
    for (const { steps, difference } of clashesBehind(newRun, choices.slice(0, at), STEPS_MAX)) {
      found.push(`${steps}: ${difference}`);
    }
  }
  return found;
}

function holesOf(newRun: NewRun, seed: number): string[] {
  return [...unreportedChanges(newRun(), wandering(seed), STEPS_MAX)];
}

function audited(
  plans: readonly ScenarioPlan[],
  audit: (newRun: NewRun, seed: number) => string[],
  heard: (object: ObjectName) => boolean = () => true,
): string[] {
  return plans.flatMap((plan) =>
    SEEDS.flatMap((seed) => audit(() => hearing(newScenarioRun(plan), heard), seed)),
  );
}

/** A world whose explorer is told only of the objects that `heard` is true of. */
function hearing(run: ScenarioRun, heard: (object: ObjectName) => boolean): ScenarioRun {
  let footprint: Touch[] | 'off' = 'off';
  Object.defineProperty(run.world.context, 'footprint', {
    get: () => footprint,
    set(wanted: Touch[] | 'off') {
      footprint = wanted;
      if (wanted === 'off') return;
      wanted.push = (...touches) => {
        const known = touches.filter(({ object }) => heard(objectName(object)));
        return Array.prototype.push.apply(wanted, known);
      };
    },
  });
  return run;
}

const EVERYTHING = [...SHIPPED.flat(), ...OTHERS.flat()];

test('no step changes what tasks share without telling', () => {
  assert.deepEqual(audited(EVERYTHING, holesOf), []);
});

test('steps that are said to commute do', () => {
  const plans = [...SHIPPED.flatMap((all) => all.slice(0, 1)), ...OTHERS.flat()];
  assert.deepEqual(audited(plans, clashesOf), []);
});

type Missed = (object: ObjectName) => boolean;

const UNTOLD: { readonly [what: string]: Missed } = {
  'page table entries': ({ kind }) => kind === 'pte',
  references: ({ kind, owner }) => kind === 'page' && owner === 0,
  'flags of pages': ({ kind, owner }) => kind === 'page' && owner > 2,
  TLBs: ({ kind }) => kind === 'tlb',
  'swap slots': ({ kind }) => kind === 'swap_slot',
  mappings: ({ kind }) => kind === 'mm',
  'open migrations': ({ kind }) => kind === 'device',
  'classic notifiers': ({ kind }) => kind === 'notifiers',
  'what oracles know': ({ kind }) => kind === 'user',
};

for (const [what, isMissed] of Object.entries(UNTOLD)) {
  test(`who does not tell of ${what} is caught by the changes`, () => {
    const holes = audited(OTHERS.flat(), holesOf, (object) => !isMissed(object));
    assert.ok(holes.length > 0);
  });
}

/** By the number of a scenario in AUDITED. */
const UNSAID: { readonly [what: string]: { readonly in: number; readonly missed: Missed } } = {
  'the subscriptions': { in: 4, missed: ({ kind }) => kind === 'subscriptions' },
  sequences: { in: 0, missed: ({ kind }) => kind === 'interval_sub' },
  'the allocator': { in: 4, missed: ({ kind }) => kind === 'allocator' },
};

for (const [what, { in: at, missed }] of Object.entries(UNSAID)) {
  test(`who does not tell of ${what} is caught by swapping steps`, () => {
    const plan = OTHERS[at]?.[0];
    assert.ok(plan !== undefined);
    const newRun = () => hearing(newScenarioRun(plan), (object) => !missed(object));
    assert.ok([1, 2, 3, 4, 5, 6].some((seed) => clashesOf(newRun, seed, 1).length > 0));
  });
}
