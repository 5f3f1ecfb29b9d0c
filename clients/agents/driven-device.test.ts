/** The drivers after real ones, each in two clients over real WebSockets, against one CPU thread. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageIndex, pageRange } from '../../server/vocabulary/address.ts';
import { DRIVERS } from '../drivers/catalogue/drivers.ts';
import { onStage, type Stage } from './agent-stage.fixture.ts';
import { startDrivenDevice } from './driven-device.ts';

const RANGE = pageRange(pageIndex(0x100200), pageIndex(0x100202));
const REGION = { address: '0x100200000', pages: 2 };
const ROUNDS = 6;

function onDrivenStage(
  id: string,
  play: (stage: Stage) => Promise<void>,
  pgmapOwner?: string,
): Promise<void> {
  const driver = DRIVERS.get(id);
  assert.ok(driver !== undefined, id);
  return onStage(play, (options) => startDrivenDevice(driver, { ...options, pgmapOwner }));
}

function violations({ lab }: Stage): string[] {
  const events = lab.eventsAfter(0);
  assert.ok(events !== 'too-old');
  return events.flatMap((event) => (event.kind === 'violation' ? [event.text] : []));
}

const IN_TWO_CLIENTS = [
  'amdkfd',
  'amdkfd-no-retry',
  'i915-userptr',
  'kvm',
  'mlx5-odp',
  'nouveau',
  'split-notifiers',
  'xe',
];

for (const id of IN_TWO_CLIENTS) {
  test(`${id} in two clients: what one writes the other reads, while a CPU gives memory away`, () =>
    onDrivenStage(id, async (stage) => {
      const { perform, said } = stage;
      await perform('cpu0', 'mmap', { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
      await perform('cpu0', 'store-pages', { address: '0x100200000', values: ['0x1', '0x2'] });
      const written = await perform('dev0', 'write', { range: RANGE, values: ['0x3', '0x4'] });
      assert.equal((written as { errno: string }).errno, 'OK');
      const read = (await perform('dev1', 'read', { range: RANGE })) as { values: string[] };
      assert.deepEqual(read.values, ['0x3', '0x4']);
      for (let round = 0; round < ROUNDS; round += 1) {
        await Promise.all([
          perform('dev0', 'read', { range: RANGE }),
          perform('dev1', 'write', { range: RANGE, values: ['0x5', '0x6'] }),
          perform('cpu0', 'madvise', {
            ...REGION,
            advice: round % 2 === 0 ? 'DONTNEED' : 'PAGEOUT',
          }),
        ]);
      }
      await perform('dev0', 'write', { range: RANGE, values: ['0x7', '0x8'] });
      assert.deepEqual(await perform('cpu0', 'load-pages', REGION), { values: ['0x7', '0x8'] });
      assert.deepEqual([violations(stage), said], [[], []]);
    }));
}

for (const id of ['amdkfd', 'amdkfd-no-retry', 'nouveau', 'xe']) {
  test(`${id} in a client moves pages to its memory, and a CPU brings them back`, () =>
    onDrivenStage(id, async (stage) => {
      const { perform } = stage;
      await perform('cpu0', 'mmap', { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
      await perform('cpu0', 'store-pages', { address: '0x100200000', values: ['0x1', '0x2'] });
      const moved = await perform('dev0', 'migrate-to-dev', { range: RANGE });
      assert.deepEqual((moved as { values: string[] }).values, ['0x1', '0x2']);
      await perform('dev0', 'write', { range: RANGE, values: ['0x3', '0x4'] });
      assert.deepEqual(await perform('cpu0', 'load-pages', REGION), { values: ['0x3', '0x4'] });
      assert.deepEqual(violations(stage), []);
    }));
}

for (const id of ['corrected', 'xe']) {
  test(`${id} in two clients that share an owner: one reads, writes and takes what the other has`, () =>
    onDrivenStage(
      id,
      async (stage) => {
        const { perform, lab } = stage;
        const values = async (actor: string, verb: string) =>
          ((await perform(actor, verb, { range: RANGE })) as { values: string[] }).values;
        const privately = (actor: string) => {
          const events = lab.eventsAfter(0);
          assert.ok(events !== 'too-old');
          const last = events.findLast((event) => event.actor === actor && 'memory' in event);
          return last !== undefined && 'memory' in last && last.memory === 'private';
        };
        await perform('cpu0', 'mmap', {
          verb: 'mmap',
          ...REGION,
          prot: 'rw',
          kind: 'anon-private',
        });
        await perform('cpu0', 'store-pages', { address: '0x100200000', values: ['0x1', '0x2'] });
        assert.deepEqual(await values('dev0', 'migrate-to-dev'), ['0x1', '0x2']);
        assert.deepEqual(await values('dev1', 'read'), ['0x1', '0x2']);
        assert.ok(privately('dev1'), 'no page went home for that');
        await perform('dev1', 'write', { range: RANGE, values: ['0x3', '0x4'] });
        assert.deepEqual(await values('dev0', 'read'), ['0x3', '0x4']);
        assert.deepEqual(await values('dev1', 'migrate-to-dev'), ['0x3', '0x4']);
        assert.deepEqual(await values('dev0', 'read'), ['0x3', '0x4']);
        assert.ok(privately('dev0'));
        assert.deepEqual(await perform('cpu0', 'load-pages', REGION), { values: ['0x3', '0x4'] });
        assert.deepEqual(violations(stage), []);
      },
      'hive',
    ));
}

test('a guest in a client: what its hypervisor has cached goes, and so does its memory', () =>
  onDrivenStage('kvm', async (stage) => {
    const { perform } = stage;
    await perform('cpu0', 'mmap', { verb: 'mmap', ...REGION, prot: 'rw', kind: 'anon-private' });
    await perform('cpu0', 'store-pages', { address: '0x100200000', values: ['0x1', '0x2'] });
    const cached = async () =>
      ((await perform('dev0', 'read-cached', { range: RANGE })) as { values: string[] }).values;
    assert.deepEqual(await cached(), ['0x1', '0x2']);
    await perform('cpu0', 'madvise', { ...REGION, advice: 'DONTNEED' });
    assert.deepEqual(await cached(), ['0x0', '0x0']);
    const errnoOf = async (verb: string) =>
      ((await perform('dev0', verb, { range: RANGE })) as { errno: string }).errno;
    assert.equal(await errnoOf('delete-memslot'), 'OK');
    assert.equal(await errnoOf('read'), 'EFAULT');
    assert.equal(await errnoOf('add-memslot'), 'OK');
    assert.equal(await errnoOf('read'), 'OK');
    assert.deepEqual(await perform('dev0', 'release'), { errno: 'OK' });
    assert.equal(await errnoOf('read'), 'EINVAL');
    assert.deepEqual(violations(stage), []);
  }));

test('a verb of the hand is refused, with what does it', () =>
  onDrivenStage('xe', async ({ perform }) => {
    assert.match(String(await perform('dev0', 'setup', { range: RANGE })), /only dmirror does it/);
  }));
