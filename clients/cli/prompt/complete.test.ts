import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completed } from './complete.ts';

const DEVICE = {
  role: 'device',
  mappings: [
    { first: 0x10, end: 0x14 },
    { first: 0x100200, end: 0x100201 },
  ],
  actors: ['gpu0'],
} as const;
const CPU = { ...DEVICE, role: 'cpu', actors: ['cpu0', 'child0'] } as const;

test('a verb is completed from its beginning', () => {
  assert.deepEqual(completed('mig', DEVICE), [
    ['migrate-to-dev', 'migrate-to-sys', 'migrate'],
    'mig',
  ]);
  assert.deepEqual(completed('snap', DEVICE), [['snapshot '], 'snap']);
  assert.deepEqual(completed('mig', CPU), [[], 'mig']);
});

test('an argument is completed by its kind', () => {
  assert.deepEqual(completed('read ', DEVICE), [['a', 'b'], '']);
  assert.deepEqual(completed('hold migrate_vma_s', DEVICE), [
    ['migrate_vma_setup '],
    'migrate_vma_s',
  ]);
  assert.deepEqual(completed('madvise a 1 P', CPU), [['PAGEOUT '], 'P']);
  assert.deepEqual(completed('mmap f', CPU), [['free '], 'f']);
  assert.deepEqual(completed('use c', CPU), [['cpu0', 'child0'], 'c']);
  assert.deepEqual(completed('help mre', CPU), [['mremap '], 'mre']);
});

test('nothing is offered where nothing is known', () => {
  assert.deepEqual(completed('write a ', DEVICE), [[], '']);
  assert.deepEqual(completed('read a 1 ', DEVICE), [[], '']);
  assert.deepEqual(completed('nonsense ', DEVICE), [[], '']);
});
