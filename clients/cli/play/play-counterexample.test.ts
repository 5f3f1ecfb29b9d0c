import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PATCHES } from '../../../server/patches/patches.ts';
import { planScenario } from '../../../server/scenario/scenario-plan.ts';
import { shippedScenario } from '../../../server/scenario/shipped-scenarios.ts';
import { counterexampleOf } from '../../../server/verify/counterexample/counterexample-of.ts';
import { exploreScenario } from '../../../server/verify/explore/explore-scenario.ts';
import { DRIVERS } from '../../drivers/catalogue/drivers.ts';
import { executeAgain } from '../explore/replay-counterexample.ts';
import { UsageError } from '../failure.ts';
import { type LocalServer, startLocalServer } from '../local-server.ts';
import { type PlayableAgain, playCounterexample } from './play-counterexample.ts';

let server: LocalServer;

before(async () => {
  server = await startLocalServer({ port: 0, logLevel: 'silent', drainMs: 100 });
});

after(() => server.close());

async function found(name: string, patch: string, driver: string): Promise<PlayableAgain> {
  const scenario = shippedScenario(name);
  const [overrides, variant] = [PATCHES.get(patch), DRIVERS.get(driver)];
  assert.ok(scenario !== 'none' && variant !== undefined);
  const plan = planScenario(scenario, {
    patches: overrides === undefined ? [] : [overrides],
    drivers: new Map([['*', variant]]),
    parameters: {},
  });
  const verdict = exploreScenario(plan, {
    strategy: 'dpor',
    budgetExecutions: 10_000,
    budgetSeconds: 60,
    seed: 1,
    depth: 3,
    clock: () => 0,
    onProgress: () => undefined,
  });
  const drivers = { '*': { name: driver } };
  const names = { patch: { name: patch }, drivers, strategy: 'dpor', modelHash: '' };
  const counterexample = counterexampleOf(verdict, names);
  assert.ok(counterexample !== 'none');
  const again = await executeAgain({ kind: 'counterexample', counterexample, beside: '.' });
  assert.ok(again.plan !== 'a live moment');
  return { ...again, plan: again.plan };
}

async function played(again: PlayableAgain, lab = 'demo', patienceMs = 10_000) {
  const steps: string[] = [];
  const result = await playCounterexample(again, {
    target: { url: server.webSocketUrl, lab },
    patienceMs,
    onStep: (step, { pending }, where) => steps.push(`${step} ${pending.at} ${where}`),
    onEvent: () => undefined,
  });
  return { result, steps };
}

test('the seed race fails live, in the order of the lab', async () => {
  const again = await found('seed-zero-page', 'remove-second-invalidate', 'dmirror');
  const { result, steps } = await played(again);
  assert.equal(result.outcome, 'reproduced', JSON.stringify(result));
  assert.match(result.seen, /^OR1: reader0 maps 0x100200000 to frame zero/);
  const names = steps.map((step) => step.split(' ')[1]);
  assert.deepEqual(names, again.counterexample.steps);
  assert.ok(steps.some((step) => step.endsWith('dmirror_fault.install client reader0')));
  assert.ok(steps.some((step) => step.endsWith('hmm_range_fault.walk server')));
});

test('a faulty driver races another in a lab that is opened for it', async () => {
  const again = await found('hole-two-winners', 'stock', 'map-losers');
  const { result } = await played(again, 'two-winners');
  assert.equal(result.outcome, 'reproduced', JSON.stringify(result));
});

test('on another kernel than the promised one the order cannot be forced, and the step is named', async () => {
  const again = await found('seed-zero-page', 'remove-second-invalidate', 'dmirror');
  const { counterexample } = again;
  const onStock = { ...again, counterexample: { ...counterexample, patch: { name: 'stock' } } };
  const { result } = await played(onStock, 'demo', 1_500);
  assert.ok(result.outcome === 'not forced', JSON.stringify(result));
  assert.equal(counterexample.steps[result.step], 'anon_vma_prepare.anon_vma_lock');
  assert.match(result.why, /migrator0 \(migrate\) should come to anon_vma_prepare\.anon_vma_lock/);
});

test('a lab where a client has the name of an actor is not touched', async () => {
  const again = await found('seed-zero-page', 'remove-second-invalidate', 'dmirror');
  const { lab } = server.openLab('taken', { patch: 'stock' });
  const link = {
    respond: () => undefined,
    ask: () => 0,
    tell: () => undefined,
    refuse: () => undefined,
    close: () => undefined,
  };
  lab.attach('reader0', 'device', link as never);
  await assert.rejects(played(again, 'taken'), (error) => {
    assert.ok(error instanceof UsageError);
    return /has an actor called reader0/.test(error.message);
  });
  assert.equal(lab.config.patch, 'stock');
});
