import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../abi/event.ts';
import { pageIndex, pageRange } from '../vocabulary/address.ts';
import { cpuOf, newWorld, runTask, type WorldOptions } from './world.ts';

const PAGE = pageIndex(0x100200);

function lockEvents(options: WorldOptions): Event[] {
  const world = newWorld(options);
  const events: Event[] = [];
  world.log.listeners.push((event) => {
    if (event.kind === 'lock' || event.kind === 'unlock') events.push(event);
  });
  const cpu = cpuOf(world, 'cpu0');
  const range = pageRange(PAGE, pageIndex(PAGE + 1));
  runTask(world, 'cpu0', 'mmap', cpu.mmap({ range, prot: 'rw', kind: 'anon-private' }));
  runTask(world, 'cpu0', 'madvise', cpu.madvise(range, 'DONTNEED'));
  return events;
}

test('a world that tells its locks tells of each that is taken, and that it is let go of', () => {
  const events = lockEvents({ logLocks: true });
  const modes = events.flatMap((event) => (event.kind === 'lock' ? [event.mode] : []));
  assert.equal(events[0]?.kind, 'lock');
  assert.ok(events.some((event) => event.kind === 'lock' && event.lock === 'mmap_lock'));
  assert.ok(modes.includes('write') && modes.includes('read'), modes.join());
  const open = new Map<string, number>();
  for (const event of events) {
    if (event.kind !== 'lock' && event.kind !== 'unlock') continue;
    const change = event.kind === 'lock' ? 1 : -1;
    open.set(event.lock, (open.get(event.lock) ?? 0) + change);
    assert.ok((open.get(event.lock) ?? 0) >= 0, `${event.lock} is let go of before it is taken`);
  }
  assert.deepEqual(
    [...open.values()].filter((count) => count !== 0),
    [],
  );
});

test('a world that is not asked to tells of none', () => {
  assert.deepEqual(lockEvents({}), []);
});
