import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Known, KnownStates } from './known-states.ts';

const ORDERS = [[], [1, 2], [2, 1]] as const;

const known: fc.Arbitrary<Known> = fc.record({
  asleep: fc
    .array(fc.integer({ min: 0, max: 2 ** 52 }), { maxLength: 2 })
    .map((all) => new Set(all)),
  behind: fc.oneof(fc.uint32Array({ maxLength: 3, max: 2 }), fc.uint32Array({ maxLength: 40 })),
  order: fc.constantFrom(...ORDERS),
});

/** Sets are the same whatever zeros stand behind them. */
function plain({ asleep, behind, order }: Known) {
  const words = [...behind].join().replace(/(^|,)(0,?)+$/, '');
  return { asleep: [...asleep].sort(), behind: words, order: order.join() };
}

test('what is remembered of a state is what was said of it last', () => {
  const keys = fc.integer({ min: 0, max: 2 ** 53 - 1 });
  const few = fc.integer({ min: 0, max: 3 }).map((at) => at * 2 ** 32);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.oneof(keys, few), known)), (said) => {
      const states = new KnownStates();
      const model = new Map<number, Known>();
      for (const [key, one] of said) {
        states.set(key, one);
        model.set(key, one);
      }
      assert.equal(states.size, model.size);
      for (const [key, one] of model) {
        const found = states.get(key);
        assert.ok(found !== undefined);
        assert.deepEqual(plain(found), plain(one));
      }
    }),
    { seed: 20261130, numRuns: 200 },
  );
});

test('tables grow, a state that was not met is not known, and equal sets are kept once', () => {
  const states = new KnownStates();
  const behind = (at: number) => new Uint32Array(20).fill(1 + (at % 100));
  for (let at = 0; at < 20_000; at += 1) {
    states.set(at * 7_919 * 2 ** 20, { asleep: new Set(), behind: behind(at), order: [] });
  }
  assert.equal(states.size, 20_000);
  assert.equal(states.get(1), undefined);
  for (let at = 0; at < 20_000; at += 1) {
    assert.deepEqual(states.get(at * 7_919 * 2 ** 20)?.behind, behind(at));
  }
  assert.ok(states.bytes / states.size <= 200, `${states.bytes / states.size} bytes a state`);
});

test('where there is no room for more, what was known stays, and the bound is kept', () => {
  for (const bytesMax of [40_000, 100_000]) {
    const states = new KnownStates(bytesMax);
    const before = new Map<number, Known>();
    for (let at = 0; at < 10_000; at += 1) {
      const behind = new Uint32Array(4).fill(1 + (at % 500));
      const said: Known = { asleep: new Set(), behind, order: [] };
      const { size } = states;
      states.set(at * 2 ** 30, said);
      assert.ok(states.bytes <= bytesMax);
      if (states.size > size) before.set(at * 2 ** 30, said);
    }
    assert.ok(states.isFull && before.size > 100 && before.size < 10_000);
    for (const [key, one] of before) {
      const found = states.get(key);
      assert.ok(found !== undefined);
      assert.deepEqual(plain(found), plain(one));
    }
  }
});
