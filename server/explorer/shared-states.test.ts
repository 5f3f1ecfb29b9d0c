/** Searches that tell each other what they know lose no outcome between them, whoever has a turn when. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ObjectId } from '../task/object-id.ts';
import { inTurns, type Turns } from './in-turns.fixture.ts';
import { KnownStates } from './known-states.ts';
import { programsOf, randomProgram, world } from './random-programs.fixture.ts';
import { type StateSearchOptions, searchStates } from './search-states.ts';
import { newStatesLog, SharedStates } from './shared-states.ts';
import { sleepAfter } from './state-node.ts';
import { NO_TOUCHES, TouchNumbers, withTouch } from './subtree-touches.ts';
import { NO_ORDER, NO_SYMMETRY, ObjectOwners, type Symmetry } from './symmetry.ts';
import { TaskPlaces } from './task-places.ts';

const EXECUTIONS_MAX = 1_000;
const OPTIONS: StateSearchOptions = {
  stepsMax: 200,
  counterexamples: 'all',
  goOn: () => 'go on',
};
/** Every task at every state, each state once. */
const PLAIN: StateSearchOptions = {
  ...OPTIONS,
  preemptionsMax: Number.POSITIVE_INFINITY,
  goOn: ({ executions }) => (executions < EXECUTIONS_MAX ? 'go on' : 'stop'),
};

const turns: fc.Arbitrary<Turns> = fc.integer({ min: 2, max: 4 }).chain((searches) =>
  fc.record({
    searches: fc.constant(searches),
    order: fc.array(
      fc.tuple(fc.integer({ min: 0, max: searches - 1 }), fc.integer({ min: 1, max: 6 })),
      { minLength: 1, maxLength: 8 },
    ),
  }),
);

test('several searches find between them what plain search finds', () => {
  let compared = 0;
  fc.assert(
    fc.property(programsOf(3), turns, (programs, taken) => {
      const build = world(programs, 'its contents');
      const plain = searchStates(build, PLAIN);
      fc.pre(plain.ended === 'complete');
      compared += 1;
      assert.deepEqual(inTurns(build, OPTIONS, taken).ends, [...plain.outcomes.keys()].sort());
    }),
    { seed: 20261201, numRuns: 100 },
  );
  assert.ok(compared >= 100);
});

const TWINS: Symmetry = { ...NO_SYMMETRY, groups: [['t1', 't2']] };

test('so they do where it does not matter which of two tasks is which', () => {
  fc.assert(
    fc.property(randomProgram(2), randomProgram(2), turns, (single, twin, taken) => {
      const build = world([single, twin, twin], 'its contents', 'all but the first');
      const plain = searchStates(build, PLAIN);
      fc.pre(plain.ended === 'complete');
      const { ends } = inTurns(build, { ...OPTIONS, symmetry: TWINS }, taken);
      assert.deepEqual(ends, [...plain.outcomes.keys()].sort());
    }),
    { seed: 20261202, numRuns: 40 },
  );
});

test('a log that is full tells no more, and nothing is lost', () => {
  fc.assert(
    fc.property(
      programsOf(3),
      turns,
      fc.integer({ min: 0, max: 400 }),
      (programs, taken, wordsMax) => {
        const build = world(programs, 'its contents');
        const plain = searchStates(build, PLAIN);
        fc.pre(plain.ended === 'complete');
        const { ends } = inTurns(build, OPTIONS, { ...taken, wordsMax });
        assert.deepEqual(ends, [...plain.outcomes.keys()].sort());
      },
    ),
    { seed: 20261203, numRuns: 30 },
  );
});

/** A search that has no more than its names. */
function listener() {
  const meanings = {
    numbers: new TouchNumbers(),
    places: new TaskPlaces(),
    owners: new ObjectOwners(NO_SYMMETRY),
  };
  return { ...meanings, known: new KnownStates() };
}

test('what happens behind a state is told by names, since each search has numbers of its own', () => {
  const logs = [newStatesLog(), newStatesLog()];
  const [teller, hearer] = [listener(), listener()];
  const [telling, hearing] = [new SharedStates(logs, 0), new SharedStates(logs, 1)];
  telling.join(teller);
  hearing.join(hearer);
  const other = hearer.places.placeOf('none', 'another');
  hearer.numbers.numberOf(other, { object: 7 as ObjectId, mode: 'read' }, []);
  const place = teller.places.placeOf(teller.places.placeOf('none', 'dev0 0'), 'dev0 invalidate');
  const touch = { object: 9 as ObjectId, mode: 'write' } as const;
  const number = teller.numbers.numberOf(place, touch, [3 as ObjectId]);
  const behind = withTouch(NO_TOUCHES, number);
  telling.tell(2 ** 52 + 1, { asleep: new Set([2 ** 40]), behind, order: NO_ORDER });
  assert.ok(hearing.hear(hearer.known));
  assert.ok(!hearing.hear(hearer.known));
  const heard = hearer.known.get(2 ** 52 + 1);
  assert.ok(heard !== undefined);
  assert.deepEqual([...heard.asleep], [2 ** 40]);
  const [only, ...more] = hearer.numbers.touchesIn(heard.behind);
  assert.ok(only !== undefined && more.length === 0);
  assert.deepEqual(hearer.places.pathOf(only.place), ['dev0 0', 'dev0 invalidate']);
  assert.deepEqual([only.object, only.mode, only.locks], [9, 'write', [3]]);
});

test('of two that know of a state it is the one that knows more who is believed, and never both', () => {
  const logs = [newStatesLog(), newStatesLog()];
  const [teller, hearer] = [listener(), listener()];
  const [telling, hearing] = [new SharedStates(logs, 0), new SharedStates(logs, 1)];
  telling.join(teller);
  hearing.join(hearer);
  const asleepAfter = (...told: readonly number[]) => {
    telling.tell(1, { asleep: new Set(told), behind: NO_TOUCHES, order: NO_ORDER });
    hearing.hear(hearer.known);
    return [...(hearer.known.get(1)?.asleep ?? [])];
  };
  assert.deepEqual(asleepAfter(1, 2), [1, 2]);
  // What begins with both 1 and 3 was covered by neither.
  assert.deepEqual(asleepAfter(2, 3), [1, 2]);
  assert.deepEqual(asleepAfter(1), [1]);
  assert.deepEqual(asleepAfter(1, 2), [1]);
});

test('a task sleeps behind what was tried after it, and behind nothing else', () => {
  const own = (object: number) => [{ object: object as ObjectId, mode: 'write' as const }];
  const taken = new Map([1, 2, 3].map((task) => [task, own(task)]));
  const parent = { asleep: new Map([[4, own(4)]]), taken };
  const sleepers = (task: number) => [...sleepAfter(parent, { task, touches: own(task) }).keys()];
  assert.deepEqual(sleepers(1), [4]);
  assert.deepEqual(sleepers(2), [4, 1]);
  assert.deepEqual(sleepers(3), [4, 1, 2]);
});
