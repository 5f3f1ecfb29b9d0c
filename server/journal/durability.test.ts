import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DurabilityMode, newDurability } from './durability.ts';

/** A disk that says when it has written. */
function slowDisk(mode: DurabilityMode) {
  const syncs: { file: number; done: (error: Error | null) => void }[] = [];
  const failures: Error[] = [];
  const safe: string[] = [];
  const durability = newDurability(
    mode,
    (error) => failures.push(error),
    (file, done) => syncs.push({ file, done }),
  );
  const ask = (what: string) => durability.whenSafe(() => safe.push(what));
  const written = (error: Error | null = null) => syncs.shift()?.done(error);
  return { durability, syncs, failures, safe, ask, written };
}

test('each: what was written is answered when it is on the disk, and no sooner', () => {
  const { durability, syncs, safe, ask, written } = slowDisk('each');
  assert.equal(ask('nothing'), 'now');
  durability.wrote(1);
  durability.wrote(2);
  assert.equal(ask('a'), 'later');
  assert.deepEqual(
    syncs.map(({ file }) => file),
    [1, 2],
  );
  written();
  // Written while the batch is under way: it may or may not be part of it.
  durability.wrote(1);
  assert.equal(ask('b'), 'later');
  assert.deepEqual(safe, []);
  written();
  assert.deepEqual(safe, ['a']);
  assert.deepEqual(
    syncs.map(({ file }) => file),
    [1],
  );
  written();
  assert.deepEqual(safe, ['a', 'b']);
  assert.equal(ask('all is safe'), 'now');
});

test('each: an entry written before is not answered by a batch that began before it', () => {
  const { durability, safe, ask, written } = slowDisk('each');
  durability.wrote(1);
  ask('a');
  durability.wrote(1);
  ask('b');
  written();
  assert.deepEqual(safe, ['a']);
  written();
  assert.deepEqual(safe, ['a', 'b']);
});

test('a disk that fails answers no entry, and says so once', () => {
  const { durability, failures, safe, ask, written } = slowDisk('each');
  durability.wrote(1);
  ask('a');
  written(new Error('EIO'));
  assert.equal(ask('b'), 'later');
  durability.wrote(1);
  assert.equal(ask('c'), 'later');
  written();
  assert.deepEqual([failures.length, safe], [1, []]);
});

test('batch and none: no writer waits', () => {
  for (const mode of ['batch', 'none'] as const) {
    const { durability, ask, syncs } = slowDisk(mode);
    durability.wrote(1);
    assert.equal(ask('a'), 'now');
    assert.deepEqual(syncs, []);
  }
});
