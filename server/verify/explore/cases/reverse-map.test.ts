/** Races with walks of the reverse map: what the shipped scenarios forbid is seen by the oracles alone as well. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { moveLooksOutsideLock } from '../../../patches/move-looks-outside-lock.ts';
import { mremapWithoutRmapLocks } from '../../../patches/mremap-without-rmap-locks.ts';
import type { Patch } from '../../../patches/patch.ts';
import { rmapWalkWithoutLock } from '../../../patches/rmap-walk-without-lock.ts';
import { answer } from './asked-scenario.fixture.ts';

const FOLDER = fileURLToPath(new URL('../../../../scenarios/', import.meta.url));

/** The scenario, asking nothing but the oracles. */
function withoutCondition(name: string): string {
  const text = readFileSync(`${FOLDER}${name}.yaml`, 'utf8');
  const asked = text.replace(/^condition:\n(?: .*\n)+/m, '');
  assert.notEqual(asked, text);
  return asked;
}

const ASKED: readonly (readonly [scenario: string, patch: Patch, seen: RegExp])[] = [
  ['mremap-vs-rmap-walk', moveLooksOutsideLock, /^OR3: child read 0x0 /],
  ['mremap-before-its-page', mremapWithoutRmapLocks, /^OR4: mm 1 has a migration entry /],
  ['mprotect-vs-rmap-walk', rmapWalkWithoutLock, /^OR7: the page table entry allows read /],
];

for (const [scenario, { id, overrides }, seen] of ASKED) {
  test(`${scenario} without its condition: stock holds, ${id} is broken`, () => {
    const text = withoutCondition(scenario);
    assert.equal(answer(text), 'holds');
    assert.match(answer(text, { overrides }), seen);
  });
}
