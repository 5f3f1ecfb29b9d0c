/** How the demo begins and ends as a process among others: what it suggests, signals, a port that is taken. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EXIT } from '../exit-codes.ts';
import { type Running, runMmrace, startMmrace } from '../run-mmrace.fixture.ts';

const JOINED = 'have joined over';
const SERVES_ON = 'Ctrl-C ends it.';

function started(t: TestContext, ...args: readonly string[]): Running {
  const running = startMmrace(...args);
  t.after(() => running.process.kill('SIGKILL'));
  return running;
}

/** The words behind `npx mmrace` of each suggestion, by command. */
function suggested(said: string): Map<string, string[]> {
  const commands = [...said.matchAll(/^ {2}npx mmrace (.*)$/gm)].map(([, words = '']) => words);
  return new Map(commands.map((words) => [words.split(' ')[0] ?? '', words.split(' ')]));
}

test('what the demo suggests works as printed; then Ctrl-C ends it and its guests', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mmrace-demo-'));
  t.after(() => rm(folder, { recursive: true }));
  const demo = started(t, 'demo', '--port', '0', '--record', folder);
  const said = await demo.says(SERVES_ON);
  const commands = suggested(said);
  assert.deepEqual([...commands.keys()], ['observe', 'device', 'demo', 'replay']);

  const observer = started(t, ...(commands.get('observe') ?? []));
  await observer.says('kernel stock 6.12, with ');
  const device = started(t, ...(commands.get('device') ?? []));
  const [url = ''] = /http:\S+(?=, with)/.exec(said) ?? [];
  while (!(await (await fetch(`${url}/api/labs`)).text()).includes('"gpu7"')) {
    assert.equal(device.process.exitCode, null);
  }
  const replayed = await runMmrace(...(commands.get('replay') ?? []));
  assert.equal(replayed.code, EXIT.OK, replayed.stderr);
  // As printed, but for the number of rounds.
  const again = (commands.get('demo') ?? []).map((word) => (word === '2000' ? '2' : word));
  assert.deepEqual(again, ['demo', '--port', '0', '--free', '2']);
  const { stdout } = await runMmrace(...again);
  assert.match(stdout, /^stock: holds$/m);

  demo.process.kill('SIGINT');
  assert.equal((await demo.ended).code, EXIT.INTERRUPTED);
  assert.equal((await device.ended).code, EXIT.OK);
  const { code, stdout: events } = await observer.ended;
  assert.equal(code, EXIT.OK);
  assert.match(events, /gpu7 +attaches as device$/m);
});

test('SIGTERM ends a demo that only serves as if it had been run with --once', async (t) => {
  const demo = started(t, 'demo', '--port', '0');
  await demo.says(SERVES_ON);
  demo.process.kill('SIGTERM');
  const { code, stderr } = await demo.ended;
  assert.equal(code, EXIT.OK);
  assert.ok(stderr.endsWith(`${SERVES_ON}\n`), stderr);
});

test('a demo that is ended before its verdicts has no answer', async (t) => {
  const demo = started(t, 'demo', '--once', '--port', '0', '--free', '100000000');
  await demo.says(JOINED);
  demo.process.kill('SIGTERM');
  const { code, stderr } = await demo.ended;
  assert.equal(code, EXIT.INTERRUPTED);
  assert.ok(stderr.endsWith('mmrace: interrupted before the answer was complete\n'), stderr);
});

test('clients do not outlive a demo that is killed', async (t) => {
  const demo = started(t, 'demo', '--port', '0', '--free', '100000000');
  await demo.says(JOINED);
  demo.process.kill('SIGKILL');
  // They hold its stderr: it closes when the last of them has ended.
  assert.equal((await demo.ended).code, null);
});

test('a port that is taken is one sentence and 64', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  for (const command of ['demo', 'serve']) {
    const { code, stdout, stderr } = await runMmrace(command, '--port', `${port}`);
    assert.equal(code, EXIT.USAGE);
    assert.equal(stdout, '');
    assert.match(stderr, /^mmrace: port \d+ of 127\.0\.0\.1 is in use: [^\n]*--port[^\n]*\n$/);
  }
});
