/** Code of a user's own that crashes, asserts or never ends under a schedule: an answer, with the schedule. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dmirrorWith } from '../../../../clients/drivers/dmirror/dmirror-variant.ts';
import type { DriverVariant } from '../../../../clients/drivers/interface/driver-variant.ts';
import { search } from '../../../explorer/search.ts';
import type { KernelFunctions } from '../../../kernel/kernel.ts';
import { newScenarioRun } from '../../../scenario/scenario-world.ts';
import {
  allocObject,
  bugOn,
  freeObject,
  note,
  useObject as reach,
} from '../../../task/assertions.ts';
import type { TaskContext } from '../../../task/context.ts';
import { objectId } from '../../../task/object-id.ts';
import { type Task, willRead, willWrite } from '../../../task/task.ts';
import { answer, explored, planned } from './asked-scenario.fixture.ts';

const TEXT = `
name: two-threads
title: Two threads of a device, and a CPU
provenance: a test
vmas:
  - { name: a, address: 0x100200000, pages: 1, prot: rw, kind: anon-private }
actors:
  - { name: cpu0, kind: cpu, program: [ { do: store, at: a, value: 1 } ] }
  - name: dev0
    kind: device
    threads: [ [ { do: read, at: a } ], [ { do: release } ] ]
oracles: [OR5]
bounds: { steps: 400 }
expect: { patches: { stock: holds } }
`;

/** A driver whose `read` and `release` are those of the test. */
function driverOf(
  verbs: (context: TaskContext) => { read: () => Task<void>; release: () => Task<void> },
): DriverVariant {
  return {
    id: 'own',
    provenance: 'a test',
    summary: 'does what a test says',
    file: '/home/me/own.ts',
    newDevice(options) {
      const made = verbs(options.context);
      return {
        ...dmirrorWith(options, {}),
        *perform({ verb }) {
          if (verb === 'read') yield* made.read();
          else if (verb === 'release') yield* made.release();
          return { errno: 'OK' };
        },
      };
    },
  };
}

const FLAG = objectId('device', 0, 9);

test('[OR5] a loop without end is a livelock with its round: in a driver, and in the kernel', () => {
  const spins = driverOf(() => ({
    *read() {
      for (;;) yield willRead('own.poll', FLAG);
    },
    *release() {},
  }));
  const { verdict, counterexample } = explored(planned(TEXT, { driver: spins }));
  assert.equal(verdict, 'broken');
  assert.ok(counterexample !== 'none');
  assert.deepEqual(
    counterexample.failure.kind === 'stuck' && counterexample.failure.how,
    'livelock',
  );
  assert.ok(counterexample.livelock?.steps.some(({ at }) => at === 'own.poll'));
  const faultsForEver = (): Partial<KernelFunctions> => ({
    *handleMmFault(_, { mm, page }) {
      for (;;) yield willRead('own.fault', objectId('pte', mm.id, page));
    },
  });
  assert.match(answer(TEXT, { overrides: faultsForEver }), /^OR5: livelock: .*own\.fault/);
});

test('[OR5] a loop that ends when another has had its turn is none', () => {
  const waits = driverOf(() => {
    let done = false;
    return {
      *read() {
        while (!done) yield willRead('own.poll', FLAG);
      },
      *release() {
        yield willWrite('own.done', FLAG);
        done = true;
      },
    };
  });
  const { counterexample } = explored(planned(TEXT, { driver: waits }));
  assert.equal(counterexample, 'none');
});

test('an assertion, a crash, a use after free and a double free under some schedule are broken', () => {
  const racing = (inRead: (open: boolean) => void): DriverVariant =>
    driverOf(() => {
      let open = true;
      return {
        *read() {
          yield willRead('own.read', FLAG);
          inRead(open);
        },
        *release() {
          yield willWrite('own.close', FLAG);
          open = false;
        },
      };
    });
  const asserts = racing((open) => bugOn(!open, 'read of a closed device'));
  assert.match(
    answer(TEXT, { driver: asserts }),
    /^BUG: read of a closed device, in dev0 \(read\)/,
  );
  const crashes = racing((open) => {
    if (!open) throw new TypeError('nothing is open');
  });
  assert.match(
    answer(TEXT, { driver: crashes }),
    /^crash: TypeError: nothing is open, in dev0 \(read\)/,
  );
  const uses = driverOf((context) => {
    const state = allocObject(context, 'struct own');
    return {
      *read() {
        yield willRead('own.read', state.object);
        reach(state);
      },
      *release() {
        yield willWrite('own.free', state.object);
        freeObject(state);
      },
    };
  });
  assert.match(
    answer(TEXT, { driver: uses }),
    /^BUG: use after free of struct own, which dev0 \(release\) freed behind own\.free/,
  );
  const twice = driverOf((context) => {
    const state = allocObject(context, 'struct own');
    function* free(): Task<void> {
      yield willWrite('own.free', state.object);
      freeObject(state);
    }
    return { read: free, release: free };
  });
  assert.match(answer(TEXT, { driver: twice }), /^BUG: double free of struct own/);
});

/** Steps that announce nothing of the object: that it is used is all that an explorer can know. */
const APART = [objectId('device', 0, 10), objectId('device', 0, 11)] as const;

function sharing(first: 'read' | 'write', second: 'read' | 'write' | 'free'): DriverVariant {
  return driverOf((context) => {
    const state = allocObject(context, 'struct own');
    return {
      *read() {
        yield willRead('own.read', APART[0]);
        reach(state, first);
      },
      *release() {
        yield willRead('own.release', APART[1]);
        if (second === 'free') freeObject(state);
        else reach(state, second);
      },
    };
  });
}

test('useObject() makes two tasks depend on each other: a use before and behind the end is tried', () => {
  for (const mode of ['read', 'write'] as const) {
    assert.match(
      answer(TEXT, { driver: sharing(mode, 'free') }),
      /^BUG: use after free of struct own, which dev0 \(release\) freed behind own\.release/,
    );
  }
});

test('useObject() for reading commutes with reading, and with no write', () => {
  const executions = (first: 'read' | 'write', second: 'read' | 'write') => {
    const plan = planned(TEXT, { driver: sharing(first, second) });
    const result = search(() => newScenarioRun(plan), {
      strategy: 'dpor',
      stepsMax: 400,
      counterexamples: 'first',
      goOn: () => 'go on',
    });
    assert.deepEqual([result.ended, result.counterexample], ['complete', 'none']);
    return result.executions;
  };
  const alone = executions('read', 'read');
  assert.ok(executions('read', 'write') > alone);
  assert.ok(executions('write', 'read') > alone);
  assert.ok(executions('write', 'write') > alone);
});

test('[OR5] a program is named by what it does when it goes round, not by what it did first', () => {
  const text = TEXT.replace(
    '[ { do: read, at: a } ], [ { do: release } ]',
    '[ { do: read, at: a }, { do: release } ]',
  );
  const spins = driverOf(() => ({
    *read() {},
    *release() {
      for (;;) yield willRead('own.poll', FLAG);
    },
  }));
  assert.match(answer(text, { driver: spins }), /^OR5: livelock: dev0 \(release, at own\.poll\)/);
});

test('a note is an event in the name of the task', () => {
  const notes = driverOf((context) => ({
    *read() {
      note(context, 'about to read');
    },
    *release() {},
  }));
  const run = newScenarioRun(planned(TEXT, { driver: notes }));
  run.scheduler.runFirstCome(1_000);
  const found = run.world.log.kept.find((event) => event.kind === 'note');
  assert.deepEqual(found?.kind === 'note' && [found.actor, found.text], ['dev0', 'about to read']);
});
