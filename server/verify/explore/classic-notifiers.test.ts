/** Classic notifiers announce and tell all there is: searches that leave out orders find what plain search finds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeviceApi, MmuNotifier } from '../../abi/device-api.ts';
import type { Explored } from '../../explorer/explored.ts';
import { testFailure } from '../../explorer/failure.fixture.ts';
import { type SearchResult, search } from '../../explorer/search.ts';
import { searchStates } from '../../explorer/search-states.ts';
import { deviceOf, newWorld, runTask, type World } from '../../machine/world.ts';
import { newMilestones } from '../../scenario/milestones.ts';
import { worldContents } from '../../scenario/world-contents.ts';
import { touch } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { type Task, willWrite } from '../../task/task.ts';
import type { PageIndex } from '../../vocabulary/address.ts';

/** Programs with more interleavings than this are not compared. */
const EXECUTIONS_MAX = 1_000;
const STEPS_MAX = 500;
const DEVICES = ['first', 'second'] as const;
const RANGE = { first: 16 as PageIndex, end: 17 as PageIndex };

/** What one task does, with which device. */
interface Op {
  readonly op: 'bracket' | 'hurried bracket' | 'register' | 'unregister';
  readonly device: number;
}

/** A driver that writes down what it hears. The second one has no end, and refuses what may not wait. */
class Device {
  readonly api: DeviceApi;
  readonly object: ObjectId;
  readonly #world: World;
  heard = '';
  notifier: MmuNotifier | 'none' = 'none';

  constructor(world: World, name: string, number: number) {
    this.#world = world;
    this.object = objectId('device', number, 0);
    const hears = (what: string) => this.#hear(what);
    const callbacks = {
      mmuNotifier:
        number === 0
          ? {
              *invalidateRangeStart() {
                yield* hears('start');
                return 'done' as const;
              },
              *invalidateRangeEnd() {
                yield* hears('end');
              },
            }
          : {
              *invalidateRangeStart({ blocking }: { readonly blocking: string }) {
                yield* hears(blocking);
                return blocking === 'blockable' ? ('done' as const) : ('again' as const);
              },
            },
      release: () => hears('release'),
      invalidate: () => assert.fail('it has no subscription'),
      migrateToRam: () => assert.fail('it has no memory'),
      pageFree: () => assert.fail('it has no memory'),
    };
    this.api = deviceOf(world, name, () => callbacks);
  }

  *#hear(what: string): Task<void> {
    yield willWrite('test.heard', this.object);
    touch(this.#world.context, this.object, 'write');
    this.heard += ` ${what}`;
  }

  *register(): Task<string> {
    const made = yield* this.api.mmuNotifierRegister();
    if (made.ok) this.notifier = made.value;
    return made.ok ? 'OK' : made.errno;
  }

  *unregister(): Task<string> {
    const { notifier } = this;
    if (notifier === 'none') return 'none';
    this.notifier = 'none';
    yield* this.api.mmuNotifierUnregister(notifier);
    return 'OK';
  }
}

function* bracket({ kernel, mm }: World, op: Op['op']): Task<string> {
  const blocking = op === 'bracket' ? 'blockable' : 'non-blockable';
  const opened = yield* kernel.fn.mmuNotifierInvalidateRangeStart(kernel, mm, {
    event: 'clear',
    range: RANGE,
    owner: 'none',
    blocking,
  });
  if (!opened.ok) return opened.errno;
  yield* kernel.fn.mmuNotifierInvalidateRangeEnd(kernel, opened.value);
  return 'OK';
}

/** `registered` devices are in the list before the tasks begin; each task does one thing. */
function worldOf(registered: number, tasks: readonly Op[]): () => Explored {
  return () => {
    const world = newWorld();
    const devices = DEVICES.map((name, number) => new Device(world, name, number));
    for (const device of devices.slice(0, registered)) {
      runTask(world, 'setup', 'register', device.register());
    }
    const results = new Map<string, string>();
    for (const [at, op] of tasks.entries()) {
      const device = devices[op.device] as Device;
      world.scheduler.spawn(`task${at}`, op.op, within(world, results, `task${at}`, op, device));
    }
    const outcome = () =>
      `${devices.map(({ heard }) => heard).join(';')} ${[...results].sort().join()}`;
    return {
      scheduler: world.scheduler,
      failure: () => 'none',
      failureAtEnd: (stuck) => (stuck.length === 0 ? 'none' : testFailure(`stuck ${stuck.length}`)),
      windowEntered: () => true,
      outcome,
      alsoReads: () => [],
      contents: worldContents({
        world,
        devices: devices.map(({ object }, number) => ({
          callbacks: { ...NOTHING },
          open: () => assert.fail(),
          perform: () => assert.fail(),
          contentOf: (asked) => (asked === object ? (devices[number] as Device).heard : 'unknown'),
        })),
        names: DEVICES,
        registers: results,
        milestones: newMilestones(world.context, []),
        sequences: 'compared',
        more: () => '',
        windowReached: () => '',
      }),
    };
  };
}

const NOTHING = {
  invalidate: () => assert.fail(),
  migrateToRam: () => assert.fail(),
  pageFree: () => assert.fail(),
  release: () => assert.fail(),
};

function* within(
  world: World,
  results: Map<string, string>,
  name: string,
  { op }: Op,
  device: Device,
): Task<void> {
  switch (op) {
    case 'register':
      results.set(name, yield* device.register());
      return;
    case 'unregister':
      results.set(name, yield* device.unregister());
      return;
    default:
      results.set(name, yield* bracket(world, op));
  }
}

function covered(build: () => Explored, strategy: 'dpor' | 'dfs'): SearchResult {
  return search(build, {
    strategy,
    stepsMax: STEPS_MAX,
    counterexamples: 'all',
    goOn: ({ executions }) => (executions < EXECUTIONS_MAX ? 'go on' : 'stop'),
  });
}

const outcomesOf = ({ outcomes }: { readonly outcomes: ReadonlyMap<string, unknown> }) =>
  [...outcomes.keys()].sort();

const PROGRAMS = fc.record({
  registered: fc.integer({ min: 0, max: 2 }),
  tasks: fc.array(
    fc.record({
      op: fc.constantFrom<Op['op']>('bracket', 'hurried bracket', 'register', 'unregister'),
      device: fc.integer({ min: 0, max: 1 }),
    }),
    { minLength: 2, maxLength: 3 },
  ),
});

/** Registered once, and taken back once by one that was registered before: the rest is no question of schedules. */
function isSound({ registered, tasks }: { registered: number; tasks: readonly Op[] }): boolean {
  return DEVICES.every((_, number) => {
    const own = tasks.filter(({ device }) => device === number);
    const registers = own.filter(({ op }) => op === 'register').length;
    const takesBack = own.filter(({ op }) => op === 'unregister').length;
    return number < registered
      ? registers === 0 && takesBack <= 1
      : registers <= 1 && takesBack === 0;
  });
}

test('reduced searches find the outcomes of plain search where notifiers come and go', () => {
  let compared = 0;
  fc.assert(
    fc.property(PROGRAMS, (program) => {
      fc.pre(isSound(program));
      const build = worldOf(program.registered, program.tasks);
      const plain = covered(build, 'dfs');
      fc.pre(plain.ended === 'complete');
      compared += 1;
      const reduced = covered(build, 'dpor');
      assert.deepEqual(outcomesOf(reduced), outcomesOf(plain));
      const states = searchStates(build, {
        stepsMax: STEPS_MAX,
        counterexamples: 'all',
        goOn: () => 'go on',
      });
      assert.deepEqual(outcomesOf(states), outcomesOf(plain));
    }),
    { seed: 20260701, numRuns: 40 },
  );
  assert.ok(compared >= 40, `${compared} programs`);
});
