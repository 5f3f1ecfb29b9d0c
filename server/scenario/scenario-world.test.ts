/** Worlds of scenarios: what they are made of, what ends them, and what is not blamed on the race. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faithful } from '../../clients/drivers/dmirror/faithful.ts';
import { pageLockUnderDriverLock } from '../../clients/drivers/faulty/page-lock-under-driver-lock.ts';
import type { DriverVariant } from '../../clients/drivers/interface/driver-variant.ts';
import { roundRobin, runWith } from '../explorer/replay.ts';
import { type SearchResult, search } from '../explorer/search.ts';
import type { Patch } from '../patches/patch.ts';
import { describeOutcome } from '../report/describe-failure.ts';
import { KernelBug } from '../vocabulary/invariant.ts';
import { answerOf } from './expectations.ts';
import { readScenario } from './read-scenario.ts';
import { AS_WRITTEN, BadChoice, planScenario, type ScenarioChoice } from './scenario-plan.ts';
import type { Scenario } from './scenario-schema.ts';
import { newScenarioRun, stepsMaxOf } from './scenario-world.ts';
import { shippedScenario } from './shipped-scenarios.ts';
import { printProblem } from './yaml-source.ts';

const HEAD = `name: sample
title: A sample
provenance: nowhere
vmas:
  - { name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }
expect: { patches: { stock: holds } }
`;

function scenario(rest: string): Scenario {
  const read = readScenario(HEAD + rest, 'sample.yaml');
  return read.ok ? read.scenario : assert.fail(read.problems.map(printProblem).join('\n'));
}

function searched(rest: string, choice: Partial<ScenarioChoice> = {}): SearchResult {
  const plan = planScenario(scenario(rest), { ...AS_WRITTEN, ...choice });
  return search(() => newScenarioRun(plan), {
    strategy: 'dpor',
    stepsMax: stepsMaxOf(plan),
    counterexamples: 'all',
    goOn: ({ executions }) => (executions < 2_000 ? 'go on' : 'stop'),
  });
}

function outcomes(rest: string, choice: Partial<ScenarioChoice> = {}): string[] {
  const result = searched(rest, choice);
  assert.equal(result.ended, 'complete');
  return [...result.outcomes.values()].map(describeOutcome).sort();
}

const STORE_AND_LOAD = `actors:
  - { name: cpu0, kind: cpu, program: [{ do: store, at: a, value: 7 }] }
  - { name: cpu1, kind: cpu, program: [{ do: load, at: a, as: r0 }] }
`;

test('outcomes name registers, entries and mirrors', () => {
  assert.deepEqual(outcomes(STORE_AND_LOAD), ['cpu1.r0=0x0; a=present', 'cpu1.r0=0x7; a=present']);
});

test('a program that waits for an actor sees what it did', () => {
  const waiting = STORE_AND_LOAD.replace('[{ do: load', '[{ do: wait, for: cpu0 }, { do: load');
  assert.deepEqual(outcomes(waiting), ['cpu1.r0=0x7; a=present']);
});

test('[OR5] waiting for one another is a deadlock, and the report names them', () => {
  const [outcome] = outcomes(`actors:
  - { name: cpu0, kind: cpu, program: [{ do: wait, for: cpu1 }] }
  - { name: cpu1, kind: cpu, program: [{ do: wait, for: cpu0 }] }
`);
  assert.match(
    outcome ?? '',
    /^OR5: deadlock cpu0 -> cpu1 -> cpu0: cpu0 .* for the end of cpu1, which is up to /,
  );
});

const FORK = `setup: [{ actor: cpu0, do: store, at: a, value: 1 }]
actors:
  - name: cpu0
    kind: cpu
    program: [{ do: fork, child: child, as: r0 }, { do: store, at: a, value: 2 }, { do: load, at: a, as: r1 }]
  - { name: child, kind: cpu, program: [{ do: store, at: a, value: 9 }, { do: load, at: a, as: r0 }] }
`;

test('a child begins once it is forked, in an address space of its own, under every schedule', () => {
  assert.deepEqual(outcomes(FORK), ['cpu0.r0=OK; cpu0.r1=0x2; child.r0=0x9; a=present']);
});

test('a child whose fork fails does nothing, and is waited for no longer', () => {
  const dead: Patch = {
    id: 'no-fork',
    provenance: 'a test',
    summary: 'fork() fails',
    overrides: () => ({
      *fork() {
        return { ok: false, errno: 'ENOMEM' };
      },
    }),
  };
  const rest = `${FORK}  - { name: cpu1, kind: cpu, program: [{ do: wait, for: child }, { do: load, at: a, as: r0 }] }
`;
  for (const outcome of outcomes(rest, { patches: [dead] })) {
    assert.match(outcome, /^cpu0\.r0=ENOMEM; cpu0\.r1=0x2; cpu1\.r0=0x[12]; /);
  }
});

test('wait names an operation of an actor, the first or another: what it does after that races with it', () => {
  const waiting = (waitedFor: string): string[] =>
    outcomes(`setup: [{ actor: cpu0, do: store, at: a, value: 1 }]
actors:
  - { name: cpu0, kind: cpu, program: [{ do: store, at: a, value: 2 }, { do: store, at: a, value: 3 }] }
  - { name: cpu1, kind: cpu, program: [{ do: wait, for: ${waitedFor} }, { do: load, at: a, as: r0 }] }
`);
  assert.deepEqual(waiting('cpu0 at store'), ['cpu1.r0=0x2; a=present', 'cpu1.r0=0x3; a=present']);
  assert.deepEqual(waiting('cpu0 at store 2'), ['cpu1.r0=0x3; a=present']);
});

test('a child races with its parent after the fork', () => {
  const rest = FORK.replace(
    'kind: cpu, program: [{ do: store, at: a, value: 9 }',
    'kind: cpu, program: [{ do: wait, for: cpu0 at fork }, { do: store, at: a, value: 9 }',
  );
  assert.deepEqual(outcomes(rest), ['cpu0.r0=OK; cpu0.r1=0x2; child.r0=0x9; a=present']);
});

test('[OR5] a child whose fork never comes is told with the actor that was to fork it', () => {
  const [outcome] = outcomes(`actors:
  - { name: cpu0, kind: cpu, program: [{ do: wait, for: child }, { do: fork, child: child }] }
  - { name: child, kind: cpu, program: [{ do: load, at: a }] }
`);
  assert.match(outcome ?? '', /^OR5: deadlock .*for the fork of child/);
});

test('a condition forbids an end, or asks whether it can be reached', () => {
  const forbidden = outcomes(`${STORE_AND_LOAD}condition: { forbid: cpu1.r0 = 7 }\n`);
  assert.deepEqual(forbidden, ['cpu1.r0=0x0; a=present', 'forbidden: cpu1.r0 = 7']);
  const { question } = planScenario(
    scenario(`${STORE_AND_LOAD}condition: { exists: cpu1.r0 = 7 }\n`),
  );
  const reached = { kind: 'condition', how: 'reached', condition: '', actors: [] } as const;
  const stale = { kind: 'violation', rule: 'OR1', text: 'dev0 maps', actors: [] } as const;
  assert.equal(answerOf(question, 'broken', reached), 'holds');
  assert.equal(answerOf(question, 'broken', stale), 'broken');
  assert.equal(answerOf(question, 'holds', 'none'), 'broken');
  assert.equal(answerOf(question, 'unknown', 'none'), 'unknown');
});

test('a window that never opens is counted as such', () => {
  const opened = 'window: [{ event: cpu-access, by: cpu0 }, { event: cpu-access, by: cpu1 }]\n';
  const some = searched(STORE_AND_LOAD + opened);
  assert.ok(some.windowEntered > 0 && some.windowEntered < some.executions);
  const never = 'window: [{ event: signal, by: cpu0 }]\n';
  assert.equal(searched(STORE_AND_LOAD + never).windowEntered, 0);
  const all = searched(STORE_AND_LOAD);
  assert.equal(all.windowEntered, all.executions);
});

test('what stands in the setup does not open the window', () => {
  const rest = `setup: [{ actor: cpu0, do: store, at: a, value: 1 }]
actors: [{ name: cpu0, kind: cpu }, { name: cpu1, kind: cpu, program: [{ do: load, at: a }] }]
window: [{ event: cpu-access, by: cpu0 }]
`;
  assert.equal(searched(rest).windowEntered, 0);
});

const READERS = `parameters: { devices: 3, migrators: 1 }
actors:
  - { name: cpu0, kind: cpu }
  - { name: migrator, kind: device, count: migrators, program: [{ do: migrate, at: a }] }
  - { name: reader, kind: device, count: devices - migrators, program: [{ do: fault-read, at: a, as: r0 }] }
`;

test('templates are repeated as the parameters say, and instances that nothing names apart are symmetric', () => {
  const plan = planScenario(scenario(READERS), { ...AS_WRITTEN, parameters: { devices: 4 } });
  const names = plan.instances.map(({ name }) => name);
  assert.deepEqual(names, ['cpu0', 'migrator0', 'reader0', 'reader1', 'reader2']);
  assert.deepEqual(plan.symmetric, [['reader0', 'reader1', 'reader2']]);
  const named = planScenario(scenario(`${READERS}condition: { forbid: reader1.r0 = 1 }\n`));
  assert.deepEqual(named.symmetric, []);
  const any = planScenario(scenario(`${READERS}condition: { forbid: reader.r0 = 1 }\n`));
  assert.deepEqual(any.symmetric, [['reader0', 'reader1']]);
});

test('parameters and drivers that do not fit are refused', () => {
  const choose = (choice: Partial<ScenarioChoice>) => () =>
    planScenario(scenario(READERS), { ...AS_WRITTEN, ...choice });
  assert.throws(choose({ parameters: { device: 4 } }), BadChoice);
  assert.throws(choose({ parameters: { devices: 0 } }), /comes to -1, expected 0 to 16/);
  assert.throws(choose({ parameters: { devices: 1.5 } }), BadChoice);
  assert.throws(choose({ drivers: new Map([['cpu0', faithful]]) }), /there is no device "cpu0"/);
  assert.doesNotThrow(choose({ drivers: new Map([['reader1', faithful]]) }));
});

test('a forked child is an actor of its own', () => {
  const rest = `setup:
  - { actor: cpu0, do: store, at: a, value: 1 }
  - { actor: cpu0, do: fork, child: child }
actors:
  - { name: cpu0, kind: cpu, program: [{ do: store, at: a, value: 2 }] }
  - { name: child, kind: cpu, program: [{ do: load, at: a, as: r0 }] }
`;
  assert.deepEqual(outcomes(rest), ['child.r0=0x1; a=present']);
});

test('a kernel that meets the impossible is broken, and code that crashes is no verdict', () => {
  const patchThat = (fail: () => never): Patch => ({
    id: 'fails',
    provenance: 'test',
    summary: 'fails',
    overrides: () => ({
      *exitToUserMode() {
        fail();
      },
    }),
  });
  const bug = patchThat(() => {
    throw new KernelBug('FR1', { pfn: 7 });
  });
  const found = outcomes(STORE_AND_LOAD, { patches: [bug] });
  assert.deepEqual(found, ['kernel BUG: [FR1] a frame is freed once: {"pfn":7}, in cpu0 (store)']);
  const crash = patchThat(() => {
    throw new TypeError('user code');
  });
  assert.throws(() => searched(STORE_AND_LOAD, { patches: [crash] }), /user code/);
});

/** Two devices are told by tasks of their own. */
const TWO_ARE_TOLD = `setup: [{ actor: cpu0, do: store, at: a, value: 1 }]
actors:
  - { name: cpu0, kind: cpu, program: [{ do: madvise, at: a, advice: DONTNEED }] }
  - { name: dev0, kind: device }
  - { name: dev1, kind: device }
`;

function invalidatesBy(id: string, invalidate: () => never): DriverVariant {
  return {
    ...faithful,
    id,
    newDevice(options) {
      const made = faithful.newDevice(options);
      const { callbacks } = made;
      return {
        ...made,
        callbacks: {
          ...callbacks,
          *invalidate() {
            return invalidate();
          },
        },
      };
    },
  };
}

test('the impossible in a callback is an answer that names the task, and a crash there is none', () => {
  const bug = invalidatesBy('bug', () => {
    throw new KernelBug('LK1', { class: 'driver_lock' });
  });
  const found = outcomes(TWO_ARE_TOLD, { drivers: new Map([['dev1', bug]]) });
  assert.deepEqual(found, [
    'kernel BUG: [LK1] a lock has at most one writer and no writer beside readers: ' +
      '{"class":"driver_lock"}, in dev1 (invalidate dev1)',
  ]);
  const crash = invalidatesBy('crash', () => {
    throw new TypeError('user code');
  });
  const choice = { drivers: new Map([['dev1', crash]]) };
  assert.throws(() => searched(TWO_ARE_TOLD, choice), /user code/);
});

test('a setup that does not end is an error of the scenario, not a verdict', () => {
  const never: DriverVariant = {
    ...faithful,
    id: 'never',
    newDevice: (options) => ({
      ...faithful.newDevice(options),
      *open() {
        yield {
          kind: 'block',
          at: 'never.open',
          on: options.deviceNumber as never,
          until: () => false,
        };
        return { ok: true, value: undefined };
      },
    }),
  };
  const drivers = new Map([['*', never]]);
  assert.throws(() => searched(READERS, { drivers }), /setup: open of migrator0 does not end/);
});

const PAGEOUT = `machine: { swapSlots: 1 }
setup: [{ actor: cpu0, do: store, at: a, value: 1 }]
actors:
  - { name: cpu0, kind: cpu, program: [{ do: madvise, at: a, advice: PAGEOUT }] }
  - { name: dev0, kind: device, program: [{ do: fault-read, at: a }] }
`;

test('[LK3] locks in the wrong order are a failure where the scenario asks for it, without a deadlock', () => {
  const drivers = new Map([['dev0', pageLockUnderDriverLock]]);
  const found = outcomes(`${PAGEOUT}oracles: [LK3]\n`, { drivers });
  assert.deepEqual(
    found.filter((outcome) => outcome.startsWith('LK3')),
    ['LK3: dev0 wants page_lock at set_page_dirty_lock.lock and holds driver_lock'],
  );
  assert.deepEqual(
    outcomes(`${PAGEOUT}oracles: [LK3]\n`).filter((outcome) => outcome.startsWith('LK3')),
    [],
  );
});

test('a thread that faults while nothing changes waits for others, and is stuck without any', () => {
  const rest = `actors: [{ name: cpu0, kind: cpu, program: [{ do: load, at: a }] }]\n`;
  const futile: Patch = {
    id: 'futile',
    provenance: 'test',
    summary: 'handles no fault',
    overrides: () => ({
      *handleMmFault() {
        return 'done';
      },
    }),
  };
  assert.deepEqual(outcomes(rest, { patches: [futile] }), [
    'OR5: livelock: cpu0 faults again and again, and no other task does anything',
  ]);
});

test('a task forgets what a call has taught it, but for the answer; not where user code runs', () => {
  const forgets = (patches: readonly Patch[]): boolean => {
    const scenario = shippedScenario('seed-zero-page-fault');
    assert.ok(scenario !== 'none');
    const plan = planScenario(scenario, { ...AS_WRITTEN, patches });
    const { steps } = runWith(() => newScenarioRun(plan), roundRobin(), 1_000);
    return steps.some(({ touches }) => touches.some(({ known }) => known !== undefined));
  };
  const patch: Patch = { id: 'mine', provenance: 'a test', summary: '', overrides: () => ({}) };
  assert.ok(forgets([]) && forgets([patch]));
  assert.ok(!forgets([{ ...patch, file: 'mine.ts' }]));
});
