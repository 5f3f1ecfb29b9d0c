import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Holder, stuckOf, type Wait } from './stuck.ts';

function waiting(actor: string, wants: string, ...heldBy: readonly Partial<Holder>[]): Wait {
  return {
    actor,
    task: 'work',
    wants,
    waitsAt: `${actor}.wait`,
    holds: [],
    heldBy: heldBy.map((holder) => ({
      actor: 'none',
      task: 'work',
      at: 'somewhere.lock',
      state: 'waits',
      ...holder,
    })),
    missedWake: false,
  };
}

test('[OR5] a circle of any length is a deadlock, and a task that only waits behind it is not in it', () => {
  const waits = [
    waiting('d', 'lock a', { actor: 'a' }),
    waiting('a', 'lock b', { actor: 'b' }),
    waiting('b', 'lock c', { actor: 'c' }),
    waiting('c', 'lock a', { actor: 'a' }),
  ];
  const { kind, cycle, chain } = stuckOf(waits);
  assert.deepEqual([kind, cycle, chain.length], ['deadlock', 'a -> b -> c -> a', 3]);
});

test('[OR5] the shortest circle is told', () => {
  const waits = [
    waiting('a', 'lock b', { actor: 'b' }, { actor: 'c' }),
    waiting('b', 'lock c', { actor: 'c' }),
    waiting('c', 'lock a', { actor: 'a' }),
  ];
  assert.equal(stuckOf(waits).cycle, 'a -> c -> a');
});
