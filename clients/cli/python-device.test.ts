/**
 * clients/python/mmrace_device.py against the real server, in the place of a ready-made device: the seed race on both
 * kernels, recorded traces, a lost connection, a fence. Skipped, and says so, where Python or its websockets are not.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEFAULT_CONFIG, type ServerConfig } from '../../server/app/config.ts';
import { startServer } from '../../server/app/start-server.ts';
import { OwnRedis, WITHOUT_REDIS } from '../../server/cluster/redis-server.fixture.ts';
import { readTraces } from '../../server/conformance/traces/read-traces.ts';
import { runProgram } from '../../server/conformance/traces/run-program.ts';

import { machineOf } from '../../server/conformance/traces/trace-machine.ts';

import type { Lab } from '../../server/live/lab.ts';
import { DEVICE_VERBS } from '../agents/device-verbs.ts';
import type { ClientSpec } from './client-processes.ts';
import { isAsExpected, runSeedRace, SEED_PATCH, SEED_SCENARIOS } from './demo/seed-race.ts';
import { ended, healthy, inLab, type Stage } from './foreign-device.fixture.ts';
import { newLiveConformanceWorld } from './live-conformance-world.ts';

const PROGRAM = fileURLToPath(new URL('../python/mmrace_device.py', import.meta.url));
const MMRACE = fileURLToPath(new URL('mmrace.js', import.meta.url));
const SAMPLES = fileURLToPath(new URL('../../server/conformance/traces/samples', import.meta.url));

/** The first may be one without Debian's packages. */
const PYTHONS = ['python3', '/usr/bin/python3'] as const;
const found = PYTHONS.find((python) => runs(python, 'import websockets'));
const MISSING = PYTHONS.some((python) => runs(python, ''))
  ? 'no python3 here has websockets: "sudo apt-get install python3-websockets" installs it'
  : 'there is no python3: "sudo apt-get install python3-websockets" installs it';
const PYTHON = [found ?? 'python3', PROGRAM] as const;

function runs(python: string, program: string): boolean {
  return spawnSync(python, ['-c', program]).status === 0;
}

const CPU: ClientSpec = { role: 'cpu', name: 'cpu0' };

const LAB = 'python';
const PAGE = 0x100200;
const REGION = { address: '0x100200000', pages: 2 };
const RANGE = { first: PAGE, end: PAGE + 2 };
const DEVICE: ClientSpec = { role: 'device', name: 'dev0', program: PYTHON };

function inPythonLab(
  t: TestContext,
  clients: readonly ClientSpec[],
  play: (stage: Stage) => Promise<void>,
  config: Partial<ServerConfig> = {},
): Promise<void> {
  if (found !== undefined) return inLab(LAB, clients, play, config);
  t.skip(MISSING);
  return Promise.resolve();
}

for (const place of ['dev0', 'dev1'] as const) {
  test(`the seed race, with the device in Python as ${place}, on both kernels`, (t) => {
    const device = (name: string): ClientSpec =>
      name === place ? { role: 'device', name, program: PYTHON } : { role: 'device', name };
    return inPythonLab(t, [CPU, device('dev0'), device('dev1')], async ({ live }) => {
      for (const scenario of SEED_SCENARIOS) {
        for (const patch of ['stock', SEED_PATCH]) {
          const verdict = await runSeedRace(live, { scenario, patch });
          assert.ok(isAsExpected(verdict), `${scenario} ${patch}: ${verdict.seen}`);
        }
      }
    });
  });
}

test('recorded traces of a real kernel, with both devices in Python', (t) =>
  inPythonLab(
    t,
    [CPU, ...['dev0', 'dev1'].map((name) => ({ role: 'device', name, program: PYTHON }) as const)],
    async ({ live }) => {
      for await (const { program } of readTraces([SAMPLES])) {
        const outcome = await runProgram(program, (each) =>
          newLiveConformanceWorld(live, machineOf(each)),
        );
        assert.equal(outcome.kind, 'passed', JSON.stringify(outcome));
      }
    },
  ));

test('the device in Python knows the verbs of the ready-made devices', (t) => {
  if (found === undefined) {
    t.skip(MISSING);
    return;
  }
  const verbs = 'import json, mmrace_device; print(json.dumps(list(mmrace_device.Device.VERBS)))';
  const options = { cwd: dirname(PROGRAM), encoding: 'utf8' } as const;
  const { stdout } = spawnSync(found, ['-B', '-c', verbs], options);
  // It is a dmirror, and no guest.
  const own = Object.entries(DEVICE_VERBS).filter(
    ([, spec]) => !('of' in spec) || spec.of !== 'guest',
  );
  assert.deepEqual(JSON.parse(stdout).sort(), own.map(([name]) => name).sort());
});

test('the parts of verbs that scenarios ask for are done as the ready-made device does them', (t) =>
  inPythonLab(t, [CPU, DEVICE, { role: 'device', name: 'dev1' }], async ({ live }) => {
    await live.perform('cpu0', { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
    await live.perform('cpu0', { verb: 'store', address: REGION.address, value: '0x7' });
    const first = { first: PAGE, end: PAGE + 1 };
    for (const device of ['dev0', 'dev1']) {
      const ask = (verb: string, range = RANGE) => live.perform(device, { verb, range });
      assert.deepEqual(await ask('prefetch'), { errno: 'OK' });
      // The second page is a hole, and stays one.
      assert.deepEqual(await ask('read-mapped'), { errno: 'ENOENT' });
      assert.deepEqual(await ask('read-mapped', first), {
        errno: 'OK',
        values: ['0x7'],
        cpages: 1,
      });
      assert.deepEqual(await ask('collect'), { errno: 'OK' });
      assert.deepEqual(await live.perform('cpu0', { verb: 'load', address: REGION.address }), {
        value: '0x7',
      });
      assert.deepEqual(await ask('migrate', first), { errno: 'OK' });
      const { entries } = await live.perform(device, { verb: 'page-table' });
      assert.partialDeepStrictEqual(entries, [{ page: PAGE, memory: 'private' }]);
      assert.deepEqual(await ask('migrate-to-sys', first), { errno: 'OK', cpages: 1 });
    }
    healthy(live);
  }));

test('a migration by hand, step by step: what others do in between is seen', (t) =>
  inPythonLab(
    t,
    [CPU, DEVICE, { role: 'device', name: 'dev1', program: PYTHON }],
    async ({ live }) => {
      const step = (verb: string) => live.perform('dev0', { verb });
      await live.perform('cpu0', { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
      await live.perform('cpu0', { verb: 'store', address: REGION.address, value: '0x7' });
      const setup = await live.perform('dev0', { verb: 'setup', range: RANGE });
      assert.deepEqual(setup, { errno: 'OK', collected: 2 });
      assert.deepEqual(await live.perform('dev0', { verb: 'read', range: RANGE }), {
        errno: 'EDEADLK',
      });
      const elsewhere = { first: PAGE + 8, end: PAGE + 10 };
      for (const nonsense of [
        { verb: 'setup', range: RANGE },
        { verb: 'dance' },
        { verb: 'read', range: { first: '5', end: 6 } },
        { verb: 'write', range: elsewhere, values: ['0x1'] },
        { verb: 'write', range: elsewhere, values: ['one', 2] },
      ]) {
        await assert.rejects(live.perform('dev0', nonsense), /EINVAL/);
      }
      // The second page is a hole: another device may fault it in, and then it does not move.
      const hole = { first: PAGE + 1, end: PAGE + 2 };
      await live.perform('dev1', { verb: 'write', range: hole, values: ['0x8'] });
      assert.deepEqual(await step('copy'), { errno: 'OK', copied: 2 });
      assert.deepEqual(await step('pages'), { errno: 'OK', moved: 1, lost: 1 });
      assert.deepEqual(await step('map'), { errno: 'OK', mapped: 1 });
      assert.deepEqual(await step('finalize'), { errno: 'OK', migrated: 1 });
      const { entries } = await step('page-table');
      assert.partialDeepStrictEqual(entries, [{ page: PAGE, access: 'write', memory: 'private' }]);
      assert.deepEqual(await live.perform('cpu0', { verb: 'load-pages', ...REGION }), {
        values: ['0x7', '0x8'],
      });
      healthy(live);
    },
  ));

test('a connection that is lost in the middle of a migration is resumed, and nothing is lost or doubled', (t) =>
  inPythonLab(t, [CPU, DEVICE], async ({ live, network }) => {
    await live.perform('cpu0', { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
    const values = ['0x1', '0x2'];
    await live.perform('cpu0', { verb: 'store-pages', address: REGION.address, values });
    await live.hold('dev0', 'migrate_vma_setup');
    const migrated = live.perform('dev0', { verb: 'migrate-to-dev', range: RANGE });
    await live.untilHeld('dev0', 'migrate_vma_setup');
    const before = network.connections();
    network.cut();
    await live.go('dev0');
    assert.deepEqual(await migrated, { errno: 'OK', values, cpages: 2 });
    assert.ok(network.connections() > before);
    const loaded = await live.perform('cpu0', { verb: 'load-pages', ...REGION });
    assert.deepEqual(loaded, { values });
    healthy(live);
  }));

test('a device that stood still is fenced, comes back, and still has its private memory', (t) =>
  inPythonLab(
    t,
    [CPU, DEVICE],
    async ({ live }) => {
      await live.perform('cpu0', { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
      const values = ['0x1', '0x2'];
      await live.perform('cpu0', { verb: 'store-pages', address: REGION.address, values });
      const second = { first: PAGE + 1, end: PAGE + 2 };
      await live.perform('dev0', { verb: 'migrate-to-dev', range: second });
      await live.perform('dev0', { verb: 'read', range: { first: PAGE, end: PAGE + 1 } });
      live.signal('dev0', 'SIGSTOP');
      // The first page is mapped by the device, so whoever takes it away waits for a lease.
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
      const loaded = await live.perform('cpu0', { verb: 'load-pages', ...REGION });
      assert.deepEqual(loaded, { values: ['0x0', '0x2'] });
      healthy(live);
    },
    { leaseMs: 300 },
  ));

/** A copy of the device in which `right` is `wrong`. */
function mutant(t: TestContext, right: string, wrong: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mmrace-python-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const honest = readFileSync(PROGRAM, 'utf8');
  assert.ok(honest.includes(right));
  const file = join(folder, 'mutant.py');
  writeFileSync(file, honest.replace(right, wrong));
  return file;
}

test('a device in Python that keeps what it is asked to drop is found', (t) => {
  const file = mutant(
    t,
    'self.drop([page for page in self.table if',
    'list([page for page in self.table if',
  );
  return inPythonLab(t, [CPU, { ...DEVICE, program: [PYTHON[0], file] }], async ({ live }) => {
    await live.perform('cpu0', { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
    await live.perform('dev0', { verb: 'write', range: RANGE, values: ['0x1', '0x2'] });
    await live.perform('cpu0', { verb: 'munmap', ...REGION });
    await live.perform('dev0', { verb: 'read', range: RANGE });
    assert.throws(() => healthy(live), assert.AssertionError);
  });
});

test('the device in Python holds under the scheduler, and not without its look at the sequence', async (t) => {
  if (found === undefined) {
    t.skip(MISSING);
    return;
  }
  const certify = async (file: string) => {
    const scenario = fileURLToPath(new URL('../../scenarios/retry-ignored.yaml', import.meta.url));
    const external = ['--external', 'dev0', '--run', `${found} ${file}`, '--port', '0'];
    return await ended(process.execPath, [MMRACE, 'certify', scenario, ...external]);
  };
  const honest = await certify(PROGRAM);
  assert.equal(honest.code, 0, honest.stderr);
  const careless = mutant(
    t,
    'if sub is not self.sub or sub.seq != begun:',
    'if sub is not self.sub:',
  );
  assert.equal((await certify(careless)).code, 1);
});

test('a server that ends and begins again: the same session, or one of its own', async (t) => {
  if (found === undefined) {
    t.skip(MISSING);
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'mmrace-python-'));
  const quiet = { ...DEFAULT_CONFIG, port: 0, drainMs: 0, logLevel: 'silent' } as const;
  const kept = { ...quiet, recordTo: directory, restore: 'restored' } as const;
  let server = await startServer(kept);
  const lab = (): Lab => {
    const demo = server.labs.get('demo');
    return demo === 'none' ? assert.fail('no lab') : demo;
  };
  const another = async (config: ServerConfig) => {
    const { port } = server;
    await server.stop();
    server = await startServer({ ...config, port });
    await server.restored;
  };
  /** Once the device is attached. */
  const perform = async (verb: string) => {
    while (lab().actors.get('py0')?.state !== 'attached') await new Promise(setImmediate);
    return await lab().perform('py0', { verb, range: { first: PAGE, end: PAGE + 1 } });
  };
  const args = ['--url', server.webSocketUrl, '--name', 'py0'];
  const device = ended(PYTHON[0], [PYTHON[1], ...args]);
  const faulted = await perform('read');
  assert.deepEqual(faulted, { ok: true, result: { errno: 'EFAULT' } });
  for (let restart = 0; restart < 2; restart += 1) {
    await another(kept);
    assert.deepEqual(await perform('read'), faulted);
  }
  const events = lab().eventsAfter(0);
  assert.ok(events !== 'too-old');
  assert.equal(events.filter(({ kind }) => kind === 'attach').length, 1);
  await another(quiet);
  assert.deepEqual(await perform('read'), faulted);
  // What a server means is the end.
  lab().actors.get('py0')?.link.close('too-many-refusals');
  const { code, stderr } = await device;
  assert.equal(code, 69, stderr);
  assert.match(
    stderr,
    /does not know this session any more: a new one begins\n.*closed with 4009\n$/,
  );
  await server.stop();
  rmSync(directory, { recursive: true });
});

test('a lab of several servers: the device goes where it is, and stays when that one ends', async (t) => {
  if (found === undefined || WITHOUT_REDIS !== false) {
    t.skip(found === undefined ? MISSING : String(WITHOUT_REDIS));
    return;
  }
  const redis = await OwnRedis.start();
  const quiet = { ...DEFAULT_CONFIG, port: 0, drainMs: 0, logLevel: 'silent' } as const;
  const shared = { ...quiet, redis: redis.url } as const;
  const [one, other] = [await startServer(shared), await startServer(shared)];
  const device = ended(PYTHON[0], [PYTHON[1], '--url', other.webSocketUrl, '--name', 'py0']);
  const isIn = async ({ labs }: typeof one) => {
    for (;;) {
      const demo = labs.get('demo');
      const actor = demo === 'none' ? undefined : demo.actors.get('py0');
      if (demo !== 'none' && actor?.state === 'attached') return demo;
      await new Promise(setImmediate);
    }
  };
  await isIn(one);
  await one.stop();
  const demo = await isIn(other);
  const events = demo.eventsAfter(0);
  assert.ok(events !== 'too-old');
  assert.equal(events.filter(({ kind }) => kind === 'attach').length, 1);
  demo.actors.get('py0')?.link.close('too-many-refusals');
  assert.equal((await device).code, 69);
  await other.stop();
  await redis.end();
});

test('no server, or a name that is taken: one sentence and exit code 69', (t) =>
  inPythonLab(t, [DEVICE], async ({ network }) => {
    const url = (port: number) => ['--url', `ws://127.0.0.1:${port}/ws`, '--connect-seconds', '0'];
    const [python, program] = PYTHON;
    const args = (port: number) => [program, ...url(port), '--lab', LAB, '--name', 'dev0'];
    // Port 1 of this machine: nobody listens there.
    const nobody = await ended(python, args(1));
    assert.deepEqual(
      [nobody.code, nobody.stderr],
      [69, 'mmrace_device.py: no server answers at ws://127.0.0.1:1/ws\n'],
    );
    const taken = await ended(python, args(network.port));
    assert.equal(taken.code, 69);
    assert.match(taken.stderr, /^mmrace_device.py: hello: EEXIST: params.name: .*\n$/);
  }));
