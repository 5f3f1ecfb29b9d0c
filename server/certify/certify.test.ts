/** What certify makes of time: a device that is late is no device that differs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeCertificateBound, describeFinding } from '../report/certificate.ts';
import { AS_WRITTEN, planScenario, type ScenarioChoice } from '../scenario/scenario-plan.ts';
import { shippedScenario } from '../scenario/shipped-scenarios.ts';
import { type Certificate, type CertifyOptions, certify } from './certify.ts';
import { type Answer, ScriptedWire, type WireScript } from './scripted-wire.fixture.ts';

const NAME = 'dev0';
const DONE: Answer = { ok: true, result: { errno: 'OK', value: 1 } };
const PUNCTUAL: WireScript = { answer: () => DONE, waiting: 'nothing', lateMs: 0 };

async function certified(
  script: Partial<WireScript>,
  more: Partial<CertifyOptions> = {},
  choice: ScenarioChoice = AS_WRITTEN,
): Promise<{ readonly certificate: Certificate; readonly ms: number }> {
  const scenario = shippedScenario('retry-ignored');
  assert.ok(scenario !== 'none');
  const wire = new ScriptedWire({ ...PUNCTUAL, ...script });
  const { condition: _, window: __, ...rest } = scenario;
  const certificate = await certify(planScenario(rest, choice), NAME, wire, {
    strategy: 'near',
    deviations: 0,
    budgetSchedules: 10,
    budgetSeconds: 60,
    seed: 1,
    depth: 3,
    answerMs: 100,
    quietMs: 20,
    clock: () => wire.now,
    onProgress: () => undefined,
    goOn: () => 'go on',
    ...more,
  });
  return { certificate, ms: wire.now };
}

/** Another answer in each run. */
const moody = (_method: string, _params: unknown, run: number): Answer => ({
  ok: true,
  result: { errno: 'OK', value: run },
});

test('a device that answers in time, or late on a busy machine, passes', async () => {
  assert.equal((await certified({})).certificate.verdict, 'holds');
  const { certificate } = await certified({ waiting: 'busy', lateMs: 300 });
  assert.equal(certificate.verdict, 'holds', JSON.stringify(certificate.finding));
});

test('nothing is said of a patch whose function no schedule calls', async () => {
  const idle = {
    id: 'idle',
    provenance: 'a test',
    summary: 'a test',
    overrides: () => ({
      *movePageTables(): Generator<never, never> {
        throw new Error('never');
      },
    }),
  };
  const { certificate } = await certified({}, {}, { ...AS_WRITTEN, patches: [idle] });
  assert.equal(certificate.verdict, 'unknown');
  assert.match(
    describeCertificateBound(NAME, certificate.bound),
    /^movePageTables, which idle overrides, runs in none of \d+ schedule/,
  );
});

test('a slow device is waited for before it is called silent', async () => {
  const slow = await certified({ lateMs: 400 });
  assert.equal(slow.certificate.verdict, 'holds', JSON.stringify(slow.certificate.finding));
});

test('what differs is broken where the device had its time, and unknown on a busy machine', async () => {
  const sure = (await certified({ answer: moody })).certificate;
  assert.ok(sure.finding !== 'none');
  assert.deepEqual([sure.verdict, sure.finding.reason.kind], ['broken', 'not deterministic']);
  const busy = (await certified({ answer: moody, waiting: 'busy', lateMs: 150 })).certificate;
  assert.deepEqual([busy.verdict, busy.finding], ['unknown', 'none']);
  assert.match(
    describeCertificateBound(NAME, busy.bound),
    /^the machine is busy, .*is not determin/,
  );
});

test('silence is broken where the device had its time, and unknown on a busy machine', async () => {
  const never = (): Answer => 'none';
  const sure = (await certified({ answer: never })).certificate;
  assert.ok(sure.finding !== 'none');
  assert.match(describeFinding(NAME, sure.finding.reason), /^dev0 said nothing for 500 ms/);
  const busy = (await certified({ answer: never, waiting: 'busy' })).certificate;
  assert.equal(busy.verdict, 'unknown');
  assert.equal(busy.bound.kind, 'busy');
});

test('verbs that a device does not know are unknown, with their names', async () => {
  const answer = (method: string): Answer =>
    method === 'perform' ? { ok: false, errno: 'EINVAL' } : DONE;
  const { certificate } = await certified({ answer });
  assert.equal(certificate.verdict, 'unknown');
  assert.deepEqual(certificate.bound, {
    kind: 'unknown verbs',
    verbs: ['fault-read'],
    schedules: 1,
  });
});

test('a budget ends in the middle of a schedule', async () => {
  const { certificate, ms } = await certified(
    { answer: () => 'none', waiting: 'busy' },
    { budgetSeconds: 1, answerMs: 60_000 },
  );
  assert.equal(certificate.verdict, 'unknown');
  assert.equal(certificate.bound.kind, 'stopped');
  assert.ok(ms <= 1_000, String(ms));
});
