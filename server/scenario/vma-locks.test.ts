/** Faults under the lock of their mapping: what each patch breaks, and that the two steps of Linux hold as well. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SearchResult, search } from '../explorer/search.ts';
import { anonVmaUnderVmaLock } from '../patches/anon-vma-under-vma-lock.ts';
import { freeBehindGrace, lockVmaInTwoSteps } from '../patches/lock-vma-in-two-steps.ts';
import { munmapWithoutVmaLocks } from '../patches/munmap-without-vma-locks.ts';
import type { Patch } from '../patches/patch.ts';
import { vmaFreedWithoutGrace } from '../patches/vma-freed-without-grace.ts';
import { vmaLockIgnoresDetached } from '../patches/vma-lock-ignores-detached.ts';
import { AS_WRITTEN, planScenario } from './scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from './scenario-world.ts';
import { shippedScenario } from './shipped-scenarios.ts';

/** The step between finding a mapping and locking it, which the kernel takes at once. */
const inTwoSteps: Patch = {
  id: 'in-two-steps',
  provenance: 'mm/memory.c, lock_vma_under_rcu() (6.12)',
  summary: 'a page fault finds its mapping first, and locks it then',
  overrides: () => ({
    lockVmaUnderRcu: (k, mm, page) => lockVmaInTwoSteps(k, mm, page, 'checked'),
    vmAreaFree: freeBehindGrace,
  }),
};

function searched(name: string, patches: readonly Patch[]): SearchResult {
  const scenario = shippedScenario(name);
  assert.ok(scenario !== 'none');
  const plan = planScenario(scenario, { ...AS_WRITTEN, patches });
  return search(() => newScenarioRun(plan), {
    strategy: 'dpor',
    stepsMax: stepsMaxOf(plan),
    counterexamples: 'first',
    goOn: ({ executions }) => (executions < 2_000 ? 'go on' : 'stop'),
  });
}

function foundBy(name: string, patch: Patch): string {
  const { counterexample } = searched(name, [patch]);
  return counterexample === 'none' ? 'holds' : JSON.stringify(counterexample.failure);
}

test('found and locked in two steps, as Linux has it, it holds: detached mappings are passed over', () => {
  for (const name of [
    'fault-vs-munmap',
    'fault-vs-mprotect',
    'fault-vs-mremap',
    'fault-vs-neighbour',
  ]) {
    const { ended, counterexample } = searched(name, [inTwoSteps]);
    assert.deepEqual([name, ended, counterexample], [name, 'complete', 'none']);
  }
});

test('[VM1] a mapping that is freed without a grace period is looked at by who has found it', () => {
  assert.match(foundBy('fault-vs-munmap', vmaFreedWithoutGrace), /\bVM1\b/);
});

test('[VM2] a munmap() that does not lock its mapping frees it under a fault', () => {
  assert.match(foundBy('fault-vs-munmap', munmapWithoutVmaLocks), /\bVM2\b/);
});

test('[OR4] a fault that does not ask whether its mapping was taken away leaves an entry behind', () => {
  assert.match(foundBy('fault-vs-munmap', vmaLockIgnoresDetached), /"OR4".*no mapping covers it/);
});

test('[VM3] an anon_vma is taken from a neighbour that has gone', () => {
  assert.match(foundBy('fault-vs-neighbour', anonVmaUnderVmaLock), /\bVM3\b/);
});
