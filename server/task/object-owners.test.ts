import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OWNERS_MAX } from './object-id.ts';
import {
  ALLOCATORS,
  HOLD_OWNERS,
  MIGRATIONS_OWNER,
  MM_PARTS,
  ORACLE_OWNERS,
  PAGE_OWNERS,
  RMAP_OWNERS,
  VMA_PARTS,
} from './object-owners.ts';

test('no two meanings of one kind of object share a number', () => {
  const ofOneKind = { ALLOCATORS, HOLD_OWNERS, MM_PARTS, ORACLE_OWNERS, PAGE_OWNERS, RMAP_OWNERS };
  for (const [kind, numbers] of Object.entries({ ...ofOneKind, VMA_PARTS })) {
    const listed: readonly number[] = Object.values(numbers);
    assert.equal(new Set(listed).size, listed.length, kind);
    for (const number of listed) assert.ok(number >= 0 && number < OWNERS_MAX, kind);
  }
  assert.ok(MIGRATIONS_OWNER < OWNERS_MAX);
});

test('what stands open-ended at the end of a list has nothing above it', () => {
  assert.equal(Math.max(...Object.values(PAGE_OWNERS)), PAGE_OWNERS.firstFlag);
  assert.equal(Math.max(...Object.values(ORACLE_OWNERS)), ORACLE_OWNERS.firstRegister);
});
