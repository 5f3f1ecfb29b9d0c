import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Holder, ITS_OWN, stuckOf, type Wait } from '../explorer/stuck.ts';
import { describeStuck } from './describe-stuck.ts';

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

function stuckText(waits: readonly Wait[]): string {
  const { kind, ...stuck } = stuckOf(waits);
  return describeStuck({ how: kind, ...stuck });
}

test('[OR5] a task that waits for what no task will do has lost a wake-up, which is no deadlock', () => {
  const ended = [waiting('a', 'lock', { actor: 'b', state: 'ended' })];
  assert.equal(
    stuckText(ended),
    'lost wake-up: a (work) waits at a.wait for lock, which b (work) has since somewhere.lock and has ended',
  );
  const nobody = [
    waiting('b', 'the end of a', { actor: 'a', at: ITS_OWN }),
    waiting('a', 'an event'),
  ];
  const { kind, cycle } = stuckOf(nobody);
  assert.deepEqual([kind, cycle], ['lost wake-up', 'b -> a -> none']);
});

test('[OR5] a condition that holds while its waiter sleeps is a lost wake-up, whatever else waits', () => {
  const asleep: Wait = { ...waiting('a', 'a flag'), missedWake: true };
  const told = stuckText([waiting('b', 'lock', { actor: 'a' }), asleep]);
  assert.match(told, /^lost wake-up: a .* for a flag, which is so, but it was not woken$/);
});
