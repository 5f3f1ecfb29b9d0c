/** Devices of other people under the scheduler: one that keeps the contract, and one for each way not to. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Certificate, type CertifyOptions, certify } from '../../../server/certify/certify.ts';
import { describeCertificateBound, describeFinding } from '../../../server/report/certificate.ts';
import { planFrom, scenarioFrom } from '../scenario-choice.ts';
import { openLabWire } from './lab-wire.ts';
import { type DeviceFlaw, startWsDevice } from './ws-device.fixture.ts';

const SCENARIO = fileURLToPath(new URL('../../../scenarios/retry-ignored.yaml', import.meta.url));
const NAME = 'dev0';

async function certified(
  flaw: DeviceFlaw,
  options: Partial<CertifyOptions> = {},
): Promise<Certificate> {
  const plan = await planFrom(scenarioFrom(SCENARIO), { patch: 'stock', driver: ['corrected'] });
  const wire = await openLabWire(NAME, { host: '127.0.0.1', port: 0 });
  const device = startWsDevice(wire.webSocketUrl, { lab: wire.lab, name: NAME, flaw });
  try {
    assert.equal(await wire.joined(10_000), 'joined');
    return await certify(plan, NAME, wire, {
      strategy: 'near',
      deviations: 1,
      budgetSchedules: 1_000,
      budgetSeconds: 60,
      seed: 1,
      depth: 3,
      answerMs: 5_000,
      quietMs: 20,
      clock: () => performance.now(),
      onProgress: () => undefined,
      goOn: () => 'go on',
      ...options,
    });
  } finally {
    device.close();
    await wire.close();
  }
}

/** What was found, without the frames. */
function found({ verdict, finding }: Certificate) {
  return finding === 'none'
    ? verdict
    : { verdict, kind: finding.reason.kind, frame: finding.frame };
}

test('[OR6] a device that keeps the contract holds over every order within the bound', async () => {
  const certificate = await certified('none');
  assert.deepEqual(found(certificate), 'holds');
  assert.match(
    describeCertificateBound(NAME, certificate.bound),
    /^every order that leaves first come, first served in at most 1 place/,
  );
  assert.ok(certificate.windowEntered > 0);
  // Twice each, and again where a busy machine was late.
  assert.ok(certificate.runs >= 2 * certificate.schedules);
});

test('[CR2] a device that maps without a look at its sequence is named, with the frame', async () => {
  const certificate = await certified('ignores-retry');
  const { finding } = certificate;
  assert.ok(finding !== 'none');
  assert.equal(certificate.verdict, 'broken');
  assert.equal(finding.reason.kind, 'contract');
  assert.match(
    describeFinding(NAME, finding.reason),
    /^CR2: dev0 mapped 0x100200000 .*\(at or after its frame \d+, mirror_changed\)$/,
  );
  assert.ok(finding.frame !== 'none');
  assert.match(finding.frame.came, /^mirror_changed /);
  assert.ok(finding.grants.includes('dev0 says mirror_changed'));
});

test('[CR6] a device that keeps its entry through an invalidation is named', async () => {
  const { finding } = await certified('keeps-entries');
  assert.ok(finding !== 'none');
  assert.match(describeFinding(NAME, finding.reason), /^CR6: dev0 returned from the invalidation/);
});

test('a device that does otherwise after the same grants is named: frame, what was expected, what came', async () => {
  const { verdict, finding } = await certified('moody');
  assert.ok(finding !== 'none');
  assert.equal(verdict, 'broken');
  assert.equal(finding.reason.kind, 'not deterministic');
  assert.ok(finding.frame !== 'none');
  const { n, expected, came } = finding.frame;
  // After its subscription it is asked to fault: what it asks then is its second or third frame.
  assert.ok(n === 2 || n === 3, String(n));
  assert.match(expected, /^hmm_range_fault_unlocked /);
  assert.match(came, /^hmm_range_fault_unlocked /);
  assert.notEqual(expected, came);
});

test('a device that says nothing is named as silent, and nobody hangs', async () => {
  const never = await certified('never-answers', { answerMs: 100 });
  assert.ok(never.finding !== 'none');
  assert.equal(never.finding.reason.kind, 'silent');
  assert.match(
    describeFinding(NAME, never.finding.reason),
    /^dev0 said nothing for \d+ ms after frame .* it owes an answer to perform/,
  );
  const reset = await certified('never-resets', { answerMs: 100 });
  assert.ok(reset.finding !== 'none');
  assert.match(
    describeFinding(NAME, reset.finding.reason),
    /^dev0 did not answer the reset within \d+ ms$/,
  );
});

test('a device that does not begin anew is named', async () => {
  const { finding } = await certified('knows-no-reset');
  assert.ok(finding !== 'none');
  assert.equal(finding.reason.kind, 'refused');
  assert.match(describeFinding(NAME, finding.reason), /^dev0 refused the reset/);
});

test('a device that leaves is named', async () => {
  const { finding } = await certified('leaves');
  assert.ok(finding !== 'none');
  assert.equal(finding.reason.kind, 'gone');
  assert.match(describeFinding(NAME, finding.reason), /^dev0 left after \d+ frames$/);
});

test('what the server refuses is named with the frame and the reason', async () => {
  const params = await certified('bad-params');
  assert.ok(params.finding !== 'none');
  assert.equal(params.finding.reason.kind, 'refused');
  assert.match(
    describeFinding(NAME, params.finding.reason),
    /^frame \d of dev0 was refused: bad-params: params\.invalidate_seq/,
  );
  const lock = await certified('asks-without-lock');
  assert.ok(lock.finding !== 'none');
  assert.match(
    describeFinding(NAME, lock.finding.reason),
    /^dev0: frame \d \(hmm_range_fault\) was refused: lock-not-held/,
  );
});

test('a device that knows fewer verbs is asked for the nearest one', async () => {
  const certificate = await certified('knows-read-only', { deviations: 0 });
  assert.equal(certificate.finding, 'none', JSON.stringify(certificate.finding));
});

test('random orders are the same for the same seed, and never more than unknown', async () => {
  const some = { strategy: 'random', budgetSchedules: 10, seed: 7 } as const;
  const [first, second] = [await certified('none', some), await certified('none', some)];
  assert.equal(first.verdict, 'unknown');
  assert.deepEqual(first.outcomes, second.outcomes);
  assert.equal(first.steps, second.steps);
  const pct = await certified('ignores-retry', { ...some, strategy: 'pct', budgetSchedules: 200 });
  assert.equal(pct.verdict, 'broken');
});

test('a race window that was never entered is unknown', async () => {
  const certificate = await certified('none', {
    strategy: 'near',
    deviations: 0,
    budgetSchedules: 1,
  });
  assert.equal(certificate.verdict, 'unknown');
  assert.equal(certificate.windowEntered, 0);
});
