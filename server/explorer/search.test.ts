/** The reduction must lose no outcome: what dpor finds is what plain depth-first search finds, on random programs. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { NewExplored, WorldContents } from './explored.ts';
import { testFailure } from './failure.fixture.ts';
import {
  type Program,
  programsOf,
  type RandomOp,
  randomProgram,
  world,
} from './random-programs.fixture.ts';
import { type SearchResult, search } from './search.ts';
import { type StateSearchOptions, searchStates } from './search-states.ts';
import { NO_SYMMETRY, type Symmetry } from './symmetry.ts';

/** Programs with more interleavings than this are not compared. */
const EXECUTIONS_MAX = 3_000;

const STATE_SEARCH: StateSearchOptions = {
  stepsMax: 200,
  counterexamples: 'all',
  goOn: () => 'go on',
};

function covered(programs: readonly Program[], strategy: 'dpor' | 'dfs'): SearchResult {
  return search(world(programs), {
    strategy,
    stepsMax: 200,
    counterexamples: 'all',
    goOn: ({ executions }) => (executions < EXECUTIONS_MAX ? 'go on' : 'stop'),
  });
}

/** Plain search takes longest by far: what it finds in a program is compared with all that others find there. */
test('dpor and the search over states find the outcomes of plain search, dpor with no more executions', () => {
  fc.assert(
    fc.property(programsOf(3), (programs) => {
      const plain = covered(programs, 'dfs');
      fc.pre(plain.ended === 'complete');
      const outcomes = [...plain.outcomes.keys()].sort();
      const reduced = covered(programs, 'dpor');
      assert.ok(reduced.executions <= plain.executions);
      const found = {
        dpor: reduced,
        'a world that tells nothing': searchStates(world(programs, 'nothing'), STATE_SEARCH),
        'a world that tells its contents': searchStates(
          world(programs, 'its contents'),
          STATE_SEARCH,
        ),
      };
      for (const [where, one] of Object.entries(found)) {
        assert.equal(one.ended, 'complete', where);
        assert.deepEqual([...one.outcomes.keys()].sort(), outcomes, where);
      }
    }),
    { seed: 20260701, numRuns: 400 },
  );
});

/** What a notifier does, and its readers. */
const NOTIFIER: readonly RandomOp['op'][] = [
  ...(['bracket', 'bracket', 'quiesce', 'quiesce', 'open', 'flag', 'close', 'compare'] as const),
  ...(['read', 'write', 'branch', 'locked-write'] as const),
];

/**
 * Plain search of states: without a preemption too many every task is tried at each of them. Even an execution in which
 * a task waits for ever must be found: whether the wait could have come first shows only there.
 */
test('a wait that can be made to wait again is tried before what makes it wait', () => {
  let compared = 0;
  fc.assert(
    fc.property(programsOf(3, NOTIFIER), (programs) => {
      const build = world(programs, 'its contents');
      const plain = searchStates(build, {
        ...STATE_SEARCH,
        preemptionsMax: Number.POSITIVE_INFINITY,
        goOn: ({ executions }) => (executions < EXECUTIONS_MAX ? 'go on' : 'stop'),
      });
      fc.pre(plain.ended === 'complete');
      compared += 1;
      const outcomes = [...plain.outcomes.keys()].sort();
      assert.deepEqual([...searchStates(build, STATE_SEARCH).outcomes.keys()].sort(), outcomes);
      const sets = covered(programs, 'dpor');
      if (sets.ended === 'complete') assert.deepEqual([...sets.outcomes.keys()].sort(), outcomes);
    }),
    { seed: 20261130, numRuns: 250 },
  );
  assert.ok(compared >= 250);
});

/** The flag is set twice: before the second time the wait is not over, before the first it is. */
const FLAGGED_TWICE: readonly Program[] = [
  [
    { op: 'open', at: 0 },
    { op: 'flag', at: 0 },
    { op: 'flag', at: 0 },
    { op: 'read', at: 0 },
    { op: 'close', at: 0 },
  ],
  [
    { op: 'quiesce', at: 0 },
    { op: 'write', at: 0 },
  ],
];

test('a wait is tried before the first step that makes it wait, though a second comes between', () => {
  const plain = [...covered(FLAGGED_TWICE, 'dfs').outcomes.keys()].sort();
  assert.equal(plain.length, 2);
  assert.deepEqual([...covered(FLAGGED_TWICE, 'dpor').outcomes.keys()].sort(), plain);
  const { outcomes } = searchStates(world(FLAGGED_TWICE, 'its contents'), STATE_SEARCH);
  assert.deepEqual([...outcomes.keys()].sort(), plain);
});

/** Two readers that see a write differently: the order that a test of initials without the step itself loses. */
const READERS_APART: readonly Program[] = [
  [
    { op: 'locked-write', at: 0 },
    { op: 'read', at: 0 },
  ],
  [{ op: 'read', at: 0 }],
  [{ op: 'read', at: 0 }],
];

/**
 * A task sleeps at a decision, and what it does later races with what is known behind a state: the orders that begin
 * with its next step are covered, those in which something comes before that step are not.
 */
const SLEEPER: readonly Program[] = [
  [{ op: 'branch', at: 0 }],
  [
    { op: 'fork-lock', at: 0 },
    { op: 'read', at: 0 },
  ],
  [{ op: 'write', at: 0 }],
];

test('a race with a task that sleeps is reversed by what conflicts with its next step', () => {
  const plain = [...covered(SLEEPER, 'dpor').outcomes.keys()].sort();
  assert.equal(plain.length, 9);
  for (const tells of ['nothing', 'its contents'] as const) {
    const { outcomes } = searchStates(world(SLEEPER, tells), STATE_SEARCH);
    assert.deepEqual([...outcomes.keys()].sort(), plain);
  }
});

test('on larger programs the search over states finds the outcomes of source sets', () => {
  let compared = 0;
  fc.assert(
    fc.property(programsOf(4), (programs) => {
      const sets = covered(programs, 'dpor');
      // An execution in which a task waits for ever is a failure already; what else could happen is not promised.
      fc.pre(sets.ended === 'complete' && sets.failures === 0);
      compared += 1;
      const states = searchStates(world(programs, 'its contents'), STATE_SEARCH);
      assert.deepEqual([...states.outcomes.keys()].sort(), [...sets.outcomes.keys()].sort());
    }),
    { seed: 20261129, numRuns: 150 },
  );
  assert.ok(compared >= 150);
});

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
  const programs: RandomOp[][] = [
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
    fc.property(randomProgram(2), randomProgram(2), (single, twin) => {
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
    }),
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
  const stuck = covered([[{ op: 'await', at: 0 }], [{ op: 'read', at: 0 }]], 'dpor');
  assert.equal(stuck.failures, stuck.executions);
  assert.ok(stuck.counterexample !== 'none');
  assert.deepEqual(stuck.counterexample.failure, testFailure('stuck: 1'));
});

test('[SC1] a world that is not a function of its choices is refused', () => {
  let builds = 0;
  const fickle: NewExplored = () => {
    builds += 1;
    const programs: RandomOp[][] = [[{ op: 'write', at: 0 }], [{ op: 'write', at: 0 }]];
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
