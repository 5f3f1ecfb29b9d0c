import assert from 'node:assert/strict';
import { test } from 'node:test';
import { removeMigrationPtes } from '../../kernel/rmap/try-to-migrate.ts';
import type { Patch } from '../../patches/patch.ts';
import { runSelftests } from './run-selftests.ts';
import { SELFTESTS } from './selftests.ts';

/** The kernel's buffers have 1,024; the same calls are made for these. */
const BUFFER_PAGES = 66;

const named = (name: string) =>
  SELFTESTS.filter((each) => each.name === `hmm.hmm_device_private.${name}`);

test('every selftest of the kernel passes, or says why it does not apply', () => {
  const results = runSelftests(SELFTESTS, { bufferPages: BUFFER_PAGES });
  const failed = results.filter(({ outcome }) => outcome === 'fail');
  assert.deepEqual(
    failed.map(({ name, diagnostics }) => [name, ...diagnostics]),
    [],
  );
  assert.equal(results.filter(({ outcome }) => outcome === 'pass').length, 32);
  assert.ok(results.every(({ outcome, reason }) => outcome === 'pass' || reason !== ''));
});

test('a kernel that restores other entries than it took fails', () => {
  const patch: Patch = {
    id: 'restores-nothing',
    provenance: 'made for this test',
    summary: 'migration entries stay',
    overrides: () => ({
      *removeMigrationPtes(k, from, to) {
        if (from === to) yield* removeMigrationPtes(k, from, to);
      },
    }),
  };
  const [result] = runSelftests(named('migrate'), { bufferPages: 4, patches: [patch] });
  assert.equal(result?.outcome, 'fail');
  assert.match(result?.diagnostics.at(-1) ?? '', /\S/);
});

test('a kernel that forgets the fork of a device page fails', () => {
  const patch: Patch = {
    id: 'fork-shares-nothing',
    provenance: 'made for this test',
    summary: 'fork copies no entries',
    overrides: () => ({
      *copyPageRange() {
        return 'copied';
      },
    }),
  };
  const [result] = runSelftests(named('anon_write_child'), { bufferPages: 4, patches: [patch] });
  assert.equal(result?.outcome, 'fail');
  assert.match(result?.diagnostics.at(-1) ?? '', /cpu1 read 0x0 at 0x100000000, not 0x1/);
});
