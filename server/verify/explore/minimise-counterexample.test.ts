/** What is told of a schedule that fails: in few actors, and true of every execution that it speaks of. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pageLockUnderDriverLock } from '../../../clients/drivers/faulty/page-lock-under-driver-lock.ts';
import type { DriverVariant } from '../../../clients/drivers/interface/driver-variant.ts';
import { failureKind } from '../../explorer/failure.ts';
import { replayQuietly } from '../../explorer/without-footprint.ts';
import { mappingOf } from '../../kernel/memory/frames.ts';
import type { Patch } from '../../patches/patch.ts';
import { PATCHES } from '../../patches/patches.ts';
import { describeBound } from '../../report/bound.ts';
import { describeFailure } from '../../report/describe-failure.ts';
import { raceDiagram } from '../../report/diagram.ts';
import { FORMAT_NAMES } from '../../report/format-names.ts';
import { FORMATS } from '../../report/formats.ts';
import { metaOf } from '../../report/golden/golden-runs.fixture.ts';
import { lockdepLines } from '../../report/splat/lockdep.ts';
import { readScenario } from '../../scenario/read-scenario.ts';
import { AS_WRITTEN, planScenario, type ScenarioChoice } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';
import { readLock } from '../../task/rwsem.ts';
import { willLower } from '../../task/task.ts';
import { seq } from '../../vocabulary/seq.ts';
import { recordExecution } from '../answer/record-execution.ts';
import { waitsOf } from '../answer/waits.ts';
import { exploreScenario, type ScenarioVerdict } from './explore-scenario.ts';

const FOLDER = fileURLToPath(new URL('../../../scenarios/', import.meta.url));

function explored(text: string, choice: Partial<ScenarioChoice>): ScenarioVerdict {
  const read = readScenario(text, 'sample.yaml');
  assert.ok(read.ok, JSON.stringify(read));
  const plan = planScenario(read.scenario, { ...AS_WRITTEN, ...choice });
  return exploreScenario(plan, {
    strategy: 'dpor',
    budgetExecutions: 5_000,
    budgetSeconds: 60,
    seed: 1,
    depth: 3,
    clock: () => 0,
    onProgress: () => undefined,
  });
}

function shipped(name: string, choice: Partial<ScenarioChoice>): ScenarioVerdict {
  return explored(readFileSync(`${FOLDER}${name}.yaml`, 'utf8'), choice);
}

function patch(id: string): { readonly patches: readonly Patch[] } {
  const found = PATCHES.get(id);
  return found === undefined ? assert.fail(id) : { patches: [found] };
}

function counterexampleOf({ counterexample }: ScenarioVerdict) {
  return counterexample === 'none' ? assert.fail('nothing failed') : counterexample;
}

const SEED = patch('remove-second-invalidate');

/** Numbered rows of a drawing, by the first column's number. */
function rowsOf(drawing: string): number {
  return drawing.split('\n').filter((line) => /^ *\d+\. /.test(line)).length;
}

test('eight devices shrink to the two that it takes, and the same picture', () => {
  const eight = shipped('seed-zero-page', { ...SEED, parameters: { devices: 8 } });
  const two = shipped('seed-zero-page', SEED);
  assert.equal(eight.plan.devices.length, 2);
  assert.deepEqual(counterexampleOf(eight).choices, counterexampleOf(two).choices);
});

test('actors, operations and pages that it does not take go', () => {
  const crowded = `name: crowded
title: The seed race among bystanders
provenance: test
vmas:
  - { name: a, address: 0x100200000, pages: 4, prot: rw, kind: anon-private }
  - { name: b, address: 0x100300000, pages: 2, prot: rw, kind: anon-private }
setup: [{ actor: cpu0, do: load, at: a }]
actors:
  - { name: cpu0, kind: cpu, program: [{ do: store, at: b, value: 1 }, { do: load, at: b, as: r0 }] }
  - { name: dev0, kind: device, program: [{ do: fault-read, at: b }, { do: migrate, at: a, pages: 2 }] }
  - { name: dev1, kind: device, program: [{ do: fault-read, at: a, pages: 2 }] }
  - { name: dev2, kind: device, program: [{ do: fault-write, at: b+1 }] }
expect: { patches: { stock: holds } }
`;
  const { plan, counterexample } = explored(crowded, SEED);
  assert.ok(counterexample !== 'none');
  assert.deepEqual(
    plan.threads.map(({ actor, ops }) => [actor, ops.length]),
    [
      ['dev0', 1],
      ['dev1', 1],
    ],
  );
  assert.equal(plan.vmas.find(({ name }) => name === 'a')?.pages, 1);
  assert.match(describeFailure(counterexample.failure), /^OR1: dev1 maps/);
});

test('what is shown fails as it says, its sibling does not, and the numbers are those of the drawing', () => {
  const verdict = shipped('seed-zero-page', SEED);
  const { plan } = verdict;
  const { choices, failure, nearestPassingSchedule, turn } = counterexampleOf(verdict);
  const newRun = () => newScenarioRun(plan);
  assert.deepEqual(replayQuietly(newRun, choices, stepsMaxOf(plan)).failure, failure);
  assert.ok(nearestPassingSchedule !== 'none');
  assert.equal(
    replayQuietly(newRun, nearestPassingSchedule.choices, stepsMaxOf(plan)).failure,
    'none',
  );
  const drawing = raceDiagram(recordExecution(plan, choices).events, { columns: 75, turn });
  const [, decided] = /Point of no return: (\d+)\./.exec(drawing) ?? [];
  assert.equal(decided, '4');
  // The row that is marked has that number.
  const marked = drawing.slice(0, drawing.indexOf('<-- no return'));
  assert.equal(rowsOf(marked), Number(decided));
  assert.match(drawing, /Swap 3 and 4, and nothing happens\./);
  assert.equal(rowsOf(drawing), 7);
});

test('before the point of no return some continuation is safe, after it none is', () => {
  const verdict = shipped('seed-zero-page', SEED);
  const { choices, pointOfNoReturn } = counterexampleOf(verdict);
  assert.ok(pointOfNoReturn !== 'unknown');
  const newRun = () => newScenarioRun(verdict.plan);
  const failuresBehind = (step: number) => {
    const tasks = [...new Set(choices)];
    // Whoever goes first behind it, and then to its end.
    return tasks.map((first) => {
      const prefix = [...choices.slice(0, step), ...new Array<number>(60).fill(first)];
      return replayQuietly(newRun, prefix, stepsMaxOf(verdict.plan)).failure !== 'none';
    });
  };
  assert.ok(failuresBehind(pointOfNoReturn).every((fails) => fails));
  assert.ok(!failuresBehind(pointOfNoReturn - 1).every((fails) => fails));
});

test('[OR5] race 38: the deadlock with locks, holders, waiters and the circle, also as lockdep tells it', () => {
  const drivers = new Map<string, DriverVariant>([['*', pageLockUnderDriverLock]]);
  const counterexample = counterexampleOf(shipped('page-lock-under-driver-lock', { drivers }));
  const { stuck, failure } = counterexample;
  assert.equal(failureKind(failure), 'OR5: deadlock');
  assert.ok(stuck !== undefined);
  assert.deepEqual([stuck.kind, stuck.cycle], ['deadlock', 'cpu0 -> dev0 -> cpu0']);
  const cpu0 = stuck.waits.find(({ actor }) => actor === 'cpu0');
  assert.equal(cpu0?.wants, 'driver_lock of dev0');
  assert.deepEqual(cpu0?.heldBy, [
    { actor: 'dev0', task: 'fault-read', at: 'dmirror_fault.lock', state: 'waits' },
  ]);
  const meta = metaOf({ scenario: 'x', patch: 'stock', verdict: 'broken', seen: failure } as never);
  const splat = lockdepLines({ ...meta, waits: waitsOf(counterexample) }).join('\n');
  assert.match(splat, /possible circular locking dependency/);
  assert.match(
    splat,
    /(page_lock --> driver_lock --> page_lock|driver_lock --> page_lock --> driver_lock)/,
  );
  assert.match(splat, /\*\*\* DEADLOCK \*\*\*/);
});

test('[OR5] race 25: a bracket that is not ended is a lost wake-up and not a deadlock', () => {
  const { stuck, failure } = counterexampleOf(
    shipped('nonblock-unpaired-end', patch('eagain-without-end')),
  );
  assert.equal(failureKind(failure), 'OR5: lost wake-up');
  assert.equal(stuck?.cycle, 'dev1 -> none');
  assert.equal(stuck?.chain[0]?.heldBy[0]?.state, 'ended');
});

/** Ends brackets, but leaves those who wait for that asleep. */
const forgetsToWake: Patch = {
  id: 'forgets-to-wake',
  provenance: 'test',
  summary: 'makes the sequence even and wakes nobody',
  overrides: () => ({
    *mmuNotifierInvalidateRangeEnd(k, { id, mm: { subscriptions } }) {
      yield willLower('forgets_to_wake.seq', subscriptions.object);
      k.invalidations.delete(id);
      subscriptions.activeInvalidateRanges -= 1;
      if (subscriptions.activeInvalidateRanges > 0) return;
      subscriptions.invalidateSeq = seq(subscriptions.invalidateSeq + 1);
    },
  }),
};

test('[OR5] a task that sleeps though what it waits for is so has lost a wake-up', () => {
  const text = `name: asleep
title: A device that waits for an invalidation
provenance: test
vmas: [{ name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }]
setup: [{ actor: cpu0, do: store, at: a, value: 1 }]
actors:
  - { name: cpu0, kind: cpu, program: [{ do: madvise, at: a, advice: DONTNEED }] }
  - { name: dev0, kind: device, program: [{ do: fault-read, at: a }] }
oracles: [OR5]
expect: { patches: { stock: holds } }
`;
  assert.equal(explored(text, {}).verdict, 'holds');
  const { failure, stuck } = counterexampleOf(explored(text, { patches: [forgetsToWake] }));
  assert.match(
    describeFailure(failure),
    /^OR5: lost wake-up: dev0 .* which is so, but it was not woken$/,
  );
  assert.equal(stuck?.cycle, 'dev0 -> none');
});

/** A walk that returns early, with the lock. */
const keepsRmapLock: Patch = {
  id: 'keeps-rmap-lock',
  provenance: 'this test',
  summary: 'rmap_walk() forgets to give the anon_vma lock back',
  overrides: () => ({
    *rmapWalk(k, pfn) {
      const anonVma = k.anonVmas.get(mappingOf(k.frames, pfn).id);
      if (anonVma !== undefined) yield* readLock(k.context, 'rmap_walk.keep', anonVma.rwsem);
    },
  }),
};

test('[OR5] a task that waits for the lock of a reverse map is told by its name, with the one that has it', () => {
  const text = `name: kept
title: A process ends while a page of its own migrates
provenance: test
vmas: [{ name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }]
setup: [{ actor: cpu0, do: store, at: a, value: 1 }]
actors:
  - { name: cpu0, kind: cpu, program: [{ do: munmap, at: a }] }
  - { name: dev0, kind: device, program: [{ do: migrate, at: a }] }
oracles: [OR5]
expect: { patches: { stock: holds } }
`;
  const { failure } = counterexampleOf(explored(text, { patches: [keepsRmapLock] }));
  assert.equal(
    describeFailure(failure),
    'OR5: lost wake-up: cpu0 (munmap) waits at unlink_anon_vmas.anon_vma_lock for the anon_vma lock, ' +
      'which dev0 (migrate) has since rmap_walk.keep and has ended',
  );
});

test('[LK3] locks in the wrong order are told though nothing deadlocks and it was not asked for', () => {
  const quiet = `name: quiet
title: A driver that takes locks in the wrong order, undisturbed
provenance: test
vmas: [{ name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }]
setup: [{ actor: cpu0, do: store, at: a, value: 1 }]
actors:
  - { name: cpu0, kind: cpu }
  - { name: dev0, kind: device, program: [{ do: fault-read, at: a }] }
expect: { patches: { stock: holds } }
`;
  const drivers = new Map<string, DriverVariant>([['*', pageLockUnderDriverLock]]);
  const wrong = explored(quiet, { drivers });
  assert.equal(wrong.verdict, 'holds');
  assert.deepEqual(wrong.lockOrder, [
    {
      actor: 'dev0',
      task: 'fault-read',
      at: 'set_page_dirty_lock.lock',
      wants: 'page_lock',
      holds: 'driver_lock',
      since: 'dmirror_fault.lock',
    },
  ]);
  assert.deepEqual(explored(quiet, {}).lockOrder, []);
});

test('[OR5] race 17: a fair round repeats, and both threads take part in it', () => {
  const { livelock, failure, pointOfNoReturn } = counterexampleOf(
    shipped('device-fault-livelock', patch('device-fault-reference-before-lock')),
  );
  assert.equal(failureKind(failure), 'OR5: livelock');
  assert.equal(pointOfNoReturn, 'unknown');
  assert.ok(livelock !== undefined);
  assert.deepEqual([...new Set(livelock.steps.map(({ actor }) => actor))], ['cpu0', 'cpu1']);
  assert.ok(livelock.rounds > 1);
  const faults = livelock.steps.filter(({ at }) => at === 'do_user_addr_fault.mmap_lock');
  assert.deepEqual(
    faults.map(({ actor }) => actor),
    ['cpu0', 'cpu1'],
  );
});

/** Refuses the first `count` faults of each thread, for no reason: bad luck that ends. */
function unlucky(count: number): Patch {
  return {
    id: 'unlucky',
    provenance: 'test',
    summary: 'handles no fault at first',
    overrides(stock) {
      return {
        *handleMmFault(k, request) {
          const seen = k.swap.slots.size;
          k.swap.slots.set(seen, {
            number: seen,
            uses: 0,
            contents: [] as never,
            cached: 'none',
            claim: 'free',
          });
          return seen < count ? 'done' : yield* stock.handleMmFault(k, request);
        },
      };
    },
  };
}

test('[OR5] threads that were only unlucky are no livelock: no state comes again', () => {
  const two = `name: two
title: Two threads that fault
provenance: test
vmas: [{ name: a, address: 0x100200000, pages: 2, prot: rw, kind: anon-private }]
actors:
  - { name: cpu0, kind: cpu, program: [{ do: load, at: a }] }
  - { name: cpu1, kind: cpu, program: [{ do: load, at: a+1 }] }
oracles: [OR5]
bounds: { faults: 1 }
expect: { patches: { stock: holds } }
`;
  const { verdict, bound, counterexample } = explored(two, { patches: [unlucky(8)] });
  assert.deepEqual([verdict, counterexample], ['unknown', 'none']);
  assert.match(
    describeBound(bound),
    /livelock.*no state was seen to repeat under a fair scheduler/,
  );
});

test('every form that can hold it marks the point of no return', () => {
  const verdict = shipped('seed-zero-page', SEED);
  const { choices, turn } = counterexampleOf(verdict);
  const meta = {
    ...metaOf({ scenario: 'x', patch: 'x', verdict: 'broken', seen: '' } as never),
    turn,
  };
  const events = recordExecution(verdict.plan, choices).events;
  const marked = FORMAT_NAMES.filter((name) =>
    /no return/.test(FORMATS[name].render(events, meta)),
  );
  assert.deepEqual(marked, [
    'diagram',
    'timeslice',
    'ktap',
    'ftrace',
    'perfetto',
    'shiviz',
    'html',
  ]);
});
