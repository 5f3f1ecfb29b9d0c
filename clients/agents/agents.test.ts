/** The ready-made clients against a real machine, over real WebSockets, in one process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageIndex, pageRange } from '../../server/vocabulary/address.ts';
import { onStage } from './agent-stage.fixture.ts';

const RANGE = pageRange(pageIndex(0x100200), pageIndex(0x100202));
const REGION = { address: '0x100200000', pages: 2 };
const MMAP = { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' };

test('a CPU and two devices share memory: what one writes the others read', () =>
  onStage(async ({ perform, said }) => {
    assert.deepEqual(await perform('cpu0', 'mmap', MMAP), { errno: 'OK' });
    const stored = { address: '0x100200000', values: ['0x1', '0x2'] };
    assert.deepEqual(await perform('cpu0', 'store-pages', stored), { ok: true });
    const read = { errno: 'OK', values: ['0x1', '0x2'], cpages: 2, faults: 1 };
    assert.deepEqual(await perform('dev0', 'read', { range: RANGE }), read);
    const migrated = { errno: 'OK', values: ['0x1', '0x2'], cpages: 2 };
    assert.deepEqual(await perform('dev1', 'migrate-to-dev', { range: RANGE }), migrated);
    await perform('dev1', 'write', { range: RANGE, values: ['0x3', '0x4'] });
    assert.deepEqual(await perform('dev0', 'peek', { range: RANGE }), {
      values: ['unmapped', 'unmapped'],
    });
    assert.deepEqual(await perform('cpu0', 'load-pages', REGION), { values: ['0x3', '0x4'] });
    assert.deepEqual(said, []);
  }));

test('loops read until they are told to stop, and hold no task up', () =>
  onStage(async ({ perform }) => {
    await perform('cpu0', 'mmap', MMAP);
    await perform('dev1', 'read-loop', { range: RANGE, threads: 2 });
    for (let round = 0; round < 5; round += 1) {
      const zapped = await perform('cpu0', 'madvise', { ...REGION, advice: 'DONTNEED' });
      assert.deepEqual(zapped, { errno: 'OK' });
    }
    const stopped = (await perform('dev1', 'stop', { range: RANGE })) as { reads: number };
    assert.ok(stopped.reads > 0);
    assert.deepEqual(await perform('dev1', 'stop', { range: RANGE }), { reads: 0, errors: 0 });
  }));

test('loops that read while their session ends, or begins anew, end with it', () =>
  onStage(async ({ lab, perform }) => {
    await perform('cpu0', 'mmap', MMAP);
    await perform('dev1', 'read-loop', { range: RANGE, threads: 2 });
    await perform('dev0', 'read-loop', { range: RANGE, threads: 2 });
    await lab.renew({ patch: 'stock' });
    await perform('cpu0', 'mmap', MMAP);
    assert.deepEqual(await perform('dev0', 'stop', { range: RANGE }), { reads: 0, errors: 0 });
    // Nobody stops this one.
    await perform('dev1', 'read-loop', { range: RANGE, threads: 2 });
  }));

test('what a session leaves without an answer fails the verb that asked, in parts or as one', () =>
  onStage(async ({ agents: [cpu], perform }) => {
    await perform('cpu0', 'mmap', MMAP);
    assert.ok(cpu !== undefined);
    const verbs = [
      { verb: 'load-pages', ...REGION },
      { verb: 'store-pages', address: REGION.address, values: ['0x1', '0x2'] },
      { verb: 'load', address: REGION.address },
    ];
    const lost = verbs.map((verb) => assert.rejects(cpu.perform('cpu0', verb), /session ended/));
    cpu.close();
    await Promise.all(lost);
  }));

test('a forked child is an actor of its own, and gone after its exit', () =>
  onStage(async ({ lab, perform }) => {
    await perform('cpu0', 'mmap', MMAP);
    await perform('cpu0', 'store', { address: '0x100200000', value: '0x7' });
    assert.deepEqual(await perform('cpu0', 'fork', { child: 'cpu1' }), { errno: 'OK' });
    await perform('cpu1', 'store', { address: '0x100200000', value: '0x8' });
    assert.deepEqual(await perform('cpu0', 'load', { address: '0x100200000' }), { value: '0x7' });
    assert.deepEqual(await perform('cpu1', 'exit'), { errno: 'OK' });
    while (lab.actors.has('cpu1')) await new Promise((resolve) => setImmediate(resolve));
  }));

test('a child may be forked again at once, after its exit or in its place', () =>
  onStage(async ({ perform, said }) => {
    await perform('cpu0', 'mmap', MMAP);
    await perform('cpu0', 'store', { address: '0x100200000', value: '0x7' });
    for (let round = 0; round < 10; round += 1) {
      assert.deepEqual(await perform('cpu0', 'fork', { child: 'cpu1' }), { errno: 'OK' });
      const load = { address: '0x100200000' };
      assert.deepEqual(await perform('cpu1', 'load', load), { value: '0x7' });
      await perform('cpu1', 'store', { ...load, value: '0x8' });
      if (round % 2 === 0) assert.deepEqual(await perform('cpu1', 'exit'), { errno: 'OK' });
    }
    assert.deepEqual(said, []);
  }));

test('a new machine finds the same clients with nothing left of the old one', () =>
  onStage(async ({ lab, perform }) => {
    await perform('cpu0', 'mmap', MMAP);
    await perform('dev0', 'migrate-to-dev', { range: RANGE });
    await lab.renew({ patch: 'stock' });
    assert.deepEqual(await perform('dev0', 'read', { range: RANGE }), { errno: 'EFAULT' });
    assert.deepEqual(await perform('cpu0', 'mmap', MMAP), { errno: 'OK' });
    assert.deepEqual(await perform('dev0', 'migrate-to-dev', { range: RANGE }), {
      errno: 'OK',
      values: ['0x0', '0x0'],
      cpages: 2,
    });
  }));

test('verbs that make no sense are refused, and the agent goes on', () =>
  onStage(async ({ perform }) => {
    const why = async (...asked: Parameters<typeof perform>) => String(await perform(...asked));
    assert.match(await why('dev0', 'dance'), /^dev0 answered EINVAL: verb: expected one of read,/);
    const empty = { range: { first: 5, end: 5 } };
    assert.match(await why('dev0', 'read', empty), /^dev0 answered EINVAL: .*range: expected end/);
    const odd = { address: '0x7' };
    assert.match(await why('cpu0', 'load', odd), /^cpu0 answered EINVAL: .*address: expected/);
    assert.deepEqual(await perform('cpu0', 'mmap', MMAP), { errno: 'OK' });
  }));
