/** What a device that walks the page table remembers goes with the entry, in each kernel by its own hook. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Failure } from '../explorer/failure.ts';
import { roundRobin, runWith } from '../explorer/replay.ts';
import type { Patch } from '../patches/patch.ts';
import { readScenario } from './read-scenario.ts';
import { AS_WRITTEN, planScenario } from './scenario-plan.ts';
import { newScenarioRun } from './scenario-world.ts';

/** What the CPU does to a page that the device has read. */
const CHANGES: readonly string[] = [
  '{ do: munmap, at: a }',
  '{ do: madvise, at: a, advice: DONTNEED }',
  '{ do: madvise, at: a, advice: PAGEOUT }',
  '{ do: mprotect, at: a, prot: none }',
  '{ do: mremap, at: a, to: c }',
  '{ do: fork, child: child0 }',
];

interface Left {
  readonly failure: Failure | 'none';
  readonly register: string | undefined;
}

function whatIsLeft(kernel: string, change: string, patches: readonly Patch[] = []): Left {
  const read = readScenario(
    `
name: secondary-tlbs
title: t
provenance: a test
machine: { kernel: '${kernel}', swapSlots: 1 }
vmas:
  - { name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }
  - { name: c, address: 0x100600000, pages: 1, prot: rw, kind: anon-private }
setup:
  - { actor: cpu0, do: store, at: a, value: 1 }
  - { actor: cpu0, do: munmap, at: c }
  - { actor: dev0, do: fault-write, at: a }
actors:
  - { name: cpu0, kind: cpu, program: [${change}] }
  - { name: child0, kind: cpu }
  - name: dev0
    kind: device
    driver: sva
    program: [{ do: wait, for: cpu0 }, { do: read-mapped, at: a, as: r0 }]
expect: { drivers: { sva: holds } }
`,
    'secondary-tlbs.yaml',
  );
  assert.ok(read.ok, JSON.stringify(read));
  const plan = planScenario(read.scenario, { ...AS_WRITTEN, patches });
  const run = newScenarioRun(plan);
  const { failure } = runWith(() => run, roundRobin(), 1_000);
  return { failure, register: run.registers.get('dev0.r0') };
}

const FORGETS_DEVICES: Patch = {
  id: 'forgets-devices',
  provenance: 'made for this test',
  summary: 'no device is asked to forget a translation',
  overrides: () => ({ *mmuNotifierInvalidateRange() {} }),
};

for (const change of CHANGES) {
  test(`[OR10] what a device remembers for ever is found: ${change}`, () => {
    const { failure } = whatIsLeft('6.12', change, [FORGETS_DEVICES]);
    assert.ok(failure !== 'none');
  });
}

for (const kernel of ['6.1', '6.12', 'mainline']) {
  for (const change of CHANGES) {
    test(`${kernel}: ${change}`, () => {
      assert.deepEqual(whatIsLeft(kernel, change), { failure: 'none', register: 'ENOENT' });
    });
  }
}
