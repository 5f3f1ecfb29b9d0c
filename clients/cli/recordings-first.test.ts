import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelFunctions } from '../../server/kernel/kernel.ts';
import { PTE_DIRTY, pteWithoutFlags } from '../../server/kernel/memory/pte.ts';
import type { Patch } from '../../server/patches/patch.ts';
import { askRecordings, type RecordingsBudget, recordingsText } from './recordings-first.ts';

const BUDGET: RecordingsBudget = { seconds: 60, goOn: () => 'go on' };

function patchOf(overrides: Partial<KernelFunctions>): Patch {
  return { id: 'mine', provenance: 'a test', summary: 'a test', overrides: () => overrides };
}

test('recordings refute a kernel that answers otherwise than Linux, with the operation', async () => {
  const patch = patchOf({ changedPte: (_k, _vma, pte) => pteWithoutFlags(pte, PTE_DIRTY) });
  const answer = await askRecordings('6.1', [patch], BUDGET);
  assert.ok(answer !== 'none' && answer.differs !== 'none');
  assert.match(
    recordingsText(answer, './mine.ts'),
    /^The recordings of Linux 6\.1 alone refute \.\/mine\.ts:\s\S+,\soperation\s\d+\s\(\S+\),/,
  );
});

test('they end with the budget, and say that there are more', async () => {
  const answer = await askRecordings('6.12', [patchOf({})], { ...BUDGET, seconds: 0 });
  assert.ok(answer !== 'none');
  assert.deepEqual([answer.agree, answer.ended], [1, 'budget']);
  assert.match(recordingsText(answer, 'mine'), /1 program agrees.*there are\smore/s);
});

test('there are none of a kernel that was not recorded', async () => {
  assert.equal(await askRecordings('mainline', [], BUDGET), 'none');
});
