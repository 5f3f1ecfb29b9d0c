/** Invalidation in two passes, of drivers in other processes: who is asked what, and what a device may answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelId } from '../../abi/kernel-ids.ts';
import type { QuestionParams } from '../../protocol/server-questions.ts';
import { type AskedQuestion, RemoteHarness } from './remote-machine.fixture.ts';

const ADDRESS = '0x100200000';
const RANGE = { first: 0x100200, end: 0x100201 };

/** gpu0 has two passes, gpu1 has one. Neither answers by itself. */
function subscribed(kernel: KernelId = 'mainline'): RemoteHarness {
  const harness = new RemoteHarness('stock', kernel);
  harness.attach('cpu0', 'cpu');
  harness.attach('gpu0');
  harness.attach('gpu1');
  harness.result('cpu0', 'mmap', { address: ADDRESS, pages: 1, prot: 'rw', kind: 'anon-private' });
  harness.result('cpu0', 'store', { address: ADDRESS, value: '0x2a' });
  harness.result('gpu0', 'mmu_interval_notifier_insert', { range: RANGE, passes: 'two' });
  harness.result('gpu1', 'mmu_interval_notifier_insert', { range: RANGE });
  harness.silent.add('gpu0').add('gpu1');
  return harness;
}

function dontneed(harness: RemoteHarness): number {
  return harness.ask('cpu0', 'madvise', { address: ADDRESS, pages: 1, advice: 'DONTNEED' });
}

function asked(harness: RemoteHarness): string[] {
  return harness.open.map(({ actor, method }) => `${actor} ${method}`);
}

function paramsOf({ params }: AskedQuestion): QuestionParams['invalidate_start'] {
  return params as QuestionParams['invalidate_start'];
}

function answers(harness: RemoteHarness, actor: string, result?: string): void {
  const question = harness.questionTo(actor);
  const { seq } = paramsOf(question);
  harness.answer(question, {
    ...(result === undefined ? {} : { result }),
    invalidate_seq: seq,
  });
}

test('the second pass begins when every device has begun, and the call ends with it', () => {
  const harness = subscribed();
  const waiting = dontneed(harness);
  assert.deepEqual(asked(harness).sort(), ['gpu0 invalidate_start', 'gpu1 invalidate']);
  const { call } = paramsOf(harness.questionTo('gpu0'));
  answers(harness, 'gpu0', 'begun');
  assert.deepEqual(asked(harness), ['gpu1 invalidate']);
  answers(harness, 'gpu1', 'done');
  assert.deepEqual(asked(harness), ['gpu0 invalidate_finish']);
  const finish = paramsOf(harness.questionTo('gpu0'));
  assert.deepEqual([finish.call, finish.range], [call, RANGE]);
  assert.equal(harness.outcomeOf(waiting), 'waits');
  answers(harness, 'gpu0');
  assert.deepEqual(harness.outcomeOf(waiting), { ok: true, result: {}, contents: [] });
  assert.deepEqual(harness.machine.world.oracles.violations, []);
});

test('what was done in the first pass has no second', () => {
  const harness = subscribed();
  const waiting = dontneed(harness);
  answers(harness, 'gpu0', 'done');
  answers(harness, 'gpu1', 'done');
  assert.notEqual(harness.outcomeOf(waiting), 'waits');
});

test('a kernel of one pass asks for the whole', () => {
  const harness = subscribed('6.12');
  dontneed(harness);
  assert.deepEqual(asked(harness), ['gpu0 invalidate', 'gpu1 invalidate']);
});

test('a device that is gone between the passes holds no task up', () => {
  for (const how of ['fence', 'detach'] as const) {
    const harness = subscribed();
    const waiting = dontneed(harness);
    answers(harness, 'gpu0', 'begun');
    answers(harness, 'gpu1', 'done');
    assert.equal(harness.outcomeOf(waiting), 'waits');
    harness[how]('gpu0');
    assert.notEqual(harness.outcomeOf(waiting), 'waits', how);
    harness.detach('gpu1');
    assert.deepEqual(harness.leftBehind(), []);
  }
});

test('an error in either pass, or a refusal of a range that may wait, fences the device', () => {
  const refusals: readonly (readonly [string, (harness: RemoteHarness) => void])[] = [
    ['invalidate_start', (harness) => harness.answerError(harness.questionTo('gpu0'))],
    ['invalidate_start', (harness) => answers(harness, 'gpu0', 'again')],
    [
      'invalidate_finish',
      (harness) => {
        answers(harness, 'gpu0', 'begun');
        harness.answerError(harness.questionTo('gpu0'));
      },
    ],
  ];
  for (const [method, refuse] of refusals) {
    const harness = subscribed();
    const waiting = dontneed(harness);
    answers(harness, 'gpu1', 'done');
    refuse(harness);
    assert.notEqual(harness.outcomeOf(waiting), 'waits');
    const fenced = harness.told.find((told) => told.method === 'fenced');
    assert.ok(fenced !== undefined);
    assert.equal((fenced.params as { readonly method?: string }).method, method);
  }
});
