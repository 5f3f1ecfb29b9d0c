import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LabSnapshot } from '../../../server/protocol/lab-snapshot.ts';
import { gap, greeting } from './watch-words.ts';

const SNAPSHOT: LabSnapshot = {
  lab: 'demo',
  n: 250,
  kernel: '6.1',
  patch: 'stock',
  actors: [{ name: 'gpu0', role: 'device', state: 'attached' }],
  ptes: [],
  mirrors: [],
  vmas: [{ mm: 0, first: 16, end: 20, prot: 'rw' }],
};

test('an observer that fell behind says which events it does not show', () => {
  assert.equal(
    gap(99, SNAPSHOT),
    'fell behind: events 100 to 250 are not shown; from here on a snapshot is the beginning ' +
      '(kernel stock 6.1, with gpu0)',
  );
});

test('a lab that began anew counts from the beginning', () => {
  assert.equal(gap(300, SNAPSHOT), 'the lab began anew: kernel stock 6.1, event 250, with gpu0');
});

test('a new watcher is told where the lab is', () => {
  assert.equal(
    greeting(SNAPSHOT),
    'lab demo at event 250, kernel stock 6.1, with gpu0; mapped 0x10000-0x14000',
  );
});
