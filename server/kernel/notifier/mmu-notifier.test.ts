import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type DeviceDriver,
  type IntervalSub,
  mmuIntervalReadRetry,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../abi/device-api.ts';
import type { RunningTask } from '../../scheduler/scheduler.ts';
import { wake } from '../../task/context.ts';
import { lock, newLock, unlock } from '../../task/lock.ts';
import { objectId } from '../../task/object-id.ts';
import { type Task, waitUntil, willRead, willWrite } from '../../task/task.ts';
import type { PageRange } from '../../vocabulary/address.ts';
import { pageIndex, pagesFrom } from '../../vocabulary/address.ts';
import { fail } from '../../vocabulary/errno.ts';
import { KernelBug } from '../../vocabulary/invariant.ts';
import { isOdd, type Seq } from '../../vocabulary/seq.ts';
import { everySchedule } from '../every-schedule.fixture.ts';
import type { Invalidation, InvalidationRequest, KernelFunctions } from '../kernel.ts';
import {
  assertAtRest,
  BASE,
  deviceApi,
  type KernelWorld,
  newKernelWorld,
  pageAt,
  run,
  waitsOf,
} from '../kernel-world.fixture.ts';
import { mmuNotifierInvalidateRangeEnd, moveSeq } from './mmu-notifier.ts';

const PAGE = pageAt(0);
const NEXT = pageAt(1);

function clearing(range: PageRange): InvalidationRequest {
  return { event: 'clear', range, owner: 'none', blocking: 'blockable' };
}

function seqOf(world: KernelWorld): Seq {
  return world.mm.subscriptions.invalidateSeq;
}

/** Brackets that were opened and not closed, by what the kernel told. */
function openBrackets(world: KernelWorld): number {
  const count = (kind: string) => world.events.filter((event) => event.kind === kind).length;
  return count('invalidate_range_start') - count('invalidate_range_end');
}

/** Opens a bracket, alone. */
function start(world: KernelWorld, range: PageRange): Invalidation {
  const { kernel, mm } = world;
  const opened = run(world, kernel.fn.mmuNotifierInvalidateRangeStart(kernel, mm, clearing(range)));
  return opened.ok ? opened.value : assert.fail(opened.errno);
}

function end(world: KernelWorld, bracket: Invalidation): void {
  run(world, world.kernel.fn.mmuNotifierInvalidateRangeEnd(world.kernel, bracket));
}

interface Calls {
  readonly driver: Pick<DeviceDriver, 'invalidate'>;
  readonly seen: { readonly range: NotifierRange; readonly seq: Seq }[];
}

/** A driver that keeps to the contract, has nothing to drop, and remembers what it was told. */
function recorder(): Calls {
  const seen: Calls['seen'] = [];
  return {
    seen,
    driver: {
      *invalidate(sub, range, seq) {
        seen.push({ range, seq });
        mmuIntervalSetSeq(sub, seq);
        return 'done';
      },
    },
  };
}

function subscribe(
  world: KernelWorld,
  range: PageRange,
  calls: Calls = recorder(),
  owner = 'gpu0',
): IntervalSub {
  const api = deviceApi(world, owner, calls.driver);
  const made = run(world, api.mmuIntervalNotifierInsert(range), owner);
  return made.ok ? made.value : assert.fail(made.errno);
}

/** Starts a task that should have to wait, and lets it come that far. */
function waiting(world: KernelWorld, task: Task<unknown>, at: string): RunningTask {
  const running = world.scheduler.spawn('gpu0', 'waiter', task);
  world.scheduler.runFirstCome(1_000);
  assert.deepEqual(waitsOf(world.scheduler.blockedTasks()), [`gpu0: ${at}`]);
  return running;
}

test('[MN2] the sequence is even at rest and goes up by two with each invalidation that hits', () => {
  const world = newKernelWorld();
  const calls = recorder();
  subscribe(world, PAGE, calls);
  const rest = seqOf(world);
  assert.ok(!isOdd(rest));
  const bracket = start(world, PAGE);
  assert.equal(seqOf(world), rest + 1);
  assert.deepEqual(
    calls.seen.map(({ seq }) => seq),
    [rest + 1],
  );
  end(world, bracket);
  assert.equal(seqOf(world), rest + 2);
  assertAtRest(world);
});

test('[MN2] an invalidation that no subscription covers leaves the sequence alone and calls no callback', () => {
  const world = newKernelWorld();
  const calls = recorder();
  subscribe(world, PAGE, calls);
  const rest = seqOf(world);
  const bracket = start(world, NEXT);
  assert.deepEqual([seqOf(world), calls.seen.length], [rest, 0]);
  end(world, bracket);
  assert.equal(seqOf(world), rest);
});

test('[MN2] of nested invalidations the last to end makes the sequence even, in whichever order', () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ] as const) {
    const world = newKernelWorld();
    const calls = recorder();
    subscribe(world, pagesFrom(BASE, 2), calls);
    const rest = seqOf(world);
    const brackets = [start(world, PAGE), start(world, NEXT)] as const;
    assert.deepEqual(
      calls.seen.map(({ seq }) => seq),
      [rest + 1, rest + 1],
    );
    end(world, brackets[order[0]]);
    assert.equal(seqOf(world), rest + 1);
    end(world, brackets[order[1]]);
    assert.equal(seqOf(world), rest + 2);
  }
});

test('[MN2] a bracket that hit no subscription still keeps a nested one odd until it ends', () => {
  const world = newKernelWorld();
  subscribe(world, PAGE);
  const rest = seqOf(world);
  const missed = start(world, NEXT);
  const hit = start(world, PAGE);
  assert.equal(seqOf(world), rest + 1);
  end(world, hit);
  assert.equal(seqOf(world), rest + 1);
  end(world, missed);
  assert.equal(seqOf(world), rest + 2);
});

test('[MN1] a bracket is ended once', () => {
  const world = newKernelWorld();
  const bracket = start(world, PAGE);
  end(world, bracket);
  assert.throws(
    () => end(world, bracket),
    (error) => error instanceof KernelBug && error.rule === 'MN1',
  );
});

test('a driver is told the event, the owner and whether it may wait; the kernel filters nothing', () => {
  const world = newKernelWorld();
  const { kernel, mm } = world;
  const calls = recorder();
  subscribe(world, PAGE, calls, 'gpu0');
  const request: InvalidationRequest = {
    event: 'migrate',
    range: pagesFrom(pageIndex(BASE - 4), 8),
    owner: 'gpu0',
    blocking: 'non-blockable',
  };
  const opened = run(world, kernel.fn.mmuNotifierInvalidateRangeStart(kernel, mm, request));
  assert.ok(opened.ok);
  assert.deepEqual(calls.seen[0]?.range, { mm: mm.id, ...request });
});

test('a range that is empty or ends beyond the address space is no subscription', () => {
  const world = newKernelWorld();
  const api = deviceApi(world, 'gpu0');
  const empty = { first: PAGE.first, end: PAGE.first };
  assert.deepEqual(run(world, api.mmuIntervalNotifierInsert(empty)), fail('EINVAL'));
  const beyond = { first: PAGE.first, end: (2 ** 35 + 1) as PageRange['end'] };
  assert.deepEqual(run(world, api.mmuIntervalNotifierInsert(beyond)), fail('EINVAL'));
});

test('a reader begins at once at rest, and while only other ranges are being invalidated', () => {
  const world = newKernelWorld();
  const here = subscribe(world, PAGE);
  subscribe(world, NEXT);
  const api = deviceApi(world, 'gpu0');
  const begun = run(world, api.mmuIntervalReadBegin(here));
  const elsewhere = start(world, NEXT);
  assert.equal(run(world, api.mmuIntervalReadBegin(here)), begun);
  assert.ok(!mmuIntervalReadRetry(here, begun));
  end(world, elsewhere);
  assert.ok(!mmuIntervalReadRetry(here, begun));
});

test('a reader waits while its range is being invalidated, and an older reader has to retry', () => {
  const world = newKernelWorld();
  const sub = subscribe(world, PAGE);
  const api = deviceApi(world, 'gpu0');
  const older = run(world, api.mmuIntervalReadBegin(sub));
  const first = start(world, PAGE);
  const second = start(world, PAGE);
  assert.ok(mmuIntervalReadRetry(sub, older));
  const reader = waiting(world, api.mmuIntervalReadBegin(sub), 'mmu_interval_read_begin.wait');
  end(world, first);
  assert.equal(reader.state, 'blocked');
  end(world, second);
  assert.equal(reader.state, 'done');
  assert.ok(!mmuIntervalReadRetry(sub, reader.result as Seq));
});

test('an insert while a subscription is being invalidated is deferred, and starts invalid', () => {
  const world = newKernelWorld();
  subscribe(world, PAGE);
  const calls = recorder();
  const bracket = start(world, PAGE);
  const sub = subscribe(world, PAGE, calls, 'gpu1');
  const nested = start(world, PAGE);
  assert.equal(calls.seen.length, 0);
  const api = deviceApi(world, 'gpu0');
  const reader = waiting(world, api.mmuIntervalReadBegin(sub), 'mmu_interval_read_begin.wait');
  end(world, bracket);
  assert.equal(reader.state, 'blocked');
  end(world, nested);
  assert.equal(reader.state, 'done');
  end(world, start(world, PAGE));
  assert.equal(calls.seen.length, 1);
});

test('an insert while an invalidation runs that hit no subscription starts invalid until that one ends', () => {
  const world = newKernelWorld();
  const bracket = start(world, PAGE);
  assert.ok(!isOdd(seqOf(world)));
  const calls = recorder();
  const sub = subscribe(world, PAGE, calls);
  assert.ok(isOdd(seqOf(world)));
  const api = deviceApi(world, 'gpu0');
  const reader = waiting(world, api.mmuIntervalReadBegin(sub), 'mmu_interval_read_begin.wait');
  const nested = start(world, PAGE);
  assert.equal(calls.seen.length, 1);
  end(world, nested);
  end(world, bracket);
  assert.equal(reader.state, 'done');
});

test('a remove at rest, or during an invalidation that hit no subscription, is done at once', () => {
  const world = newKernelWorld();
  const calls = recorder();
  const [one, two] = [subscribe(world, PAGE, calls), subscribe(world, PAGE, calls)];
  const api = deviceApi(world, 'gpu0');
  run(world, api.mmuIntervalNotifierRemove(one));
  const missed = start(world, NEXT);
  run(world, api.mmuIntervalNotifierRemove(two));
  end(world, missed);
  end(world, start(world, PAGE));
  assert.equal(calls.seen.length, 0);
});

test('a remove during an invalidation waits for its end', () => {
  const world = newKernelWorld();
  const calls = recorder();
  const sub = subscribe(world, PAGE, calls);
  const api = deviceApi(world, 'gpu0');
  const bracket = start(world, PAGE);
  const removal = waiting(
    world,
    api.mmuIntervalNotifierRemove(sub),
    'mmu_interval_notifier_remove.wait',
  );
  end(world, bracket);
  assert.equal(removal.state, 'done');
  end(world, start(world, PAGE));
  assert.equal(calls.seen.length, 1);
  assert.equal(world.mm.subscriptions.itree.size, 0);
});

test('[MN4] a removal that does not wait for a callback is told apart', () => {
  const overrides: Partial<KernelFunctions> = {
    *mmuIntervalNotifierRemove() {
      yield willWrite('remove.none', objectId('user', 0, 0));
    },
  };
  const world = newKernelWorld({ overrides });
  const sub = subscribe(world, PAGE);
  const bracket = start(world, PAGE);
  const api = deviceApi(world, 'gpu0');
  assert.throws(() => run(world, api.mmuIntervalNotifierRemove(sub)), /MN4/);
  end(world, bracket);
});

test('[MN6] a removal that returns before the list of those that wait is worked off is told apart', () => {
  const overrides: Partial<KernelFunctions> = {
    // It waits for the end of the bracket, which forgets the list.
    *mnItreeInvEnd(k, mm) {
      moveSeq(k, mm);
      wake(k.context, mm.subscriptions.object);
    },
  };
  const world = newKernelWorld({ overrides });
  const sub = subscribe(world, PAGE);
  const bracket = start(world, PAGE);
  const api = deviceApi(world, 'gpu0');
  const removal = waiting(
    world,
    api.mmuIntervalNotifierRemove(sub),
    'mmu_interval_notifier_remove.wait',
  );
  assert.throws(() => {
    end(world, bracket);
    world.scheduler.runFirstCome(1_000);
  }, /MN6/);
  assert.notEqual(removal.state, 'done');
});

test('[MN3] a subscription is removed once, at rest or while the first removal waits', () => {
  const world = newKernelWorld();
  const sub = subscribe(world, PAGE);
  const api = deviceApi(world, 'gpu0');
  const bracket = start(world, PAGE);
  waiting(world, api.mmuIntervalNotifierRemove(sub), 'mmu_interval_notifier_remove.wait');
  assert.throws(() => run(world, api.mmuIntervalNotifierRemove(sub)), /MN3/);
  end(world, bracket);
  assert.throws(() => run(world, api.mmuIntervalNotifierRemove(sub)), /MN3/);
});

test('a remove of a subscription whose insert is still deferred leaves nothing behind', () => {
  const world = newKernelWorld();
  subscribe(world, PAGE);
  const bracket = start(world, PAGE);
  const calls = recorder();
  const sub = subscribe(world, PAGE, calls, 'gpu1');
  run(world, deviceApi(world, 'gpu1').mmuIntervalNotifierRemove(sub));
  end(world, bracket);
  end(world, start(world, PAGE));
  assert.deepEqual([calls.seen.length, world.mm.subscriptions.itree.size], [0, 1]);
});

test('a device that may not wait and refuses makes EAGAIN, and the bracket is closed again', () => {
  const world = newKernelWorld();
  const { kernel, mm } = world;
  const calls = recorder();
  subscribe(world, PAGE, calls, 'gpu0');
  const refusing = deviceApi(world, 'gpu1', {
    *invalidate() {
      return 'again';
    },
  });
  assert.ok(run(world, refusing.mmuIntervalNotifierInsert(PAGE)).ok);
  const rest = seqOf(world);
  const request = { ...clearing(PAGE), blocking: 'non-blockable' } as const;
  const refused = run(world, kernel.fn.mmuNotifierInvalidateRangeStart(kernel, mm, request));
  assert.deepEqual(refused, fail('EAGAIN'));
  // The other device was told; it must be able to read again.
  assert.equal(calls.seen.length, 1);
  assert.equal(seqOf(world), rest + 2);
  assertAtRest(world);
});

test('[MN2] under every schedule of three nested brackets the sequence is odd while one is open', () => {
  const schedules = everySchedule(() => {
    const world = newKernelWorld({
      onStep: () => assert.equal(isOdd(seqOf(world)), openBrackets(world) > 0),
    });
    const { kernel, mm, scheduler } = world;
    subscribe(world, pagesFrom(BASE, 2));
    const rest = seqOf(world);
    function* bracket(range: PageRange): Task<void> {
      const request = clearing(range);
      const opened = yield* kernel.fn.mmuNotifierInvalidateRangeStart(kernel, mm, request);
      assert.ok(opened.ok);
      yield* kernel.fn.mmuNotifierInvalidateRangeEnd(kernel, opened.value);
    }
    for (const range of [PAGE, NEXT, PAGE]) scheduler.spawn('cpu', 'bracket', bracket(range));
    return {
      scheduler,
      check: (stuck) => {
        assert.deepEqual(waitsOf(stuck), []);
        // Brackets that overlap in time share one round of the sequence.
        const rounds = (seqOf(world) - rest) / 2;
        assert.ok(rounds === 1 || rounds === 2 || rounds === 3);
        assertAtRest(world);
      },
    };
  });
  assert.ok(schedules >= 90, `${schedules} schedules`);
});

/** One cell of memory, a CPU that changes it inside a bracket, and a device that caches it. */
interface CacheRace {
  readonly retry: 'under-the-lock' | 'before-the-lock' | 'never';
  readonly subscribes?: 'before' | 'meanwhile';
  readonly overrides?: Partial<KernelFunctions>;
}

/** What the device may be left with, over every schedule: the true value, nothing, or a stale one. */
function endingsOf({ retry, subscribes = 'before', overrides = {} }: CacheRace): Set<string> {
  const endings = new Set<string>();
  everySchedule(() => {
    const world = newKernelWorld({ overrides });
    const { kernel, mm, scheduler, context } = world;
    const driverLock = newLock('driver_lock', objectId('driver_lock', 0, 0));
    const cell = objectId('user', 0, 0);
    let memory = 'old';
    let cached = 'nothing';
    const api = deviceApi(world, 'gpu0', {
      *invalidate(sub, _range, seq) {
        const held = yield* lock(context, 'test.invalidate_lock', driverLock);
        mmuIntervalSetSeq(sub, seq);
        cached = 'nothing';
        unlock(context, held);
        return 'done';
      },
    });
    const earlier =
      subscribes === 'before' ? run(world, api.mmuIntervalNotifierInsert(PAGE)) : 'not-yet';
    function* fault(): Task<void> {
      const made = earlier === 'not-yet' ? yield* api.mmuIntervalNotifierInsert(PAGE) : earlier;
      assert.ok(made.ok);
      const sub = made.value;
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const begun = yield* api.mmuIntervalReadBegin(sub);
        yield willRead('test.read', cell);
        const seen = memory;
        const collided = mmuIntervalReadRetry(sub, begun);
        const held = yield* lock(context, 'test.install_lock', driverLock);
        const again = retry === 'under-the-lock' ? mmuIntervalReadRetry(sub, begun) : collided;
        if (retry === 'never' || !again) cached = seen;
        unlock(context, held);
        if (cached !== 'nothing') return;
      }
    }
    function* change(): Task<void> {
      const request = clearing(PAGE);
      const opened = yield* kernel.fn.mmuNotifierInvalidateRangeStart(kernel, mm, request);
      assert.ok(opened.ok);
      yield willWrite('test.write', cell);
      memory = 'new';
      yield* kernel.fn.mmuNotifierInvalidateRangeEnd(kernel, opened.value);
    }
    scheduler.spawn('gpu0', 'fault', fault());
    scheduler.spawn('cpu0', 'change', change());
    return {
      scheduler,
      check: (stuck) => {
        endings.add(stuck.length > 0 ? waitsOf(stuck).join() : cached);
      },
    };
  });
  return endings;
}

test('a driver that checks the sequence under its lock never keeps what has changed', () => {
  assert.deepEqual(endingsOf({ retry: 'under-the-lock' }), new Set(['new', 'nothing']));
});

test('nor does one that subscribes just then', () => {
  assert.deepEqual(
    endingsOf({ retry: 'under-the-lock', subscribes: 'meanwhile' }),
    new Set(['new', 'nothing']),
  );
});

test('one that does not check, or checks before it has the lock, keeps a stale value sometimes', () => {
  assert.ok(endingsOf({ retry: 'never' }).has('old'));
  assert.ok(endingsOf({ retry: 'before-the-lock' }).has('old'));
});

test('a kernel that forgets to wake readers at the end leaves one waiting for ever', () => {
  const endings = endingsOf({
    retry: 'under-the-lock',
    overrides: {
      *mmuNotifierInvalidateRangeEnd(k, invalidation) {
        yield* mmuNotifierInvalidateRangeEnd(k, invalidation);
        k.context.changed.length = 0;
      },
    },
  });
  assert.ok(endings.has('gpu0: mmu_interval_read_begin.wait'));
});

test('several devices are told in every order, and all have answered before the change', () => {
  const orders = new Set<string>();
  everySchedule(() => {
    const world = newKernelWorld();
    const { kernel, mm, scheduler, context } = world;
    const told: string[] = [];
    for (const owner of ['gpu0', 'gpu1', 'gpu2']) {
      const gate = objectId('user', 0, told.length);
      const api = deviceApi(world, owner, {
        *invalidate(sub, _range, seq) {
          yield waitUntil('test.answer', gate, () => true);
          mmuIntervalSetSeq(sub, seq);
          told.push(owner);
          wake(context, gate);
          return 'done';
        },
      });
      assert.ok(run(world, api.mmuIntervalNotifierInsert(PAGE)).ok);
    }
    function* change(): Task<void> {
      const opened = yield* kernel.fn.mmuNotifierInvalidateRangeStart(kernel, mm, clearing(PAGE));
      assert.ok(opened.ok);
      assert.equal(told.length, 3);
      yield* kernel.fn.mmuNotifierInvalidateRangeEnd(kernel, opened.value);
    }
    scheduler.spawn('cpu0', 'change', change());
    return { scheduler, check: () => orders.add(told.join()) };
  });
  assert.equal(orders.size, 6);
});

test('after remove has returned no callback of the subscription runs, under any schedule', () => {
  const outcomes = new Set<string>();
  everySchedule(() => {
    const world = newKernelWorld();
    const { kernel, mm, scheduler } = world;
    let state: 'registered' | 'removed' = 'registered';
    let calls = 0;
    const api = deviceApi(world, 'gpu0', {
      *invalidate(sub, _range, seq) {
        assert.equal(state, 'registered', 'called after remove');
        yield willWrite('test.callback', sub.object);
        assert.equal(state, 'registered', 'still running after remove');
        mmuIntervalSetSeq(sub, seq);
        calls += 1;
        return 'done';
      },
    });
    const made = run(world, api.mmuIntervalNotifierInsert(PAGE));
    assert.ok(made.ok);
    const sub = made.value;
    function* remove(): Task<void> {
      yield* api.mmuIntervalNotifierRemove(sub);
      state = 'removed';
    }
    function* change(): Task<void> {
      const opened = yield* kernel.fn.mmuNotifierInvalidateRangeStart(kernel, mm, clearing(PAGE));
      assert.ok(opened.ok);
      yield* kernel.fn.mmuNotifierInvalidateRangeEnd(kernel, opened.value);
    }
    scheduler.spawn('gpu0', 'remove', remove());
    scheduler.spawn('cpu0', 'change', change());
    scheduler.spawn('cpu1', 'change', change());
    return {
      scheduler,
      check: (stuck) => {
        assert.deepEqual(waitsOf(stuck), []);
        assert.equal(mm.subscriptions.itree.size, 0);
        outcomes.add(`called ${calls} times`);
        assertAtRest(world);
      },
    };
  });
  assert.deepEqual([...outcomes].sort(), ['called 0 times', 'called 1 times', 'called 2 times']);
});
