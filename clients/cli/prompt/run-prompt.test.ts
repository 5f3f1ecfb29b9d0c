/** Prompts whose terminals are streams, against a real server in this process. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_CONFIG } from '../../../server/app/config.ts';
import { startServer } from '../../../server/app/start-server.ts';
import { EXIT } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { openPrompt, script, withServer } from './lab-for-prompts.fixture.ts';

test('lines get answers; who else does something is told above the line', () =>
  withServer(async (server) => {
    const cpu = openPrompt(server, 'cpu', 'cpu0');
    await cpu.shows(
      /cpu0 is a CPU thread in the lab demo \(join code ABCDE\) at ws:.*\nKernel stock 6\.12; no other client is there/,
    );
    assert.match(await cpu.types('mmap 0x10000 4'), /mapped 0x10000, 4 pages rw anon-private/);
    const gpu = openPrompt(server, 'device', 'gpu0');
    await gpu.shows(/gpu0 is a device .*\n.*with cpu0/);
    assert.match(await gpu.types('write a 42'), /wrote 1 page \(1 fault\)/);
    assert.match(await cpu.types('load a'), /0x10000 = 0x2a/);
    await cpu.types('madvise a 1 DONTNEED');
    await gpu.shows(/\* cpu0 invalidates 0x10000 \(clear\): my entries go/);
    assert.match(await gpu.types('pt'), /no entry/);
    assert.match(await gpu.types('who'), /cpu0 +cpu +attached\ngpu0 +device +attached \(you\)/);
    assert.match(await gpu.types('log 3'), /cpu0 +<- gpu0: invalidate = done/);
    assert.match(await gpu.types('help read'), /^read \[ADDRESS\] \[PAGES\]/m);
    assert.match(await gpu.types('raed'), /did you mean "read"/);
    gpu.end();
    assert.equal(await gpu.exit, EXIT.OK);
    cpu.quit();
    assert.equal(await cpu.exit, EXIT.OK);
    assert.equal(server.labs.get('demo') !== 'none', true);
  }));

test('the seed race by hand: a second device keeps the zero page', async () => {
  for (const [patch, seen] of [
    ['stock', '0x2a'],
    ['remove-second-invalidate', '0x0'],
  ] as const) {
    await withServer(async (server) => {
      const lab = server.labs.get('demo');
      assert.ok(lab !== 'none');
      await lab.renew({ patch });
      await script(server, 'cpu', 'cpu0', ['mmap 0x10000 1', 'load a']);
      const first = openPrompt(server, 'device', 'gpu0');
      const second = openPrompt(server, 'device', 'gpu1');
      await Promise.all([first.shows(/gpu0> $/), second.shows(/gpu1> $/)]);
      await first.types('setup a');
      assert.match(await second.types('read a'), /0x10000 = 0x0/);
      await first.types('pages');
      await first.types('finalize');
      await first.types('write a 42');
      assert.match(await second.types('read a'), new RegExp(`0x10000 = ${seen}`), patch);
      if (patch !== 'stock') await second.shows(/!!! VIOLATION \[OR/);
      first.end();
      second.end();
      assert.deepEqual(await Promise.all([first.exit, second.exit]), [EXIT.OK, EXIT.OK]);
    });
  }
});

test('a verb at a hold leaves the prompt free, and its end is told', () =>
  withServer(async (server) => {
    await script(server, 'cpu', 'cpu0', ['mmap 0x10000 1']);
    const gpu = openPrompt(server, 'device', 'gpu0');
    await gpu.types('hold migrate_vma_setup');
    const held = await gpu.types('migrate-to-dev a');
    assert.match(held, /\[1\] migrate-to-dev a: stands still behind migrate_vma_setup\(\)/);
    assert.match(await gpu.types('pt'), /no entry/);
    assert.match(await gpu.types('wait'), /go comes first/);
    await gpu.types('go');
    await gpu.shows(/\* \[1\] migrate-to-dev a: 0x10000 = 0x0/);
    gpu.end();
    assert.equal(await gpu.exit, EXIT.OK);
  }));

test('what a conductor asks is done while the prompt is open, and said', () =>
  withServer(async (server) => {
    const lab = server.labs.get('demo');
    assert.ok(lab !== 'none');
    await script(server, 'cpu', 'cpu0', ['mmap 0x10000 1']);
    const gpu = openPrompt(server, 'device', 'gpu0');
    await gpu.shows(/gpu0> $/);
    const performed = await lab.perform('gpu0', { verb: 'read', range: { first: 16, end: 17 } });
    assert.ok(performed.ok);
    await gpu.shows(/\* the conductor asks gpu0 for: read \{"range":\{"first":16,"end":17\}\}/);
    gpu.end();
    await gpu.exit;
  }));

test('a lost connection comes back by itself, and both are said', () =>
  withServer(async (server) => {
    const gpu = openPrompt(server, 'device', 'gpu0');
    await gpu.shows(/gpu0> $/);
    server.gateway.terminate();
    await gpu.shows(/!!! the connection to ws:.* is lost; trying to come back/);
    await gpu.shows(/\* connected again; the session goes on where it was/);
    assert.match(await gpu.types('pt'), /no entry/);
    gpu.end();
    assert.equal(await gpu.exit, EXIT.OK);
  }));

test('a server that ends for good is said in one sentence', async () => {
  const quiet = { ...DEFAULT_CONFIG, port: 0, logLevel: 'silent', drainMs: 50 } as const;
  const server = await startServer({ ...quiet, ends: 'for-good' });
  const gpu = openPrompt(server, 'device', 'gpu0');
  await gpu.shows(/gpu0> $/);
  await server.stop();
  assert.equal(await gpu.exit, EXIT.OK);
  assert.match(gpu.shown(), /the server at ws:.* has ended: start it again with npx mmrace serve/);
});

test('a session that is refused for good ends the prompt with 69', () =>
  withServer(async (server) => {
    const gpu = openPrompt(server, 'device', 'gpu0');
    await gpu.shows(/gpu0> $/);
    const lab = server.labs.get('demo');
    assert.ok(lab !== 'none');
    lab.actors.get('gpu0')?.link.close('too-many-refusals');
    assert.equal(await gpu.exit, EXIT.UNAVAILABLE);
    const last = gpu.shown().trim().split('\n').at(-1) ?? '';
    assert.match(last, /frames in a row were refused/);
  }));

test('two of a name are refused in one sentence', () =>
  withServer(async (server) => {
    const gpu = openPrompt(server, 'device', 'gpu0');
    await gpu.shows(/gpu0> $/);
    await assert.rejects(
      openPrompt(server, 'device', 'gpu0').exit,
      (error) => error instanceof UsageError && /choose another with --name/.test(error.message),
    );
    gpu.end();
    await gpu.exit;
  }));

test('lines are kept for the next prompt', () =>
  withServer(async (server) => {
    const history = join(mkdtempSync(join(tmpdir(), 'mmrace-prompt-')), 'deep', 'history');
    const gpu = openPrompt(server, 'device', 'gpu0', history);
    await gpu.shows(/gpu0> $/);
    await gpu.types('pt');
    gpu.end();
    await gpu.exit;
    assert.equal(readFileSync(history, 'utf8'), 'pt\n');
  }));
