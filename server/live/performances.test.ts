import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PERFORMANCES_KEPT_MAX } from '../protocol/limits.ts';
import type { Performed } from './conductor.ts';
import { Performances } from './performances.ts';

test('what came of a performance is there as soon as it has ended, and until newer ones take its place', async () => {
  const performances = new Performances();
  const ends = Promise.withResolvers<Performed>();
  const { id } = performances.begin('gpu0', { verb: 'read' }, ends.promise);
  const running = { id, actor: 'gpu0', verb: { verb: 'read' }, outcome: 'running' };
  assert.deepEqual(performances.get(id), running);
  const outcome = { ok: true, result: { values: ['0x0'] } } as const;
  ends.resolve(outcome);
  await ends.promise;
  assert.deepEqual(performances.get(id), { ...running, outcome });
  for (let more = 0; more < PERFORMANCES_KEPT_MAX; more += 1) {
    assert.notEqual(performances.get(id), 'unknown');
    performances.begin('gpu0', { verb: 'read' }, ends.promise);
  }
  assert.equal(performances.get(id), 'unknown');
});
