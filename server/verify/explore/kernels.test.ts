/** One scenario on several kernels: what differs is what the kernels say of themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRIVERS } from '../../../clients/drivers/catalogue/drivers.ts';
import { KERNEL_IDS, type KernelId } from '../../abi/kernel-ids.ts';
import type { Patch } from '../../patches/patch.ts';
import { removeSecondInvalidate } from '../../patches/remove-second-invalidate.ts';
import { describeBound } from '../../report/bound.ts';
import { readScenario } from '../../scenario/read-scenario.ts';
import { planScenario } from '../../scenario/scenario-plan.ts';
import type { Scenario } from '../../scenario/scenario-schema.ts';
import { shippedScenario } from '../../scenario/shipped-scenarios.ts';
import { exploreScenario } from './explore-scenario.ts';

const HEAD = `name: sample
title: A sample
provenance: nowhere
expect: { patches: { stock: holds } }
`;

function scenario(rest: string): Scenario {
  const read = readScenario(HEAD + rest, 'sample.yaml');
  return read.ok ? read.scenario : assert.fail(JSON.stringify(read.problems));
}

function asked(
  what: Scenario,
  choice: {
    readonly kernel?: KernelId;
    readonly patches?: readonly Patch[];
    readonly driver?: string;
  },
) {
  const driver = DRIVERS.get(choice.driver ?? '');
  const plan = planScenario(what, {
    ...(choice.kernel === undefined ? {} : { kernel: choice.kernel }),
    patches: choice.patches ?? [],
    drivers: driver === undefined ? new Map() : new Map([['*', driver]]),
    parameters: {},
  });
  return exploreScenario(plan, {
    strategy: 'dpor',
    budgetExecutions: 100_000,
    budgetSeconds: 1e9,
    seed: 1,
    depth: 3,
    clock: () => 0,
    onProgress: () => undefined,
  });
}

for (const kernel of KERNEL_IDS) {
  test(`the seed race holds on ${kernel}, and is broken there without the second invalidation`, () => {
    for (const name of ['seed-zero-page', 'seed-empty-entry']) {
      const shipped = shippedScenario(name);
      assert.ok(shipped !== 'none');
      assert.equal(asked(shipped, { kernel }).verdict, 'holds', name);
      const patches = [removeSecondInvalidate];
      assert.equal(asked(shipped, { kernel, patches }).verdict, 'broken', name);
    }
  });
}

const VMA = 'vmas: [{ name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }]';

test('the kernel is what the question says, else what the scenario says, else 6.12, and stands in the bound', () => {
  const load = `${VMA}\nactors: [{ name: cpu0, kind: cpu, program: [{ do: load, at: a }] }]\n`;
  assert.match(describeBound(asked(scenario(load), {}).bound), /; kernel 6\.12$/);
  const own = scenario(`machine: { kernel: '6.1' }\n${load}`);
  assert.match(describeBound(asked(own, {}).bound), /; kernel 6\.1$/);
  assert.match(describeBound(asked(own, { kernel: '6.12' }).bound), /; kernel 6\.12$/);
  const { bound } = asked(own, { kernel: 'mainline' });
  assert.match(describeBound(bound), /; kernel mainline \(read, not recorded\)$/);
});

const FAULT = `${VMA}
setup: [{ actor: cpu0, do: store, at: a, value: 7 }]
actors:
  - { name: cpu0, kind: cpu, program: [{ do: madvise, at: a, advice: DONTNEED }] }
  - { name: dev0, kind: device, program: [{ do: fault-read, at: a }] }
`;

test('a driver in two passes holds; one that moves the sequence late is broken where there are two', () => {
  const fault = scenario(FAULT);
  for (const kernel of KERNEL_IDS) {
    const late = asked(fault, { kernel, driver: 'two-pass-late-sequence' });
    assert.equal(asked(fault, { kernel, driver: 'two-pass' }).verdict, 'holds', kernel);
    assert.equal(late.verdict, kernel === 'mainline' ? 'broken' : 'holds', kernel);
  }
});

/** cpu1 sees b still mapped while cpu0 changes a: only without mmap_lock can madvise() end in between. */
const WRITER = `vmas:
  - { name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }
  - { name: b, address: 0x100400000, pages: 1, prot: rw, kind: anon-private }
setup: [{ actor: cpu0, do: store, at: a, value: 7 }, { actor: cpu0, do: store, at: b, value: 8 }]
actors:
  - { name: cpu0, kind: cpu, program: [{ do: mprotect, at: a, prot: r }] }
  - { name: cpu1, kind: cpu, program: [{ do: madvise, at: b, advice: DONTNEED }] }
window:
  - { event: call, function: mprotect, by: cpu0 }
  - { event: invalidate_range_start, by: cpu0 }
  - { event: return, function: madvise_dontneed, by: cpu1 }
  - { event: invalidate_range_end, by: cpu0 }
`;

test('madvise() runs beside a writer of another mapping on mainline, and waits for it before', () => {
  assert.equal(asked(scenario(WRITER), { kernel: '6.12' }).windowEntered, 0);
  assert.ok(asked(scenario(WRITER), { kernel: 'mainline' }).windowEntered > 0);
  const same = scenario(WRITER.replace('at: b, advice', 'at: a, advice'));
  assert.equal(asked(same, { kernel: 'mainline' }).windowEntered, 0);
});
