import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinedReach } from './joined-reach.ts';
import type { Reach } from './reach.ts';

function reach(called: string[], reached: number[], perform: 'called' | 'idle'): Reach {
  const ran = perform === 'called';
  const all = [1, 2, 3];
  const lines = [{ file: 'mine.ts', all, missed: all.filter((line) => !reached.includes(line)) }];
  const driver = { driver: 'own', own: 'part', ran, lines, idle: ran ? [] : ['perform'] } as const;
  return {
    functions: called,
    patches: [{ patch: 'mine', overridden: ['a', 'b'], called, lines }],
    drivers: [driver],
  };
}

test('what ran in one of the threads has run', () => {
  const joined = joinedReach([reach(['b'], [1], 'idle'), reach(['a'], [3], 'called')]);
  const lines = [{ file: 'mine.ts', all: [1, 2, 3], missed: [2] }];
  assert.deepEqual(joined, {
    functions: ['a', 'b'],
    patches: [{ patch: 'mine', overridden: ['a', 'b'], called: ['a', 'b'], lines }],
    drivers: [{ driver: 'own', own: 'part', ran: true, lines, idle: [] }],
  });
});

test('a thread that has not run the code says nothing of its lines', () => {
  const none: Reach = { functions: [], drivers: [], patches: [] };
  const one = reach(['a'], [1, 2, 3], 'called');
  assert.deepEqual(joinedReach([none, one]), one);
});
