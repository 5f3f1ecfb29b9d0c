/** An execution that is cut is no answer, unless from halfway on even a fair scheduler goes round for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelFunctions } from '../../kernel/kernel.ts';
import { pteObject, readPte } from '../../kernel/memory/page-table.ts';
import { pteNone } from '../../kernel/memory/pte.ts';
import { describeFailure } from '../../report/describe-failure.ts';
import { readScenario } from '../../scenario/read-scenario.ts';
import { AS_WRITTEN, planScenario } from '../../scenario/scenario-plan.ts';
import { willRead } from '../../task/task.ts';
import { pageIndex } from '../../vocabulary/address.ts';
import { exploreScenario } from './explore-scenario.ts';

const SCENARIO = `
name: cut
title: One CPU drops a page while another fills one.
provenance: a test
vmas:
  - { name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }
  - { name: b, address: 0x100600000, pages: 1, prot: rw, kind: anon-private }
actors:
  - { name: cpu0, kind: cpu, program: [{ do: store, at: a, value: 1 }] }
  - { name: cpu1, kind: cpu, program: [{ do: load, at: b }, { do: madvise, at: b, advice: DONTNEED }] }
bounds: { steps: 700 }
expect: { patches: { stock: holds } }
`;

/** DONTNEED goes round while \`goesOn\` says so, if it has begun before the other CPU has filled its page. */
function spinning(goesOn: (empty: boolean) => boolean) {
  return (stock: KernelFunctions): Partial<KernelFunctions> => ({
    *zapPageRange(k, mm, range, event) {
      const page = pageIndex(0x100200);
      const empty = () => pteNone(readPte(mm.table, page));
      if (empty()) {
        while (goesOn(empty())) yield willRead('mine.spin', pteObject(mm.table, page));
      }
      yield* stock.zapPageRange(k, mm, range, event);
    },
  });
}

function explored(overrides: ReturnType<typeof spinning>) {
  const read = readScenario(SCENARIO, 'cut.yaml');
  assert.ok(read.ok);
  const patch = { id: 'spins', provenance: 'a test', summary: 'spins', overrides };
  const plan = planScenario(read.scenario, { ...AS_WRITTEN, patches: [patch] });
  return exploreScenario(plan, {
    strategy: 'dpor',
    budgetExecutions: 40,
    budgetSeconds: 60,
    seed: 1,
    // The first to run goes on and on.
    preemptionsMax: 0,
    depth: 3,
    clock: () => 0,
    onProgress: () => undefined,
  });
}

test('[OR5] a loop behind an unfair prefix is a livelock: a fair scheduler does not get out of it', () => {
  const { verdict, counterexample } = explored(spinning(() => true));
  assert.equal(verdict, 'broken');
  assert.ok(counterexample !== 'none');
  assert.match(describeFailure(counterexample.failure), /^OR5: livelock: cpu1 .*mine\.spin/);
});

test('a loop that waits for another task is cut where that one never runs, and is no livelock', () => {
  assert.equal(explored(spinning((empty) => empty)).verdict, 'unknown');
});
