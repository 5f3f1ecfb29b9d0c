/** Scripts of lines against a real server in this process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { script, withServer } from './lab-for-prompts.fixture.ts';
import { parseScript, parseScriptText } from './run-script.ts';

test('a CPU maps and stores, a device migrates, and its memory goes back when it leaves', () =>
  withServer(async (server) => {
    const cpu = await script(server, 'cpu', 'cpu0', [
      'mmap 0x10000 4',
      'store a 42',
      'load a',
      'maps',
      'pt',
    ]);
    assert.equal(cpu.exit, EXIT.OK, cpu.said);
    assert.match(cpu.printed, /^0x10000 = 0x2a$/m);
    assert.match(cpu.printed, /^a +0x10000-0x14000 +4 pages rw anon-private$/m);
    assert.match(cpu.printed, /^0x10000 +frame 0x[0-9a-f]+$/m);
    const device = await script(server, 'device', 'gpu0', ['migrate-to-dev a', 'pt']);
    assert.equal(device.exit, EXIT.OK, device.said);
    assert.match(device.printed, /^0x10000 +write +frame 0x800000 +private$/m);
    const after = await script(server, 'cpu', 'cpu0', ['load a']);
    assert.deepEqual(after, { exit: EXIT.OK, printed: '0x10000 = 0x2a', said: '' });
  }));

test('a migration by hand lets others act between its calls', () =>
  withServer(async (server) => {
    await script(server, 'cpu', 'cpu0', ['mmap 0x10000 4', 'load a']);
    const ran = await script(
      server,
      'device',
      'gpu0',
      ['setup a 2', 'pt', 'copy', 'pages', 'map', 'finalize', 'write a 7', 'peek a 2'],
      'json',
    );
    assert.equal(ran.exit, EXIT.OK, ran.said);
    const { done } = JSON.parse(ran.printed) as { done: { do: string; result: object }[] };
    const results = Object.fromEntries(done.map((entry) => [entry.do, entry.result]));
    assert.deepEqual(results['setup a 2'], { errno: 'OK', collected: 2 });
    assert.deepEqual(results.pt, { entries: [] });
    assert.deepEqual(results.pages, { errno: 'OK', moved: 2, lost: 0 });
    assert.deepEqual(results.finalize, { errno: 'OK', migrated: 2 });
    assert.deepEqual(results['peek a 2'], { values: ['0x7', '0x0'] });
  }));

test('a migration that is finalized before it moved is given up, and leaves nothing behind', () =>
  withServer(async (server) => {
    await script(server, 'cpu', 'cpu0', ['mmap 0x10000 4', 'store a 5']);
    const given = await script(server, 'device', 'gpu0', ['setup a', 'copy', 'finalize', 'pt']);
    assert.equal(given.exit, EXIT.OK, given.said);
    assert.match(given.printed, /0 pages migrated\nno entry$/);
    // A step out of order changes nothing.
    const early = await script(server, 'device', 'gpu0', ['pages']);
    assert.equal(early.exit, EXIT.BROKEN);
    assert.equal(early.said, 'pages: EINVAL: pages: no migration is open: setup comes first');
    // munmap needs mmap_lock for writing: it would wait for ever if a reader were left.
    const unmapped = await script(server, 'cpu', 'cpu0', ['load a', 'munmap a 4', 'maps']);
    assert.equal(unmapped.printed, '0x10000 = 0x5\nunmapped 0x10000, 4 pages\nnothing is mapped');
  }));

test('a device that would wait for its own migration is told so', () =>
  withServer(async (server) => {
    await script(server, 'cpu', 'cpu0', ['mmap 0x10000 4']);
    const ran = await script(server, 'device', 'gpu0', ['setup a', 'read a']);
    assert.equal(ran.exit, EXIT.BROKEN);
    assert.match(ran.said, /^read a: EDEADLK: .* finalize comes first\.$/m);
  }));

test('a verb at a hold does not keep the next line back; go and wait end it', () =>
  withServer(async (server) => {
    await script(server, 'cpu', 'cpu0', ['mmap 0x10000 4']);
    const held = ['hold migrate_vma_setup', 'migrate-to-dev a', 'pt'];
    const ran = await script(server, 'device', 'gpu0', [...held, 'go', 'wait', 'pt']);
    assert.equal(ran.exit, EXIT.OK, ran.said);
    assert.match(ran.printed, /no entry\nevery hold is gone\nall have ended\n0x10000 .*private$/);
    const left = await script(server, 'device', 'gpu0', held);
    assert.equal(left.exit, EXIT.BROKEN);
    assert.match(left.said, /the script ended while "migrate-to-dev a" stood still/);
  }));

test('the first verb that fails ends the script with 1; errno and sentence go to stderr', () =>
  withServer(async (server) => {
    const ran = await script(server, 'cpu', 'cpu0', ['load 0x10000', 'mmap'], 'jsonl');
    assert.equal(ran.exit, EXIT.BROKEN);
    assert.match(ran.said, /^load 0x10000: SIGSEGV: nothing is mapped there/);
    assert.deepEqual(JSON.parse(ran.printed), {
      do: 'load 0x10000',
      actor: 'cpu0',
      outcome: 'failed',
      result: { signal: 'SIGSEGV' },
    });
  }));

test('a forked child is spoken for by use, and shares frames until the first write', () =>
  withServer(async (server) => {
    const ran = await script(server, 'cpu', 'cpu0', [
      'mmap 0x10000 1',
      'store a 1',
      'fork child0',
      'use child0',
      'maps',
      'store 0x10000 2',
      'pt',
      'load 0x10000',
      'use cpu0',
      'load 0x10000',
    ]);
    assert.equal(ran.exit, EXIT.OK, ran.said);
    assert.match(ran.printed, /^a +0x10000-0x11000 +1 pages rw anon-private$/m);
    assert.match(ran.printed, /^0x10000 +frame 0x2$/m);
    assert.match(ran.printed, /0x10000 = 0x2\nyou speak for cpu0 now\n0x10000 = 0x1$/);
  }));

test('a server that ends in the middle of a verb is one sentence, and 69', () =>
  withServer(async (server) => {
    await script(server, 'cpu', 'cpu0', ['mmap 0x10000 1', 'store a 1']);
    const paused = await fetch(`${server.url}/api/labs/demo/control`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ action: 'pause' }),
    });
    assert.equal(paused.status, 200);
    const waiting = script(server, 'cpu', 'cpu0', ['load 0x10000']);
    const lab = server.labs.get('demo');
    while (lab !== 'none' && (lab.actors.get('cpu0')?.requests.size ?? 0) === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await server.stop();
    const { exit, said } = await waiting;
    assert.equal(exit, EXIT.UNAVAILABLE);
    assert.match(said, /^mmrace cpu: the server at ws:\S+ has ended: start it again/m);
  }));

test('a script is checked as a whole before the session begins', () => {
  assert.throws(
    () => parseScript(['read a', 'raed a'], 'device'),
    (error) =>
      error instanceof UsageError && /--do "raed a": .*did you mean "read"/.test(error.message),
  );
});

test('a line that only the lab can refuse is a mistake of the script, and the session is left', () =>
  withServer(async (server) => {
    for (const [role, line] of [
      ['device', 'read a'],
      ['cpu', 'mmap 0x10001 1'],
      ['cpu', 'use child0'],
      ['cpu', 'help nope'],
    ] as const) {
      const lines = [role === 'cpu' ? 'maps' : 'pt', line, 'quit'];
      await assert.rejects(script(server, role, 'it', lines), {
        name: 'UsageError',
        message: new RegExp(`^--do "${line}": `),
      });
      // Its name is free again.
      assert.equal((await script(server, role, 'it', ['who'])).exit, EXIT.OK);
    }
  }));

test('a text is a script of its lines: remarks and empty lines count, and say nothing', () => {
  const lines = parseScriptText('# look\n\nread a  # twice\r\nread a\n', 'device');
  assert.deepEqual(
    lines.map(({ parsed }) => parsed.verb.name),
    ['read', 'read'],
  );
  assert.throws(() => parseScriptText('pt\n\nraed a\n', 'device'), {
    name: 'UsageError',
    message: /^line 3: "raed a": .*did you mean "read"/,
  });
});

test('a ping says how long the way is, and how long the kernel waits for an answer', () =>
  withServer(async (server) => {
    const cpu = await script(server, 'cpu', 'cpu0', ['mmap 0x10000 1', 'ping']);
    assert.equal(cpu.exit, EXIT.OK, cpu.said);
    assert.match(
      cpu.printed,
      /^[\d.]+ ms there and back; attached; the kernel waits for nothing of/m,
    );
    const lines = ['setup a', 'ping', 'finalize'];
    const device = await script(server, 'device', 'gpu0', lines, 'json');
    const { done } = JSON.parse(device.printed) as { done: { do: string; result: object }[] };
    const { ms, state, leaseLeftMs } = (done[1]?.result ?? {}) as Record<string, unknown>;
    assert.deepEqual([typeof ms, state, leaseLeftMs], ['number', 'attached', null]);
  }));

test('undo takes back what was done last, or all since an event, and says where the lab is', () =>
  withServer(async (server) => {
    const done = ['mmap 0x10000 1', 'store a 5', 'store a 6', 'undo', 'load a'];
    const ran = await script(server, 'cpu', 'cpu0', done);
    assert.equal(ran.exit, EXIT.OK, ran.said);
    assert.match(ran.printed, /the lab demo is as it was behind event \d+\n0x10000 = 0x5$/);
    const further = await script(server, 'cpu', 'cpu1', ['undo 1']);
    assert.equal(further.exit, EXIT.BROKEN);
    assert.match(further.said, /^undo 1: Nothing has been done before that moment/);
  }));
