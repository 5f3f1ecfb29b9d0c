/** From a schedule of the model to what threads of a guest are told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tryFewSwitches } from '../explorer/few-switches.ts';
import { PATCHES } from '../patches/patches.ts';
import { planScenario, type ScenarioPlan } from '../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../scenario/scenario-world.ts';
import { shippedScenario } from '../scenario/shipped-scenarios.ts';
import { NotReenactable } from './guest-ops.ts';
import { pointTable } from './points.ts';
import { checkCast, cuesOf, judge } from './re-enactment.ts';
import { heldWhere, threadSteps } from './thread-steps.ts';

function seed(patches: readonly string[]) {
  const scenario = shippedScenario('seed-zero-page');
  assert.ok(scenario !== 'none');
  return planScenario(scenario, {
    parameters: {},
    patches: patches.flatMap((id) => PATCHES.get(id) ?? []),
    drivers: new Map(),
    kernel: '6.12',
  });
}

/** A schedule that fails, with few switches. */
function failing(plan: ScenarioPlan): readonly number[] {
  const { found } = tryFewSwitches(() => newScenarioRun(plan), stepsMaxOf(plan), 1_000);
  assert.ok(found !== 'none');
  return found.choices;
}

test('a thread is held where the model switches away from it, and only at points that the kernel has', () => {
  const plan = seed(['remove-second-invalidate']);
  const table = pointTable('6.12');
  assert.ok(table !== 'none');
  const { steps, run } = threadSteps(plan, failing(plan));
  assert.ok(run.world.oracles.violations.length > 0);
  const cues = cuesOf(heldWhere(steps, (at) => table.points.has(at)));
  const held = cues.flatMap((cue) => (cue.cue === 'hold' ? [cue] : []));
  assert.ok(held.length > 0);
  for (const { at } of held) assert.ok(table.points.has(at), at);
  // Each begins and ends once, and goes on as often as it is held.
  for (const thread of [0, 1]) {
    const own = cues.filter((cue) => cue.thread === thread).map(({ cue }) => cue);
    assert.deepEqual([own[0], own.at(-1)], ['begin', 'finish']);
    const count = (word: string) => own.filter((cue) => cue === word).length;
    assert.equal(count('hold'), count('go on'));
  }
});

test('switches move only where steps commute: what happens is the same', () => {
  const plan = seed(['remove-second-invalidate']);
  const { steps } = threadSteps(plan, failing(plan));
  const moved = heldWhere(steps, (at) => at === 'migrate_vma_insert_page.ptl');
  assert.deepEqual(
    [0, 1].map((thread) => moved.filter((step) => step.thread === thread)),
    [0, 1].map((thread) => steps.filter((step) => step.thread === thread)),
  );
  // No place at all: nothing moves.
  assert.deepEqual(
    heldWhere(steps, () => false),
    steps,
  );
});

test('one after the other needs no hold', () => {
  const plan = seed([]);
  const { steps } = threadSteps(plan, []);
  assert.deepEqual(
    cuesOf(steps).map(({ cue, thread }) => `${cue} ${thread}`),
    ['begin 0', 'finish 0', 'begin 1', 'finish 1'],
  );
});

test('what the guest has no thread or device for is said by name', () => {
  const plan = seed([]);
  checkCast(plan);
  const [device] = plan.devices;
  assert.ok(device !== undefined);
  const many = { ...plan, devices: [device, device, device] };
  assert.throws(() => checkCast(many), NotReenactable);
});

test('what was not read is neither clean nor stale', () => {
  const seen = (value: bigint | string) => [
    { page: 'a', by: 'the CPU', written: 0x2bn, reads: [{ actor: 'dev0', value }] },
  ];
  assert.equal(judge(seen(0x2bn)), 'clean');
  assert.equal(judge(seen(0n)), 'stale');
  assert.deepEqual(judge(seen('EBUSY')), { unread: 'dev0 cannot read a: EBUSY' });
  assert.equal(judge([...seen('EBUSY'), ...seen(0n)]), 'stale');
  const unwritten = { page: 'a', by: 'the CPU', written: 'signal 11', reads: [] };
  assert.equal(judge([unwritten]), 'nothing');
  assert.equal(judge([]), 'nothing');
});
