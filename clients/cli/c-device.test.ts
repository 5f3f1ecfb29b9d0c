/**
 * clients/c/mmrace_mirror.c against the real server, in the place of a ready-made device that has no private memory:
 * the seed race on both kernels, a lost connection, a fence, the scheduler. Skipped, and says so, where no compiler or
 * one of its libraries is.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import WebSocket, { WebSocketServer } from 'ws';
import type { ServerConfig } from '../../server/app/config.ts';
import type { ClientSpec } from './client-processes.ts';
import { isAsExpected, runSeedRace, SEED_PATCH } from './demo/seed-race.ts';
import { ended, healthy, inLab, type Stage } from './foreign-device.fixture.ts';

const SOURCE = fileURLToPath(new URL('../c/mmrace_mirror.c', import.meta.url));
const MMRACE = fileURLToPath(new URL('mmrace.js', import.meta.url));
const LIBRARIES = ['-lwebsockets', '-lcjson'];
const MISSING =
  'a C compiler, libwebsockets or cJSON is not here: ' +
  '"sudo apt-get install gcc libc6-dev libwebsockets-dev libcjson-dev" installs them';

const FOLDER = mkdtempSync(join(tmpdir(), 'mmrace-c-'));
after(() => rmSync(FOLDER, { recursive: true }));

const PROGRAM = hasLibraries() ? compiled('mirror', readFileSync(SOURCE, 'utf8')) : 'missing';

function hasLibraries(): boolean {
  const program =
    '#include <cjson/cJSON.h>\n#include <libwebsockets.h>\nint main(void) { return 0; }\n';
  const args = ['-x', 'c', '-', '-o', join(FOLDER, 'trial'), ...LIBRARIES];
  return spawnSync('cc', args, { input: program }).status === 0;
}

/** As its first lines say; nothing of it is worth a warning. */
function compiled(name: string, source: string): string {
  const program = join(FOLDER, name);
  const args = ['-O1', '-Wall', '-Wextra', '-Werror', '-x', 'c', '-', '-o', program, ...LIBRARIES];
  const { status, stderr } = spawnSync('cc', args, { input: source, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return program;
}

/** A copy of the device in which `right` is `wrong`. */
function mutant(name: string, right: string, wrong: string): string {
  const honest = readFileSync(SOURCE, 'utf8');
  assert.ok(honest.includes(right));
  return compiled(name, honest.replace(right, wrong));
}

const LAB = 'c';
const PAGE = 0x100200;
const REGION = { address: '0x100200000', pages: 2 };
const RANGE = { first: PAGE, end: PAGE + 2 };
const CPU: ClientSpec = { role: 'cpu', name: 'cpu0' };
const DEV0: ClientSpec = { role: 'device', name: 'dev0' };

function device(name: string, program = PROGRAM): ClientSpec {
  return { role: 'device', name, program: [program] };
}

function inCLab(
  t: TestContext,
  clients: readonly ClientSpec[],
  play: (stage: Stage) => Promise<void>,
  config: Partial<ServerConfig> = {},
): Promise<void> {
  if (PROGRAM !== 'missing') return inLab(LAB, clients, play, config);
  t.skip(MISSING);
  return Promise.resolve();
}

test('the seed race, with the device in C as the one that reads, on both kernels', (t) =>
  inCLab(t, [CPU, DEV0, device('dev1')], async ({ live }) => {
    for (const patch of ['stock', SEED_PATCH]) {
      const verdict = await runSeedRace(live, { scenario: 'seed-zero-page', patch });
      assert.ok(isAsExpected(verdict), `${patch}: ${verdict.seen}`);
    }
  }));

test('its verbs do what those of the ready-made devices do, and nonsense is refused', (t) =>
  inCLab(t, [CPU, device('dev0'), { role: 'device', name: 'dev1' }], async ({ live }) => {
    await live.perform('cpu0', { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
    const values = ['0x2a', '0xffffffffffffffff'];
    const answers = new Map<string, readonly unknown[]>();
    for (const name of ['dev0', 'dev1']) {
      const write = await live.perform(name, { verb: 'write', range: RANGE, values });
      const read = await live.perform(name, { verb: 'read', range: RANGE });
      const fault = await live.perform(name, { verb: 'fault-write', range: RANGE });
      const { entries } = await live.perform(name, { verb: 'page-table' });
      const nowhere = { first: 1, end: 2 };
      const beyond = await live.perform(name, { verb: 'read', range: nowhere });
      const told = [write, read].map(({ faults, ...rest }) => rest);
      answers.set(name, [...told, fault, entries, beyond]);
    }
    assert.deepEqual(answers.get('dev0'), answers.get('dev1'));
    const loaded = await live.perform('cpu0', { verb: 'load-pages', ...REGION });
    assert.deepEqual(loaded, { values });
    for (const nonsense of [
      { verb: 'dance' },
      { verb: 'read', range: { first: '5', end: 6 } },
      { verb: 'read', range: { first: 5, end: 5 } },
      { verb: 'write', range: RANGE, values: ['0x1'] },
      { verb: 'write', range: RANGE, values: ['one', 2] },
    ]) {
      await assert.rejects(live.perform('dev0', nonsense), /EINVAL/);
    }
    healthy(live);
  }));

test('a connection that is lost in the middle of a fault is resumed, and nothing is lost or doubled', (t) =>
  inCLab(t, [CPU, device('dev0')], async ({ live, network }) => {
    await live.perform('cpu0', { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
    await live.hold('dev0', 'hmm_range_fault_unlocked');
    const values = ['0x1', '0x2'];
    const written = live.perform('dev0', { verb: 'write', range: RANGE, values });
    await live.untilHeld('dev0', 'hmm_range_fault_unlocked');
    const before = network.connections();
    network.cut();
    await live.go('dev0');
    assert.deepEqual(await written, { errno: 'OK', cpages: 2 });
    assert.ok(network.connections() > before);
    const loaded = await live.perform('cpu0', { verb: 'load-pages', ...REGION });
    assert.deepEqual(loaded, { values });
    healthy(live);
  }));

test('it goes where its lab is: to the address of `moved`, and to another server when its own is gone', (t) =>
  inCLab(t, [CPU], async ({ live, network }) => {
    const relay = await startRelay(`ws://127.0.0.1:${network.port}/ws`);
    const child = execFile(PROGRAM, [
      ...['--url', `${relay.url}/first`, '--lab', LAB, '--name', 'dev0'],
    ]);
    try {
      const state = () => live.lab.actorsSeen().find(({ name }) => name === 'dev0')?.state;
      // It knows of the other server when it asks for more than to be let in.
      await live.until(
        () => relay.passed() > 1,
        () => 'dev0 did not come in',
      );
      assert.deepEqual(relay.asked, ['/first', '/second']);
      const before = network.connections();
      relay.end();
      await live.until(
        () => network.connections() > before && state() === 'attached',
        () => 'dev0 did not go to the other server',
      );
      await live.perform('cpu0', { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
      assert.equal((await live.perform('dev0', { verb: 'read', range: RANGE })).errno, 'OK');
    } finally {
      child.kill('SIGKILL');
      relay.end();
    }
  }));

/** Stands before `real`: sends the first client on to another path, and names `real` as one that has the same labs. */
async function startRelay(real: string) {
  const relay = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(relay, 'listening');
  const url = `ws://127.0.0.1:${(relay.address() as AddressInfo).port}`;
  const asked: (string | undefined)[] = [];
  let passed = 0;
  relay.on('connection', (client, request) => {
    asked.push(request.url);
    if (asked.length === 1) {
      const data = { code: 'moved', errno: 'EAGAIN', address: `${url}/second` };
      const error = { code: -32_000, message: 'another server has it', data };
      client.on('message', () => {
        client.send(JSON.stringify({ jsonrpc: '2.0', seq: 1, id: 0, error }));
      });
      return;
    }
    const server = new WebSocket(real, 'mmrace.v1');
    const open = once(server, 'open');
    client.on('message', (data, isBinary) => {
      passed += 1;
      open.then(() => server.send(data, { binary: isBinary }));
    });
    server.on('message', (data, isBinary) => {
      const text = String(data);
      const named = text.replace('"result":{', `"result":{"others":["${real}"],`);
      client.send(text.includes('"epoch"') ? named : data, { binary: isBinary });
    });
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.on('close', () => server.terminate());
  });
  const end = () => {
    for (const client of relay.clients) client.terminate();
    relay.close();
  };
  return { url, asked, passed: () => passed, end };
}

test('a device that stood still is fenced, comes back, and mirrors again', (t) =>
  inCLab(
    t,
    [CPU, device('dev0')],
    async ({ live }) => {
      await live.perform('cpu0', { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
      await live.perform('dev0', { verb: 'write', range: RANGE, values: ['0x1', '0x2'] });
      live.signal('dev0', 'SIGSTOP');
      const zapped = { verb: 'madvise', address: REGION.address, pages: 1, advice: 'DONTNEED' };
      assert.deepEqual(await live.perform('cpu0', zapped), { errno: 'OK' });
      const state = () => live.lab.actorsSeen().find(({ name }) => name === 'dev0')?.state;
      assert.equal(state(), 'fenced');
      live.signal('dev0', 'SIGCONT');
      await live.until(
        () => state() === 'attached',
        () => 'dev0 did not come back',
      );
      const read = await live.perform('dev0', { verb: 'read', range: RANGE });
      assert.deepEqual(read.values, ['0x0', '0x2']);
      healthy(live);
    },
    { leaseMs: 300 },
  ));

test('a device in C that keeps what it is asked to drop is found', (t) => {
  if (PROGRAM === 'missing') {
    t.skip(MISSING);
    return;
  }
  const drops = '\tdrop(number(range, "first"), number(range, "end"));\n';
  const keeps = mutant('keeps', drops, '\t(void)range;\n');
  return inCLab(t, [CPU, device('dev0', keeps)], async ({ live }) => {
    await live.perform('cpu0', { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
    await live.perform('dev0', { verb: 'write', range: RANGE, values: ['0x1', '0x2'] });
    await live.perform('cpu0', { verb: 'munmap', ...REGION });
    await live.perform('dev0', { verb: 'read', range: RANGE });
    assert.throws(() => healthy(live), assert.AssertionError);
  });
});

test('the device in C holds under the scheduler, and not without its look at the sequence', async (t) => {
  if (PROGRAM === 'missing') {
    t.skip(MISSING);
    return;
  }
  const certify = async (program: string) => {
    const scenario = fileURLToPath(new URL('../../scenarios/retry-ignored.yaml', import.meta.url));
    const external = ['--external', 'dev0', '--run', program, '--port', '0'];
    return await ended(process.execPath, [MMRACE, 'certify', scenario, ...external]);
  };
  const honest = await certify(PROGRAM);
  assert.equal(honest.code, 0, honest.stderr);
  const look = ' || member(&walked, "seq")->valuedouble != device.seq';
  assert.equal((await certify(mutant('careless', look, ''))).code, 1);
});

test('no server, or a name that is taken: one sentence and exit code 69', (t) =>
  inCLab(t, [device('dev0')], async ({ network }) => {
    const args = (port: number) => [
      ...['--url', `ws://127.0.0.1:${port}/ws`, '--connect-seconds', '0'],
      ...['--lab', LAB, '--name', 'dev0'],
    ];
    // Port 1 of this machine: nobody listens there.
    const nobody = await ended(PROGRAM, args(1));
    assert.deepEqual(
      [nobody.code, nobody.stderr],
      [69, 'mmrace_mirror: no server answers at ws://127.0.0.1:1/ws\n'],
    );
    const taken = await ended(PROGRAM, args(network.port));
    assert.equal(taken.code, 69);
    assert.match(taken.stderr, /^mmrace_mirror: hello: EEXIST: params.name: .*\n$/);
  }));
