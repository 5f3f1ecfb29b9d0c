import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DRIVERS } from '../../../clients/drivers/catalogue/drivers.ts';
import { PATCHES } from '../../patches/patches.ts';
import { describeOutcome } from '../../report/describe-failure.ts';
import { planScenario } from '../../scenario/scenario-plan.ts';
import { shippedScenario } from '../../scenario/shipped-scenarios.ts';
import {
  type AbVerdict,
  abVerdict,
  abWord,
  failuresThatAppeared,
  isWorse,
  type Side,
} from './ab-verdict.ts';
import { claim, firstWorse, mailBlock, observation, shellLines } from './mail-block.ts';

const SEED = 'remove-second-invalidate';
const BUDGET = {
  executions: 10_000,
  seconds: 60,
  seed: 1,
  clock: () => 0,
  onProgress: () => undefined,
};

function side(scenario: string, kernel: string, driver?: string): Side {
  const shipped = shippedScenario(scenario);
  const patch = PATCHES.get(kernel);
  assert.ok(shipped !== 'none');
  const patches = patch === undefined ? [] : [patch];
  const chosen = driver === undefined ? undefined : DRIVERS.get(driver);
  const drivers = chosen === undefined ? new Map() : new Map([['*', chosen]]);
  return {
    kernel,
    patch: kernel,
    plan: planScenario(shipped, { patches, drivers, parameters: {} }),
  };
}

function asked(scenario: string, before: string, after: string, executions = 10_000): AbVerdict {
  return abVerdict(side(scenario, before), side(scenario, after), { ...BUDGET, executions });
}

test('failures appear with the patch, nothing appears without', () => {
  const broken = asked('seed-zero-page', 'stock', SEED);
  assert.equal(broken.changes.complete, true);
  assert.deepEqual(broken.changes.vanished, []);
  assert.equal(broken.changes.appeared.length, 2);
  for (const { outcome } of broken.changes.appeared) {
    assert.match(describeOutcome(outcome), /^OR1: reader0 maps/);
  }
  const same = asked('seed-zero-page', 'stock', 'stock');
  assert.deepEqual([same.changes.appeared, same.changes.vanished], [[], []]);
  assert.deepEqual(
    [abWord([broken]), abWord([same]), abWord([same, broken])],
    ['broken', 'holds', 'broken'],
  );
});

test('a window whose events make no difference to each other is looked for with few switches', () => {
  const alike = asked('device-fault-livelock', 'stock', 'stock');
  assert.equal(alike.after.verdict.verdict, 'holds');
  assert.equal(isWorse(alike), 'no');
});

test('a race that the driver has itself does not hide what the kernel does wrong', () => {
  const racy = 'skip-retry';
  const [stock, patched] = [
    side('seed-zero-page', 'stock', racy),
    side('seed-zero-page', SEED, racy),
  ];
  const worse = abVerdict(stock, patched, BUDGET);
  assert.deepEqual(
    [worse.before.verdict.verdict, worse.after.verdict.verdict],
    ['broken', 'broken'],
  );
  assert.equal(isWorse(worse), 'yes');
  assert.match(claim([worse], worse), /driver skip-retry, .* can fail as it could not with stock/);
  for (const { executions, failed } of worse.changes.appeared) {
    assert.ok(failed === 'later' || executions <= worse.after.verdict.failures);
  }
  const same = abVerdict(patched, patched, BUDGET);
  assert.equal(isWorse(same), 'no');
  assert.deepEqual([abWord([same]), abWord([same], 'broken')], ['holds', 'broken']);
});

test('the reply is about what changed, with a failure that appeared', () => {
  const same = asked('seed-zero-page', SEED, SEED);
  const worse = asked('seed-empty-entry', 'stock', SEED);
  assert.equal(firstWorse([same, worse]), worse);
  const { counterexample } = worse.after.verdict;
  const [first] = failuresThatAppeared(worse);
  assert.ok(counterexample !== 'none' && first !== undefined);
  assert.deepEqual(counterexample.failure, first.outcome.failure);
});

test('one search has one number of executions; that a second was made is said', () => {
  const whole = asked('seed-zero-page', 'stock', SEED);
  for (const { verdict, outcomes } of [whole.before, whole.after]) {
    assert.ok(outcomes !== 'not searched');
    assert.equal(verdict.executions, outcomes.covered.executions);
    assert.ok(verdict.windowEntered > 0);
  }
  const cut = asked('seed-zero-page', 'stock', 'stock', 8);
  assert.match(
    mailBlock({ verdicts: [cut], diagram: 'none', reproduce: 'x' }),
    /so it was asked\s+alone|ended after 8/,
  );
});

test('a patch that did not run is unknown, though everything was searched', () => {
  const idle = asked('seed-zero-page', 'stock', 'swapin-without-claim');
  assert.equal(idle.after.verdict.bound.kind, 'patch not reached');
  assert.deepEqual([isWorse(idle), abWord([idle])], ['unknown', 'unknown']);
});

test('what a patch cures vanishes, and the patch holds', () => {
  const cured = asked('seed-zero-page', SEED, 'stock');
  assert.equal(cured.changes.appeared.length, 0);
  assert.ok(cured.changes.vanished.every(({ outcome }) => outcome.failure !== 'none'));
  assert.equal(abWord([cured]), 'holds');
});

test('a search that its budget ended never claims that it saw everything', () => {
  const cut = asked('seed-zero-page', 'stock', 'stock', 8);
  assert.equal(cut.changes.complete, false);
  assert.equal(abWord([cut]), 'unknown');
  assert.match(observation('seed-zero-page', cut.after), /Unknown 0 /);
});

test('a reply has claim, bound, picture, observation and the way to see it again', () => {
  const verdicts = [asked('seed-zero-page', 'stock', SEED), asked('retry-ignored', 'stock', SEED)];
  const token = `mmr1.${'x'.repeat(300)}`;
  const text = mailBlock({
    verdicts,
    diagram: 'A\n-\n1. b',
    reproduce: `npx mmrace replay ${token}`,
  });
  assert.match(
    text,
    /^Claim: with remove-second-invalidate, seed-zero-page can fail, which it\ncannot with stock/,
  );
  assert.match(text, /^Bound: seed-zero-page: stock: holds, every interleaving in \d+ executions/m);
  assert.match(text, /^Observation seed-zero-page Sometimes \d+ \d+$/m);
  assert.match(text, /^Observation retry-ignored Never 0 \d+$/m);
  for (const line of text.split('\n')) assert.ok(line.length <= 75, line);
  const [, command = ''] = text.split('Reproduce:\n');
  assert.equal(command.replaceAll('\\\n', '').trim(), `npx mmrace replay ${token}`);
});

test('whatever is broken into lines for a shell comes together again', () => {
  const word = fc.stringMatching(/^[a-z0-9./=-]{1,200}$/);
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 12 }), (words) => {
      const lines = shellLines(words.join(' '));
      for (const line of lines) assert.ok(line.length <= 75);
      assert.equal(lines.join('\n').replaceAll('\\\n', ''), words.join(' '));
    }),
    { seed: 1, numRuns: 200 },
  );
});
