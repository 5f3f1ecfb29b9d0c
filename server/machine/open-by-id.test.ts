import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OpenById } from './open-by-id.ts';

test('it does what a Map does', () => {
  const action = fc.record({
    kind: fc.constantFrom('set', 'take', 'delete'),
    id: fc.nat(5),
    item: fc.nat(99),
  });
  fc.assert(
    fc.property(fc.array(action), (actions) => {
      const open = new OpenById<number, number>();
      const map = new Map<number, number>();
      for (const { kind, id, item } of actions) {
        if (kind === 'set') {
          open.set(id, item);
          map.set(id, item);
        } else {
          if (kind === 'take') assert.equal(open.take(id), map.get(id));
          else open.delete(id);
          map.delete(id);
        }
        assert.equal(open.get(id), map.get(id));
        assert.deepEqual(open.all(), [...map]);
        assert.deepEqual(open.values(), [...map.values()]);
      }
    }),
    { numRuns: 200, seed: 9 },
  );
});
