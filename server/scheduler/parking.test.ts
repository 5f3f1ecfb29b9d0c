import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ObjectId, objectId } from '../task/object-id.ts';
import { Parking } from './parking.ts';

interface Waiter {
  readonly n: number;
  readonly on: ObjectId;
  readonly patience: number;
}

test('a wake asks those that wait on the object and no others, in the order in which they came', () => {
  const parking = new Parking<Waiter>((waiter) => waiter.on);
  // Two objects whose numbers end in the same bits, and one of another kind with the same index.
  const [a, b, c] = [objectId('answer', 0, 5), objectId('answer', 0, 69), objectId('pte', 0, 5)];
  for (const [n, on] of [a, b, a, c, a].entries()) parking.add({ n, on, patience: 0 });
  const asked: number[] = [];
  parking.release(a, ({ n }) => {
    asked.push(n);
    return n !== 2;
  });
  assert.deepEqual(asked, [0, 2, 4]);
  parking.add({ n: 9, on: a, patience: 0 });
  assert.deepEqual(
    parking
      .all()
      .map(({ n }) => n)
      .sort(),
    [1, 2, 3, 9],
  );
  asked.length = 0;
  parking.release(a, ({ n }) => asked.push(n) > 0);
  assert.deepEqual(asked, [2, 9]);
});

test('it does what a Map from objects to lists does', () => {
  const action = fc.record({
    kind: fc.constantFrom('add', 'release'),
    on: fc.integer({ min: 0, max: 200 }).map((index) => objectId('answer', 0, index)),
    patience: fc.integer({ min: 0, max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const parking = new Parking<Waiter>((waiter) => waiter.on);
      const model = new Map<ObjectId, Waiter[]>();
      for (const [n, { kind, on, patience }] of actions.entries()) {
        const waiters = model.get(on) ?? [];
        if (kind === 'add') {
          parking.add({ n, on, patience });
          model.set(on, [...waiters, { n, on, patience }]);
        } else {
          const released: number[] = [];
          parking.release(on, (waiter) => {
            const goes = waiter.patience <= patience;
            if (goes) released.push(waiter.n);
            return goes;
          });
          const expected = waiters.filter((waiter) => waiter.patience <= patience);
          assert.deepEqual(
            released,
            expected.map((waiter) => waiter.n),
          );
          model.set(
            on,
            waiters.filter((waiter) => waiter.patience > patience),
          );
        }
        const left = [...model.values()].flat().map((waiter) => waiter.n);
        assert.deepEqual(
          parking
            .all()
            .map((waiter) => waiter.n)
            .sort((x, y) => x - y),
          left.sort((x, y) => x - y),
        );
      }
    }),
  );
});
