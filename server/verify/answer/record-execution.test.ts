import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENTS_KEPT_MAX } from '../../machine/event-log.ts';
import { PATCHES } from '../../patches/patches.ts';
import { raceDiagram } from '../../report/diagram.ts';
import { planScenario, type ScenarioPlan } from '../../scenario/scenario-plan.ts';
import type { Scenario } from '../../scenario/scenario-schema.ts';
import { shippedScenario } from '../../scenario/shipped-scenarios.ts';
import { exploreScenario } from '../explore/explore-scenario.ts';
import { recordExecution } from './record-execution.ts';

const PAGES = 512;
/** Of pins: together they come close to the events that a log remembers. */
const ROUNDS = 3;

type SetupOp = NonNullable<Scenario['setup']>[number];

/** The seed race behind a setup that pins many pages, `last` of them in the end. */
function behindSetup(last: number): ScenarioPlan {
  const scenario = shippedScenario('seed-zero-page');
  assert.ok(scenario !== 'none');
  const pinned = (pages: number): SetupOp[] => [
    { actor: 'cpu0', do: 'pin', at: 'b', pages, id: 0, mode: 'get' },
    { actor: 'cpu0', do: 'unpin', id: 0 },
  ];
  const dropped: SetupOp = {
    actor: 'cpu0',
    do: 'madvise',
    at: 'b',
    pages: PAGES,
    advice: 'DONTNEED',
  };
  const rounds = Array.from({ length: ROUNDS }, () => [...pinned(PAGES), dropped]).flat();
  const b = {
    name: 'b',
    address: 0x200000000,
    pages: PAGES,
    prot: 'rw',
    kind: 'anon-private',
  } as const;
  const long: Scenario = {
    ...scenario,
    vmas: [...scenario.vmas, b],
    setup: [...rounds, ...pinned(last), ...(scenario.setup ?? [])],
  };
  const patch = PATCHES.get('remove-second-invalidate');
  assert.ok(patch !== undefined);
  return planScenario(long, { patches: [patch], drivers: new Map(), parameters: {} });
}

/** A schedule that shows the race. The setup has its end behind it, so the same is one for any of them. */
function raceIn(plan: ScenarioPlan): readonly number[] {
  const { counterexample } = exploreScenario(plan, {
    strategy: 'dpor',
    budgetExecutions: 1_000,
    budgetSeconds: 60,
    seed: 1,
    depth: 3,
    clock: () => 0,
    onProgress: () => undefined,
  });
  assert.ok(counterexample !== 'none');
  return counterexample.choices;
}

test('an execution is recorded in full, however much its setup has made the event log forget', () => {
  const choices = raceIn(behindSetup(1));
  const drawing = raceDiagram(recordExecution(behindSetup(1), choices).events);
  assert.match(drawing, /migrate_vma_setup/);
  const remembered: number[] = [];
  for (let last = 218; last < 228; last += 1) {
    const { setup, events, run } = recordExecution(behindSetup(last), choices);
    assert.equal(raceDiagram(events), drawing);
    const { kept, n } = run.world.log;
    assert.equal(setup.length + events.length, n);
    remembered.push(kept.length - EVENTS_KEPT_MAX);
  }
  // Some of these executions have seen the log cut at its front, and some have not.
  assert.ok(Math.min(...remembered) < 100 && Math.max(...remembered) > 900, String(remembered));
});
