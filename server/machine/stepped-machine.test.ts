import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Inbound } from './remote/inbound.ts';
import { LiveMachine } from './remote/live-machine.ts';
import { RemoteHarness } from './remote/remote-machine.fixture.ts';
import { waitedFor } from './task-list.ts';

const ADDRESS = '0x100200000';
const PAGE = 0x100200;
const REGION = { address: ADDRESS, pages: 1 };

/** Two CPU threads and a device that maps the page; nothing runs by itself any more. */
function paused(): RemoteHarness {
  const harness = new RemoteHarness();
  harness.attach('cpu0', 'cpu');
  harness.attach('cpu1', 'cpu');
  harness.attach('gpu0');
  harness.result('cpu0', 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  harness.result('cpu0', 'store', { address: ADDRESS, value: '0x1' });
  const range = { first: PAGE, end: PAGE + 1 };
  harness.result('gpu0', 'mmu_interval_notifier_insert', { range });
  harness.machine.accept({ kind: 'pause' });
  return harness;
}

function ready(harness: RemoteHarness) {
  return harness.machine.tasks().filter(({ state }) => state === 'ready');
}

function resultOf(harness: RemoteHarness, request: number): unknown {
  const outcome = harness.outcomeOf(request);
  assert.ok(outcome !== 'waits' && outcome.ok);
  return outcome.result;
}

function stepTo(harness: RemoteHarness, actor: string): void {
  const task = ready(harness).find((one) => one.actor === actor);
  assert.ok(task !== undefined, `${actor} is not ready`);
  harness.machine.accept({ kind: 'step', task: task.id });
}

function runOut(harness: RemoteHarness, actor: string): void {
  while (ready(harness).some((task) => task.actor === actor)) stepTo(harness, actor);
}

test('a paused machine takes in what arrives, and runs no task', () => {
  const harness = paused();
  const load = harness.ask('cpu0', 'load', { address: ADDRESS });
  assert.equal(harness.outcomeOf(load), 'waits');
  assert.deepEqual(
    harness.machine.tasks().map(({ actor, name, at, state }) => ({ actor, name, at, state })),
    [{ actor: 'cpu0', name: 'load', at: 'task.start', state: 'ready' }],
  );
  harness.machine.accept({ kind: 'resume' });
  assert.deepEqual(resultOf(harness, load), { value: '0x1' });
});

test('the stepper decides which task goes first', () => {
  for (const [first, seen] of [
    ['cpu0', '0x1'],
    ['cpu1', '0x2'],
  ] as const) {
    const harness = paused();
    const load = harness.ask('cpu0', 'load', { address: ADDRESS });
    harness.ask('cpu1', 'store', { address: ADDRESS, value: '0x2' });
    runOut(harness, first);
    runOut(harness, first === 'cpu0' ? 'cpu1' : 'cpu0');
    assert.deepEqual(resultOf(harness, load), { value: seen });
  }
});

test('the next step is that of the task that would go on by itself', () => {
  const harness = paused();
  const load = harness.ask('cpu0', 'load', { address: ADDRESS });
  const store = harness.ask('cpu1', 'store', { address: ADDRESS, value: '0x2' });
  while (harness.outcomeOf(load) === 'waits')
    harness.machine.accept({ kind: 'step', task: 'next' });
  assert.equal(harness.outcomeOf(store), 'waits');
  assert.equal(ready(harness)[0]?.at, 'task.start');
});

test('a step of a task that cannot go on is none, and one of a running machine neither', () => {
  const harness = paused();
  const load = harness.ask('cpu0', 'load', { address: ADDRESS });
  const before = harness.machine.tasks();
  harness.machine.accept({ kind: 'step', task: 4_711 });
  assert.deepEqual(harness.machine.tasks(), before);
  harness.machine.accept({ kind: 'resume' });
  assert.notEqual(harness.outcomeOf(load), 'waits');
  harness.machine.accept({ kind: 'step', task: 'next' });
});

test('the list says what a task waits for, and which task has it', () => {
  const harness = paused();
  harness.silent.add('gpu0');
  harness.ask('cpu0', 'munmap', REGION);
  runOut(harness, 'cpu0');
  const [munmap] = harness.machine.tasks();
  assert.equal(munmap?.state, 'waits');
  assert.equal(munmap?.holder, 'gpu0');
  assert.ok(munmap !== undefined && munmap.waitsFor !== 'nothing');
  assert.equal(waitedFor(munmap.waitsFor), 'an answer');
  // cpu0 holds mmap_lock for writing meanwhile.
  harness.ask('cpu1', 'mmap', {
    address: '0x200000000',
    pages: 1,
    prot: 'rw',
    kind: 'anon-private',
  });
  runOut(harness, 'cpu1');
  const mmap = harness.machine.tasks().find(({ actor }) => actor === 'cpu1');
  assert.equal(mmap?.holder, 'cpu0');
  assert.ok(mmap !== undefined && mmap.waitsFor !== 'nothing');
  assert.match(waitedFor(mmap.waitsFor), /^mmap_lock/);
});

test('a device that was asked before may answer, and the task that waited for it is ready', () => {
  const harness = paused();
  harness.silent.add('gpu0');
  const munmap = harness.ask('cpu0', 'munmap', REGION);
  runOut(harness, 'cpu0');
  const question = harness.questionTo('gpu0');
  const { seq } = question.params as { readonly seq: number };
  harness.answer(question, { result: 'done', invalidate_seq: seq });
  assert.deepEqual(
    ready(harness).map(({ actor }) => actor),
    ['cpu0'],
  );
  harness.machine.accept({ kind: 'resume' });
  assert.deepEqual(resultOf(harness, munmap), {});
});

test('what a client tells has happened, before the answer behind it is looked at', () => {
  const harness = paused();
  const entry = { state: 'mapped', pfn: 7, access: 'read' };
  harness.notify('gpu0', 'mirror_changed', { changes: [{ page: PAGE, entry }] });
  assert.deepEqual(harness.machine.tasks(), []);
  assert.equal(harness.machine.view().mirrors.length, 1);
});

const CALLS = [
  ['load', { address: ADDRESS }],
  ['store', { address: ADDRESS, value: '0x5' }],
  ['madvise', { address: ADDRESS, pages: 1, advice: 'DONTNEED' }],
  ['mprotect', { ...REGION, prot: 'rw' }],
] as const;

const doing = fc.oneof(
  { weight: 2, arbitrary: fc.record({ cpu: fc.nat(3), call: fc.nat(CALLS.length - 1) }) },
  { weight: 4, arbitrary: fc.constant('next' as const) },
  { weight: 4, arbitrary: fc.nat(7) },
);

/** What happens in a machine that is looked at after each event, and in one that is not. */
function lookedAtOrNot(doings: readonly (number | 'next' | { cpu: number; call: number })[]) {
  const logs: [string[], string[]] = [[], []];
  const [seen, unseen] = logs.map((log) => {
    const event = (one: unknown) => log.push(JSON.stringify(one));
    return new LiveMachine({ patch: 'stock' }, { outbound: () => undefined, event });
  }) as [LiveMachine, LiveMachine];
  const both = (inbound: Inbound) => {
    unseen.accept(inbound);
    seen.accept(inbound);
    return seen.tasks().filter(({ state }) => state === 'ready');
  };
  const ask = (actor: string, id: number, method: string, params: unknown) =>
    both({ kind: 'request', actor, id, method, params, contents: [] });
  for (const actor of ['cpu0', 'cpu1', 'cpu2', 'cpu3'])
    both({ kind: 'attach', actor, role: 'cpu' });
  ask('cpu0', 0, 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  let ready = both({ kind: 'pause' });
  for (const [at, one] of doings.entries()) {
    if (typeof one === 'object') {
      const [method, params] = CALLS[one.call] ?? CALLS[0];
      ready = ask(`cpu${one.cpu}`, at + 1, method, params);
      continue;
    }
    const task = one === 'next' ? one : ready[one % Math.max(1, ready.length)]?.id;
    if (task !== undefined) ready = both({ kind: 'step', task });
  }
  return logs;
}

test('to look at the tasks changes nothing of what comes', () => {
  fc.assert(
    fc.property(fc.array(doing, { minLength: 40, maxLength: 80 }), (doings) => {
      const [seen, unseen] = lookedAtOrNot(doings);
      assert.deepEqual(unseen, seen);
    }),
    { numRuns: 150, seed: 3 },
  );
});
