/** Own code that keeps state which the search is told nothing of: nothing is said to hold because of it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { describeBound } from '../../report/bound.ts';
import { readScenario } from '../../scenario/read-scenario.ts';
import { AS_WRITTEN, planScenario } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../scenario/scenario-world.ts';
import { shippedScenario, shippedScenarioNames } from '../../scenario/shipped-scenarios.ts';
import { loadPatch } from '../../scenario/user-code.ts';
import { exploreScenario } from './explore-scenario.ts';
import { untoldState } from './untold-state.ts';

const folder = mkdtempSync(join(tmpdir(), 'mmrace-untold-'));
after(() => rmSync(folder, { recursive: true }));

const TWO_THREADS = `
name: two-threads
title: Two threads that store to pages of their own
provenance: a test
vmas:
  - { name: a, address: 0x100200000, pages: 2, prot: rw, kind: anon-private }
setup:
  - { actor: cpu0, do: store, at: a, value: 1 }
  - { actor: cpu1, do: store, at: a+1, value: 1 }
actors:
  - { name: cpu0, kind: cpu, program: [ { do: store, at: a, value: 2 } ] }
  - { name: cpu1, kind: cpu, program: [ { do: store, at: a+1, value: 2 } ] }
expect: { patches: { stock: holds } }
`;

/** A store that yields in between; `last` is who came in last. */
async function verdictWith(name: string, { come, go = '' }: { come: string; go?: string }) {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(
    file,
    `
import { bugOn, ownObject } from 'mmrace/task/assertions';
import { touch } from 'mmrace/task/context';
const OWN = ownObject('last');
export const patch = {
  id: '${name}',
  summary: 'looks who came in last',
  overrides: (stock) => {
    let last = '';
    return {
      *store(k, cpu, address, value) {
        const me = cpu.tlb.cpu;
        ${come}
        yield { kind: 'access', at: 'store.between', object: cpu.tlb.object, mode: 'read' };
        ${go}
        return yield* stock.store(k, cpu, address, value);
      },
    };
  },
};
`,
  );
  const choice = { ...AS_WRITTEN, patches: [await loadPatch(file)] };
  const read = readScenario(TWO_THREADS, 'two-threads.yaml');
  assert.ok(read.ok);
  return exploreScenario(planScenario(read.scenario, choice), {
    strategy: 'dpor',
    budgetExecutions: 10_000,
    budgetSeconds: 60,
    seed: 1,
    depth: 3,
    clock: () => 0,
    onProgress: () => undefined,
  });
}

const AGAIN = `if (last !== me) yield { kind: 'access', at: 'store.again', object: cpu.tlb.object, mode: 'read' };`;

test('steps that are said to commute and do not are named, and nothing holds', async () => {
  const { verdict, bound } = await verdictWith('untold', { come: 'last = me;', go: AGAIN });
  assert.equal(verdict, 'unknown');
  assert.equal(bound.kind, 'untold state');
  assert.match(
    describeBound(bound),
    /^own code keeps state that no step announces: cpu\d at store\.\w+ and cpu\d at [\w.]+ are said/,
  );
});

test('what an order that was left out breaks is broken', async () => {
  const { verdict, counterexample } = await verdictWith('breaks', {
    come: 'last += me;',
    go: "bugOn(last.endsWith('cpu1cpu0') && me === 'cpu1', 'crossed');",
  });
  assert.equal(verdict, 'broken');
  assert.ok(counterexample !== 'none');
});

test('state that is told of is searched, and may hold', async () => {
  const told = "touch(k.context, OWN, 'write'); last = me;";
  const looks = `touch(k.context, OWN, 'read'); ${AGAIN}`;
  const { verdict } = await verdictWith('told', { come: told, go: looks });
  assert.equal(verdict, 'holds');
});

test('the kernel and the drivers that ship tell of all that they touch', () => {
  for (const name of shippedScenarioNames()) {
    const scenario = shippedScenario(name);
    assert.ok(scenario !== 'none');
    const plan = planScenario(scenario, AS_WRITTEN);
    const stepsMax = stepsMaxOf(plan);
    const options = { stepsMax, seed: 3, drawn: 12, swapped: 1_000, outcomes: 'not all' } as const;
    const shown = untoldState(() => newScenarioRun(plan), options);
    assert.ok(shown === 'none' || !('kind' in shown), `${name}: ${JSON.stringify(shown)}`);
  }
});
