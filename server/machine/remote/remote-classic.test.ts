/** Classic notifiers of drivers in other processes: who is asked what, in which order, and what is left of one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RemoteHarness } from './remote-machine.fixture.ts';

const ADDRESS = '0x100200000';
const RANGE = { first: 0x100200, end: 0x100201 };

/** guest0 has both callbacks, guest1 no end. Neither answers by itself. */
function registered(): RemoteHarness {
  const harness = new RemoteHarness();
  harness.attach('cpu0', 'cpu');
  harness.attach('guest0');
  harness.attach('guest1');
  harness.result('cpu0', 'mmap', { address: ADDRESS, pages: 1, prot: 'rw', kind: 'anon-private' });
  harness.result('cpu0', 'store', { address: ADDRESS, value: '0x2a' });
  harness.result('guest0', 'mmu_notifier_register', { callbacks: 'start-and-end' });
  harness.result('guest1', 'mmu_notifier_register', { callbacks: 'start' });
  harness.silent.add('guest0').add('guest1');
  return harness;
}

function dontneed(harness: RemoteHarness): number {
  return harness.ask('cpu0', 'madvise', { address: ADDRESS, pages: 1, advice: 'DONTNEED' });
}

function asked(harness: RemoteHarness): string[] {
  return harness.open.map(({ actor, method }) => `${actor} ${method}`);
}

function done(harness: RemoteHarness, actor: string, result: object = { result: 'done' }): void {
  harness.answer(harness.questionTo(actor), result);
}

test('they are asked one after the other, the last to register first, and those with an end again', () => {
  const harness = registered();
  const waiting = dontneed(harness);
  assert.deepEqual(asked(harness), ['guest1 invalidate_range_start']);
  const { range, event } = harness.questionTo('guest1').params as Record<string, unknown>;
  assert.deepEqual([range, event], [RANGE, 'clear']);
  done(harness, 'guest1');
  assert.deepEqual(asked(harness), ['guest0 invalidate_range_start']);
  done(harness, 'guest0');
  assert.deepEqual(asked(harness), ['guest0 invalidate_range_end']);
  assert.equal(harness.outcomeOf(waiting), 'waits');
  done(harness, 'guest0', {});
  assert.deepEqual(harness.outcomeOf(waiting), { ok: true, result: {}, contents: [] });
  assert.deepEqual(harness.machine.world.oracles.violations, []);
});

test('who does not carry out what it is asked is fenced, and nobody waits for it', () => {
  const wrong: readonly ((harness: RemoteHarness) => void)[] = [
    (harness) => harness.answerError(harness.questionTo('guest1')),
    (harness) => done(harness, 'guest1', { result: 'again' }),
  ];
  for (const answer of wrong) {
    const harness = registered();
    const waiting = dontneed(harness);
    answer(harness);
    assert.deepEqual(asked(harness), ['guest0 invalidate_range_start']);
    done(harness, 'guest0');
    harness.answerError(harness.questionTo('guest0'));
    assert.notEqual(harness.outcomeOf(waiting), 'waits');
    const fenced = harness.told.filter(({ method }) => method === 'fenced');
    assert.deepEqual(
      fenced.map(({ actor }) => actor),
      ['guest1', 'guest0'],
    );
    assert.deepEqual(harness.leftBehind(), []);
  }
});

test('who goes in the middle of a call is taken out of the list, with the pages that it has', () => {
  for (const how of ['fence', 'detach'] as const) {
    const harness = registered();
    harness.result('guest0', 'get_user_pages', { range: RANGE, access: 'read' });
    const waiting = dontneed(harness);
    done(harness, 'guest1');
    harness[how]('guest0');
    assert.notEqual(harness.outcomeOf(waiting), 'waits', how);
    harness.detach('guest1');
    assert.equal(harness.machine.world.mm.subscriptions.list, 'none');
    assert.deepEqual(harness.leftBehind(), [], how);
  }
});

test('unregister asks release, waits for a callback that is under way, and none comes after it', () => {
  const harness = registered();
  const waiting = dontneed(harness);
  done(harness, 'guest1');
  const leaving = harness.ask('guest0', 'mmu_notifier_unregister', {});
  assert.deepEqual(asked(harness), ['guest0 invalidate_range_start', 'guest0 release']);
  harness.answer(harness.open[1] ?? assert.fail(), {});
  assert.equal(harness.outcomeOf(leaving), 'waits');
  done(harness, 'guest0');
  assert.notEqual(harness.outcomeOf(leaving), 'waits');
  assert.notEqual(harness.outcomeOf(waiting), 'waits');
  assert.deepEqual(asked(harness), []);
  assert.match(harness.refusal('guest0', 'mmu_notifier_unregister', {}), /^no-such-subscription/);
});

test('a device has one, and registers it without mmap_lock', () => {
  const harness = registered();
  const again = { callbacks: 'start' };
  assert.match(harness.refusal('guest0', 'mmu_notifier_register', again), /^in-use/);
  harness.attach('gpu0');
  harness.result('gpu0', 'mmap_read_lock', {});
  assert.match(harness.refusal('gpu0', 'mmu_notifier_register', again), /^lock-held/);
  assert.match(
    harness.refusal('gpu0', 'get_user_pages', { range: RANGE, access: 'read' }),
    /^lock-held/,
  );
});

test('references are given back by those who have them, as often as they have', () => {
  const harness = registered();
  const { frames } = harness.result('guest0', 'get_user_pages', { range: RANGE, access: 'write' });
  assert.equal(frames.length, 1);
  const twice = [...frames, ...frames];
  assert.equal(
    harness.refusal('guest0', 'put_pages', { frames: twice }),
    'not-your-frame params.frames[1]',
  );
  assert.match(harness.refusal('guest1', 'put_pages', { frames }), /^not-your-frame/);
  harness.result('guest0', 'put_pages', { frames });
  assert.match(harness.refusal('guest0', 'put_pages', { frames }), /^not-your-frame/);
  const nowhere = { first: 0x900, end: 0x901 };
  assert.match(
    harness.refusal('guest0', 'get_user_pages', { range: nowhere, access: 'read' }),
    /^bad-address|^EFAULT/,
  );
});
