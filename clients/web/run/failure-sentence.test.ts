import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../../server/abi/event.ts';
import { failureSentence } from './failure-sentence.ts';

const READ = { n: 1, kind: 'cpu-access', actor: 'cpu1', mode: 'read', value: '0x1' };

test('a condition is read out, with what its actors read; of a rule the id comes last', () => {
  const events = [READ as unknown as Event];
  assert.equal(
    failureSentence('forbidden: cpu1.r != 2 && cpu0.s == 1', events),
    'It came to what must never be: r of cpu1 is not 2, and s of cpu0 is 1. cpu1 read 0x1 last.',
  );
  assert.equal(failureSentence('OR1: gpu1 maps it', []), 'gpu1 maps it (OR1)');
  assert.equal(failureSentence('BUG: it is wrong', []), 'BUG: it is wrong');
});
