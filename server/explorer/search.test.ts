/** The reduction must lose no outcome: what dpor finds is what plain depth-first search finds, on random programs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Scheduler } from '../scheduler/scheduler.ts';
import { newTaskContext, touch, wake } from '../task/context.ts';
import { lock, newLock, tryLock, unlock } from '../task/lock.ts';
import { objectId } from '../task/object-id.ts';
import { newRwSem, readLock, readUnlock, writeLock, writeUnlock } from '../task/rwsem.ts';
import { type Task, waitUntil, willRead, willWrite } from '../task/task.ts';
import { together } from '../task/together.ts';
import type { NewExplored, WorldContents } from './explored.ts';
import { type SearchResult, search } from './search.ts';
import { searchStates } from './search-states.ts';
import { NO_SYMMETRY, type Symmetry } from './symmetry.ts';

type Op =
  | { readonly op: 'read' | 'write' | 'add'; readonly at: number }
  | {
      readonly op: 'locked-write' | 'try-write' | 'shared-read' | 'exclusive-write';
      readonly at: number;
    }
  | { readonly op: 'await' | 'post' }
  | { readonly op: 'fork'; readonly at: number };

const OBJECTS = 2;
/** Programs with more interleavings than this are not compared. */
const EXECUTIONS_MAX = 3_000;
const LOCK = objectId('driver_lock', 0, 0);
const SEM = objectId('mmap_lock', 0, 0);
const POSTED = objectId('answer', 0, 0);
const cell = (at: number) => objectId('user', 0, at);

/** Each task runs its ops over shared cells; the outcome is every register and every cell. */
function world(
  programs: readonly (readonly Op[])[],
  tells: 'its contents' | 'nothing' = 'nothing',
  twins: 'none' | 'all but the first' = 'none',
): NewExplored {
  return () => {
    const context = newTaskContext();
    const scheduler = new Scheduler(context);
    const cells = new Array<number>(OBJECTS).fill(0);
    const counts = new Array<number>(OBJECTS).fill(0);
    const registers: string[] = programs.map(() => '');
    const mutex = newLock('driver_lock', LOCK);
    const sem = newRwSem('mmap_lock', SEM);
    let posted = 0;
    function* run(who: number, ops: readonly Op[]): Task<void> {
      for (const [index, op] of ops.entries()) {
        const likeWho = twins === 'none' ? who : Math.min(who, 1);
        const value = likeWho * 10 + index + 1;
        switch (op.op) {
          case 'read':
            yield willRead('test.read', cell(op.at));
            registers[who] += `r${cells[op.at]}`;
            break;
          case 'write':
            yield willWrite('test.write', cell(op.at));
            cells[op.at] = value;
            break;
          case 'add':
            yield willRead('test.add', objectId('user', 1, who));
            touch(context, objectId('page', 0, op.at), 'add');
            counts[op.at] = (counts[op.at] ?? 0) + 1;
            break;
          case 'locked-write': {
            const held = yield* lock(context, 'test.lock', mutex);
            yield willWrite('test.locked', cell(op.at));
            registers[who] += `l${cells[op.at]}`;
            cells[op.at] = value;
            unlock(context, held);
            break;
          }
          case 'try-write': {
            yield willWrite('test.trylock', LOCK);
            const held = tryLock(context, mutex);
            if (held === 'busy') registers[who] += 'busy';
            else {
              yield willWrite('test.tried', cell(op.at));
              cells[op.at] = value;
              unlock(context, held);
            }
            break;
          }
          case 'shared-read': {
            const held = yield* readLock(context, 'test.read_lock', sem);
            yield willRead('test.shared', cell(op.at));
            registers[who] += `s${cells[op.at]}`;
            readUnlock(context, held);
            break;
          }
          case 'exclusive-write': {
            const held = yield* writeLock(context, 'test.write_lock', sem);
            yield willWrite('test.exclusive', cell(op.at));
            cells[op.at] = value;
            writeUnlock(context, held);
            break;
          }
          case 'await':
            yield waitUntil('test.await', POSTED, () => posted > 0);
            registers[who] += 'w';
            break;
          case 'post':
            yield willWrite('test.post', POSTED);
            posted += 1;
            wake(context, POSTED);
            break;
          case 'fork': {
            const parts = [0, 1].map((part) => ({
              actor: `child${part}`,
              name: `child${part}`,
              task: child(op.at, value + part * 100),
            }));
            yield* together(context, 'test.together', parts);
            break;
          }
        }
      }
    }
    function* child(at: number, value: number): Task<void> {
      yield willWrite('test.child', cell(at));
      cells[at] = value;
    }
    for (const [who, ops] of programs.entries()) {
      scheduler.spawn(`t${who}`, `t${who}`, run(who, ops));
    }
    // Whose register it is does not matter among twins.
    const told = (all: readonly string[]) =>
      twins === 'none' ? all : [all[0] ?? '', ...all.slice(1).sort()];
    const contents: WorldContents = {
      contentOf(object) {
        const index = [0, 1].find((at) => object === cell(at));
        if (index !== undefined) return cells[index] ?? 0;
        // What the locks guard.
        if (object === LOCK || object === SEM) return cells.join();
        return object === POSTED ? posted : 'unknown';
      },
      learnableAt: () => 'the content',
      comparedAt: () => 'unknown',
      derived: () => [],
      rest: () => told(registers).join(),
      windowReached: () => '',
    };
    return {
      scheduler,
      failure: () => 'none',
      failureAtEnd: (stuck) => (stuck.length === 0 ? 'none' : `stuck: ${stuck.length}`),
      windowEntered: () => true,
      outcome: () => JSON.stringify([told(registers), cells, counts]),
      alsoReads: () => [],
      ...(tells === 'nothing' ? {} : { contents }),
    };
  };
}

function covered(programs: readonly (readonly Op[])[], strategy: 'dpor' | 'dfs'): SearchResult {
  return search(world(programs), {
    strategy,
    stepsMax: 200,
    counterexamples: 'all',
    goOn: ({ executions }) => (executions < EXECUTIONS_MAX ? 'go on' : 'stop'),
  });
}

const at = fc.integer({ min: 0, max: OBJECTS - 1 });
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ op: fc.constantFrom('read' as const, 'write' as const), at }),
  fc.record({ op: fc.constantFrom('read' as const, 'write' as const, 'add' as const), at }),
  fc.record({
    op: fc.constantFrom(
      'locked-write' as const,
      'try-write' as const,
      'shared-read' as const,
      'exclusive-write' as const,
    ),
    at,
  }),
  fc.record({ op: fc.constantFrom('await' as const, 'post' as const) }),
  fc.record({ op: fc.constant('fork' as const), at }),
);

test('dpor finds the outcomes of plain search, with no more executions', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(op, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 3 }),
      (programs) => {
        const plain = covered(programs, 'dfs');
        fc.pre(plain.ended === 'complete');
        const reduced = covered(programs, 'dpor');
        assert.equal(reduced.ended, 'complete');
        assert.deepEqual([...reduced.outcomes.keys()].sort(), [...plain.outcomes.keys()].sort());
        assert.ok(reduced.executions <= plain.executions);
      },
    ),
    { seed: 20260701, numRuns: 200 },
  );
});

for (const tells of ['nothing', 'its contents'] as const) {
  test(`the search over states finds the outcomes of plain search in a world that tells ${tells}`, () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(op, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 3 }),
        (programs) => {
          const plain = covered(programs, 'dfs');
          fc.pre(plain.ended === 'complete');
          const reduced = searchStates(world(programs, tells), {
            stepsMax: 200,
            counterexamples: 'all',
            goOn: () => 'go on',
          });
          assert.equal(reduced.ended, 'complete');
          assert.deepEqual([...reduced.outcomes.keys()].sort(), [...plain.outcomes.keys()].sort());
        },
      ),
      { seed: 20260702, numRuns: 200 },
    );
  });
}

/** Two readers that see a write differently: the order that a test of initials without the step itself loses. */
const READERS_APART: readonly (readonly Op[])[] = [
  [
    { op: 'locked-write', at: 0 },
    { op: 'read', at: 0 },
  ],
  [{ op: 'read', at: 0 }],
  [{ op: 'read', at: 0 }],
];

test('one reader may come before a write and the other behind it, whichever', () => {
  const plain = [...covered(READERS_APART, 'dfs').outcomes.keys()].sort();
  assert.equal(plain.length, 4);
  assert.deepEqual([...covered(READERS_APART, 'dpor').outcomes.keys()].sort(), plain);
  for (const tells of ['nothing', 'its contents'] as const) {
    const { outcomes } = searchStates(world(READERS_APART, tells), {
      stepsMax: 200,
      counterexamples: 'all',
      goOn: () => 'go on',
    });
    assert.deepEqual([...outcomes.keys()].sort(), plain);
  }
});

test('a world that does not say all that it holds makes the search lose outcomes', () => {
  const programs: Op[][] = [
    [{ op: 'write', at: 0 }],
    [
      { op: 'write', at: 0 },
      { op: 'read', at: 0 },
    ],
  ];
  const options = { stepsMax: 200, counterexamples: 'all', goOn: () => 'go on' as const } as const;
  const honest = searchStates(world(programs, 'its contents'), options);
  const secretive = searchStates(() => {
    const built = world(programs, 'its contents')();
    const contents = built.contents as WorldContents;
    return { ...built, contents: { ...contents, contentOf: () => 0, rest: () => '' } };
  }, options);
  assert.equal(honest.outcomes.size, 3);
  assert.ok(secretive.outcomes.size < 3);
});

const TWINS: Symmetry = { ...NO_SYMMETRY, groups: [['t1', 't2']] };

test('of interchangeable tasks it does not matter which is which', () => {
  let fewer = 0;
  fc.assert(
    fc.property(
      fc.array(op, { minLength: 1, maxLength: 2 }),
      fc.array(op, { minLength: 1, maxLength: 2 }),
      (single, twin) => {
        const programs = [single, twin, twin];
        const build = world(programs, 'its contents', 'all but the first');
        const plain = search(build, {
          strategy: 'dfs',
          stepsMax: 200,
          counterexamples: 'all',
          goOn: ({ executions }) => (executions < EXECUTIONS_MAX ? 'go on' : 'stop'),
        });
        fc.pre(plain.ended === 'complete');
        const options = {
          stepsMax: 200,
          counterexamples: 'all',
          goOn: () => 'go on' as const,
        } as const;
        const apart = searchStates(build, options);
        const alike = searchStates(build, { ...options, symmetry: TWINS });
        assert.deepEqual([...alike.outcomes.keys()].sort(), [...plain.outcomes.keys()].sort());
        if (alike.states < apart.states) fewer += 1;
      },
    ),
    { seed: 20260703, numRuns: 60 },
  );
  assert.ok(fewer > 20, `${fewer} searches were smaller`);
});

test('commuting tasks are one execution, conflicting ones every order', () => {
  const apart = covered([[{ op: 'write', at: 0 }], [{ op: 'write', at: 1 }]], 'dpor');
  assert.deepEqual([apart.executions, apart.redundant], [1, 0]);
  const together = covered(
    [[{ op: 'write', at: 0 }], [{ op: 'write', at: 0 }], [{ op: 'write', at: 0 }]],
    'dpor',
  );
  assert.equal(together.executions, 6);
  const plain = covered([[{ op: 'write', at: 0 }], [{ op: 'write', at: 1 }]], 'dfs');
  assert.equal(plain.executions, 6);
});

test('reference counts commute, and so do readers of one lock', () => {
  const counts = covered([[{ op: 'add', at: 0 }], [{ op: 'add', at: 0 }]], 'dpor');
  assert.equal(counts.executions, 1);
  const readers = covered([[{ op: 'shared-read', at: 0 }], [{ op: 'shared-read', at: 0 }]], 'dpor');
  assert.equal(readers.executions, 1);
});

test('a task that waits for a post that never comes is found stuck', () => {
  const stuck = covered([[{ op: 'await' }], [{ op: 'read', at: 0 }]], 'dpor');
  assert.equal(stuck.failures, stuck.executions);
  assert.ok(stuck.counterexample !== 'none' && stuck.counterexample.failure === 'stuck: 1');
});

test('[SC1] a world that is not a function of its choices is refused', () => {
  let builds = 0;
  const fickle: NewExplored = () => {
    builds += 1;
    const programs: Op[][] = [[{ op: 'write', at: 0 }], [{ op: 'write', at: 0 }]];
    if (builds > 1) programs.push([{ op: 'write', at: 0 }]);
    return world(programs)();
  };
  const options = {
    strategy: 'dpor',
    stepsMax: 100,
    counterexamples: 'all',
    goOn: () => 'go on' as const,
  } as const;
  assert.throws(() => search(fickle, options), /SC1/);
});
