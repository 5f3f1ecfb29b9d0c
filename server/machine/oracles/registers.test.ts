/** Oracle 3 after an madvise() that failed and has acted all the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventBody } from '../../abi/event.ts';
import { setContents } from '../../kernel/memory/frames.ts';
import { readPte } from '../../kernel/memory/page-table.ts';
import { ptePfn } from '../../kernel/memory/pte.ts';
import { fail, OK } from '../../vocabulary/errno.ts';
import { ZERO_CONTENTS } from '../../vocabulary/page-contents.ts';
import {
  assertHealthy,
  at,
  brokenRules,
  cpu,
  load,
  openedWorld,
  pages,
  runAlone,
  store,
  verb,
} from '../opened-world.fixture.ts';

/** The last page that an opened world maps. */
const LAST = 7;

test('[OR3] MADV_FREE over a hole returns ENOMEM, and what is mapped may go after a device has read it', () => {
  const opened = openedWorld();
  const { world } = opened;
  store(opened, 7n, LAST);
  const freed = runAlone(world, 'cpu0', cpu(opened).madvise(pages(LAST, 2), 'FREE'));
  assert.deepEqual(freed, fail('ENOMEM'));
  verb(opened, 1, { verb: 'read', range: pages(LAST) });
  runAlone(world, 'cpu0', cpu(opened).madvise(pages(LAST), 'PAGEOUT'));
  assert.equal(load(opened, LAST), 0n);
  assertHealthy(opened);
});

test('[OR3] DONTNEED over a hole returns ENOMEM and leaves zero in what is mapped', () => {
  const dropped = (opened: ReturnType<typeof openedWorld>) => {
    store(opened, 7n, LAST);
    const done = runAlone(opened.world, 'cpu0', cpu(opened).madvise(pages(LAST, 2), 'DONTNEED'));
    assert.deepEqual(done, fail('ENOMEM'));
    load(opened, LAST);
    return opened;
  };
  assertHealthy(dropped(openedWorld()));
  const dropsNothing = openedWorld({ overrides: () => ({ *zapPageRange() {} }) });
  assert.deepEqual(brokenRules(dropped(dropsNothing)), ['OR3']);
});

test('[OR3] MADV_FREE that ends at a shared mapping has freed what lies before it, and nothing behind it', () => {
  const opened = openedWorld();
  const { world } = opened;
  const [shared, behind] = [LAST + 1, LAST + 2];
  const mmap = (page: number, kind: 'anon-shared' | 'anon-private') =>
    runAlone(world, 'cpu0', cpu(opened).mmap({ range: pages(page), prot: 'rw', kind }));
  mmap(shared, 'anon-shared');
  mmap(behind, 'anon-private');
  store(opened, 7n, LAST);
  store(opened, 9n, behind);
  const freed = runAlone(world, 'cpu0', cpu(opened).madvise(pages(LAST, 3), 'FREE'));
  assert.deepEqual(freed, fail('EINVAL'));
  assert.equal(load(opened, LAST), 7n);
  assert.equal(load(opened, behind), 9n);
  runAlone(world, 'cpu0', cpu(opened).madvise(pages(LAST, 3), 'PAGEOUT'));
  assert.equal(load(opened, LAST), 0n);
  assert.equal(load(opened, behind), 9n);
  assertHealthy(opened);
  setContents(world.kernel.frames, ptePfn(readPte(world.mm.table, at(behind))), ZERO_CONTENTS);
  load(opened, behind);
  assert.deepEqual(brokenRules(opened), ['OR3']);
});

test('[OR3] what a thread calls while another ends their process is about no other process', () => {
  const opened = openedWorld();
  const { world } = opened;
  store(opened, 7n);
  assert.ok(runAlone(world, 'cpu0', cpu(opened).fork('child')).ok);
  const child = cpu(opened, 'child');
  const leaving = world.scheduler.spawn('child', 'munmap', child.munmap(pages(0)));
  world.scheduler.step(leaving);
  runAlone(world, 'child', child.exit());
  assert.equal(leaving.state, 'done');
  assert.equal(load(opened), 7n);
  runAlone(world, 'child', child.munmap(pages(0)));
  assert.equal(load(opened), 7n);
  assertHealthy(opened);
});

test('[OR3] a child of a process that the OOM reaper takes apart may find zeros', () => {
  const opened = openedWorld();
  const { world } = opened;
  store(opened, 7n);
  assert.deepEqual(
    runAlone(world, 'cpu0', world.kernel.fn.oomReapTaskMm(world.kernel, world.mm)),
    OK,
  );
  assert.ok(runAlone(world, 'cpu0', cpu(opened).fork('child')).ok);
  assert.equal(load(opened, 0, 'child'), 0n);
  assertHealthy(opened);
});

/** A call that has begun and not returned, and what threads read meanwhile, each in a world of its own. */
function readWhile(called: string, to: number | 'nowhere', reads: number, value: string): string[] {
  const opened = openedWorld();
  const { world } = opened;
  store(opened, 7n);
  store(opened, 8n, 4);
  const says = (actor: string, body: EventBody) =>
    runAlone(
      world,
      actor,
      (function* () {
        world.emit(body);
      })(),
    );
  const args = { first: at(0), end: at(1), ...(to === 'nowhere' ? {} : { to: at(to) }) };
  says('cpu0', { kind: 'call', function: called, args });
  const read = { kind: 'cpu-access', mm: 0, page: at(reads), pfn: 1, mode: 'read', value } as const;
  says('cpu1', read);
  return brokenRules(opened);
}

test('[OR3] a page that is just taken away or moved has one of the values that it had or has', () => {
  const cases = [
    ['munmap', 'nowhere', 0],
    ['exit', 'nowhere', 0],
    ['mremap', 4, 0],
    ['mremap', 4, 4],
  ] as const;
  for (const [called, to, page] of cases) {
    const told = (value: string) => readWhile(called, to, page, value);
    assert.deepEqual(told('0x7'), [], called);
    assert.deepEqual(told('0x0'), [], called);
    assert.deepEqual(told('0x9'), ['OR3'], called);
    assert.deepEqual(told('0x8'), to === 'nowhere' ? ['OR3'] : [], called);
  }
});
