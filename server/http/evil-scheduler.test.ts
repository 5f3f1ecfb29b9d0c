/** The seed race, played by hand over HTTP with real devices: whoever steps a lab can lead it into any race. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as passing } from 'node:timers/promises';
import { startDevice } from '../../clients/agents/device-agent.ts';
import type { Event } from '../abi/event.ts';
import { parseJournal } from '../journal/read-journal.ts';
import { journalRecorder } from '../journal/recorder.ts';
import { replay } from '../journal/replay.ts';
import { newLiveMachine } from '../live/new-live-machine.ts';
import type { LabDetail } from '../protocol/http-api.ts';
import { startHttp } from './http.fixture.ts';

const MODEL = { hash: 'abc', version: '0' };
const PAGE = 0x100200;
/** Far more than it takes: a busy machine is no failure. */
const PATIENCE_MS = 60_000;

/** What went wrong in the race under `patch`, and the recording of the lab. */
async function played(
  t: TestContext,
  patch: string,
): Promise<{ violations: string[]; lines: string[] }> {
  const lines: string[] = [];
  const http = await startHttp({
    record: (lab, config) =>
      journalRecorder((line) => lines.push(line), {
        format: 'mmrace-journal',
        version: 2,
        model: MODEL,
        lab,
        config,
      }),
  });
  t.after(() => http.close());
  await http.post('/api/labs', { name: 'room', scenario: 'seed-zero-page', patch });
  const devices = ['migrator0', 'reader0'].map((name) =>
    startDevice({
      url: http.gateway.url,
      lab: 'room',
      name,
      connectMs: 0,
      say: (text: string) => assert.fail(text),
    }),
  );
  await Promise.all(devices.map(({ greeted }) => greeted));
  const control = (body: object) => http.post('/api/labs/room/control', body);
  const perform = (actor: string, verb: string) =>
    control({ action: 'perform', actor, verb: { verb, range: { first: PAGE, end: PAGE + 1 } } });
  const seen = async (): Promise<LabDetail> => (await http.get('/api/labs/room')).body;
  /** Steps the actor alone, until `good`. Clients answer in their own time. */
  const stepUntil = async (actor: string, good: (lab: LabDetail) => boolean) => {
    const until = performance.now() + PATIENCE_MS;
    while (performance.now() < until) {
      const lab = await seen();
      if (good(lab)) return;
      const next = lab.tasks.find((task) => task.ready && task.actor === actor);
      if (next === undefined) await passing(1);
      else await control({ action: 'step', task: next.id });
    }
    assert.fail(`${actor} does not get there`);
  };
  await control({ action: 'pause' });
  // 1. One device is through migrate_vma_setup(), whose bracket has ended, and about to replace the entry.
  const migrated = perform('migrator0', 'migrate-to-dev');
  const about = ({ tasks }: LabDetail) => tasks.some(({ name }) => name === 'migrate_vma_pages');
  await stepUntil('migrator0', about);
  // 2. The other one maps the zero page.
  const read = perform('reader0', 'fault-read');
  const lab = http.gateway.labs.get('room');
  assert.ok(lab !== 'none');
  const maps = () => lab.snapshot().mirrors.some(({ device }) => device === 'reader0');
  await stepUntil('reader0', maps);
  // 3. Everybody goes on.
  await control({ action: 'resume' });
  assert.equal((await migrated).body.performed.errno, 'OK');
  assert.equal((await read).body.performed.errno, 'OK');
  const events = lab.eventsAfter(0);
  assert.ok(events !== 'too-old');
  for (const device of devices) device.close();
  lab.close('going');
  return { violations: events.flatMap(violationRule), lines };
}

function violationRule(event: Event): string[] {
  return event.kind === 'violation' ? [event.rule] : [];
}

for (const [patch, broken] of [
  ['stock', []],
  ['remove-second-invalidate', ['OR1']],
] as const) {
  test(`a hand that lets the reader in between: ${patch}`, async (t) => {
    const { violations, lines } = await played(t, patch);
    for (const rule of broken) assert.ok(violations.includes(rule), violations.join());
    if (broken.length === 0) assert.deepEqual(violations, []);
    const journal = parseJournal(lines.join(''), 'room.jsonl');
    assert.ok(journal.entries.some(({ inbound }) => inbound.kind === 'step'));
    const again = replay(journal, {
      newMachine: newLiveMachine,
      model: MODEL,
      onEvent: () => undefined,
    });
    assert.equal(again.outcome, 'identical');
  });
}
