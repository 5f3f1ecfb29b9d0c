/**
 * Stands between a user's own code and the world: what it throws, and what it returns or yields that is no answer, is
 * reported with the file, the line and the function. A crash of user code is never a verdict.
 */
import { inspect } from 'node:util';
import type { DmirrorResult } from '../../clients/drivers/dmirror/dmirror-verb.ts';
import type { DriverVariant, LabDevice } from '../../clients/drivers/interface/driver-variant.ts';
import type { DeviceDriver } from '../abi/device-api.ts';
import type { KernelFunctions } from '../kernel/kernel.ts';
import type { Patch } from '../patches/patch.ts';
import { UserBug } from '../task/assertions.ts';
import type { Step, Task } from '../task/task.ts';
import { BadInput } from '../vocabulary/bad-input.ts';
import { KernelBug } from '../vocabulary/invariant.ts';
import { BadUserCode, EndlessLoop, noteReturn } from './bad-user-code.ts';
import { lineIn, lineNaming, placed } from './source-line.ts';
import {
  isTask,
  LoopWithoutEnd,
  type NotedTask,
  noteCalled,
  noteTurn,
  notingIn,
} from './watched-code.ts';

/** Which function of which file runs. */
interface Where {
  readonly file: string;
  /** `patch lazy-flush`. */
  readonly what: string;
  readonly name: string;
}

/** `/home/me/mine.ts:5: patch mine: hmmRangeFault() has returned undefined` */
function returnWords({ file, what, name }: Where, value: unknown): string {
  return `${placed(file, lineNaming(file, name))}: ${what}: ${name}() has returned ${shown(value)}`;
}

type AnyTask = (...args: never[]) => Task<unknown>;

/** The same patch, under guard. */
export function guardedPatch(file: string, patch: Patch): Patch {
  const what = `patch ${patch.id}`;
  return {
    ...patch,
    file,
    overrides(stock) {
      const overridden = attempt({ file, what, name: 'overrides' }, () =>
        patch.overrides(noting(stock, 'stock')),
      );
      const guarded = Object.entries(overridden).map(([name, override]) => {
        return [name, guardedTask({ file, what, name }, override as AnyTask)];
      });
      return Object.fromEntries(guarded) as Partial<KernelFunctions>;
    },
  };
}

/** The same driver, under guard. */
export function guardedDriver(file: string, driver: DriverVariant): DriverVariant {
  const what = `driver ${driver.id}`;
  return {
    ...driver,
    file,
    newDevice(options) {
      const where = { file, what, name: 'newDevice' };
      const api = noting(options.api, 'api');
      const made = attempt(where, () => driver.newDevice({ ...options, api }));
      return guardedDevice(where, made);
    },
  };
}

const CALLBACKS = ['invalidate', 'migrateToRam', 'pageFree', 'release'] as const;

function guardedDevice(where: Where, made: LabDevice): LabDevice {
  const at = (name: string): Where => ({ ...where, name });
  expectFunctions(where, made, ['open', 'perform'], '');
  const { callbacks } = made;
  expectFunctions(where, callbacks, CALLBACKS, 'callbacks.');
  const guarded: DeviceDriver = {
    invalidate: guardedTask(at('invalidate'), callbacks.invalidate.bind(callbacks)),
    migrateToRam: guardedTask(at('migrateToRam'), callbacks.migrateToRam.bind(callbacks)),
    pageFree: guardedTask(at('pageFree'), callbacks.pageFree.bind(callbacks)),
    release: guardedTask(at('release'), callbacks.release.bind(callbacks)),
    ...guardedPasses(made, at),
  };
  const open = guardedTask(at('open'), made.open.bind(made));
  const perform = guardedTask(at('perform'), made.perform.bind(made));
  const { freeFrames } = made;
  return {
    callbacks: guarded,
    ...(freeFrames === undefined
      ? {}
      : { freeFrames: () => attempt(at('freeFrames'), () => freeFrames.call(made)) }),
    *open() {
      const opened = yield* open();
      if (typeof opened?.ok === 'boolean') return opened;
      throw complaint(at('open'), `returns ${shown(opened)}, expected { ok: true } or an errno`);
    },
    *perform(verb) {
      const result: DmirrorResult | undefined = yield* perform(verb);
      if (typeof result?.errno === 'string') return result;
      const expected = `expected { errno: 'OK' } or { errno: 'EINVAL' } and the like`;
      throw complaint(at('perform'), `returns ${shown(result)} for ${verb.verb}, ${expected}`);
    },
  };
}

/** A driver in two passes makes a task for the second in each call of the first. */
function guardedPasses(
  { callbacks }: LabDevice,
  at: (name: string) => Where,
): Pick<DeviceDriver, 'invalidateStart'> {
  const { invalidateStart } = callbacks;
  if (invalidateStart === undefined) return {};
  const begin = guardedTask(at('invalidateStart'), invalidateStart.bind(callbacks));
  return {
    *invalidateStart(...args) {
      const answer = yield* begin(...args);
      if (typeof answer !== 'function') return answer;
      return guardedTask(at('invalidateStart'), answer);
    },
  };
}

function expectFunctions(
  where: Where,
  holder: unknown,
  names: readonly string[],
  prefix: string,
): void {
  for (const name of names) {
    const found = (holder as Readonly<Record<string, unknown>> | null | undefined)?.[name];
    if (typeof found === 'function') continue;
    throw complaint(where, `makes a device without the function ${prefix}${name}`);
  }
}

/** `run`, stepped one by one: nothing that it does wrong looks as if the kernel did it. */
function guardedTask<F extends AnyTask>(where: Where, run: F): F {
  return function* guarded(...args: Parameters<F>): Task<unknown> {
    // The kernel's own loops may go round through here.
    attempt(where, noteTurn);
    const mine: NotedTask[] = [];
    const task = attempt(where, () => collecting(mine, () => run(...args)));
    if (typeof task?.next !== 'function') {
      const remedy = `it must be a generator: *${where.name}() { ... }`;
      throw complaint(where, `returns ${shown(task)}; ${remedy}`);
    }
    for (;;) {
      const next = attempt(where, () => collecting(mine, () => task.next()));
      if (next.done === true) {
        expectAllRun(where, mine, next.value);
        const { value } = next;
        noteReturn(() => returnWords(where, value));
        return next.value;
      }
      if (isTask(next.value))
        throw complaint(where, 'yields a task: write yield* instead of yield');
      if (!isStep(next.value)) {
        const expected =
          "expected a step as { kind: 'access', at: 'function.moment', object, mode }";
        throw complaint(where, `yields ${shown(next.value)}, ${expected}`);
      }
      yield next.value;
    }
  } as unknown as F;
}

function collecting<T>(mine: NotedTask[], run: () => T): T {
  try {
    return notingIn(mine, run);
  } catch (error) {
    const forgotten = mine.find(({ isRun }) => !isRun);
    const isAnswer = isExplained(error) || error instanceof LoopWithoutEnd;
    if (forgotten === undefined || isAnswer) throw error;
    throw new ForgottenYield(forgotten.call, { cause: error });
  }
}

/** What was thrown by code that takes a task for its result. */
class ForgottenYield extends Error {
  constructor(call: string, options: { readonly cause: unknown }) {
    super(`${String(options.cause)}; it ${withoutYield(call)}`, options);
    this.name = 'ForgottenYield';
  }
}

function withoutYield(call: string): string {
  return `calls ${call}() without yield*, so that nothing of that runs: write yield* ${call}()`;
}

/** The same functions; of each task that one of them makes it is noted whether it is run. */
function noting<Table extends object>(table: Table, called: string): Table {
  const noted = Object.entries(table).map(([name, value]) => {
    if (typeof value !== 'function') return [name, value];
    return [
      name,
      (...args: unknown[]): unknown => noteCalled(value.apply(table, args), `${called}.${name}`),
    ];
  });
  return Object.fromEntries(noted) as Table;
}

function expectAllRun(where: Where, mine: readonly NotedTask[], returned: unknown): void {
  const forgotten = mine.find(({ isRun }) => !isRun);
  if (forgotten !== undefined) throw complaint(where, withoutYield(forgotten.call));
  if (isTask(returned))
    throw complaint(where, 'returns a task: write return yield* instead of return');
}

function attempt<T>(where: Where, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (isExplained(error)) throw error;
    throw error instanceof LoopWithoutEnd ? endlessLoop(where, error) : thrownBy(where, error);
  }
}

/** An impossible state of the kernel is an answer, and so is an assertion. An inner function is reported in full. */
function isExplained(error: unknown): boolean {
  return (
    error instanceof KernelBug ||
    error instanceof UserBug ||
    error instanceof BadInput ||
    error instanceof EndlessLoop
  );
}

function endlessLoop({ file, what, name }: Where, cause: LoopWithoutEnd): EndlessLoop {
  const place = placed(file, lineIn(file, cause));
  return new EndlessLoop(place, `${place}: ${what}: ${name}(): ${cause.message}`, { cause });
}

function thrownBy(where: Where, error: unknown): BadUserCode {
  const { file, what, name } = where;
  const at = placed(file, lineIn(file, error));
  const said = error instanceof Error ? `${error.name}: ${error.message}` : shown(error);
  const text = `${at}: ${what}: ${name}() throws ${said}`;
  return new BadUserCode(text, { cause: error });
}

function complaint({ file, what, name }: Where, message: string): BadUserCode {
  const at = placed(file, lineNaming(file, name));
  return new BadUserCode(`${at}: ${what}: ${name}() ${message}`);
}

function isStep(value: unknown): value is Step {
  const step = value as Partial<Record<string, unknown>> | null | undefined;
  if (typeof step !== 'object' || step === null || typeof step.at !== 'string') return false;
  switch (step.kind) {
    case 'access':
      return typeof step.object === 'number' && (step.mode === 'read' || step.mode === 'write');
    case 'block':
      return typeof step.on === 'number' && typeof step.until === 'function';
    case 'spawn':
      return Array.isArray(step.children);
    default:
      return false;
  }
}

const BRIEFLY = { depth: 1, breakLength: Number.POSITIVE_INFINITY };

function shown(value: unknown): string {
  if (value instanceof Promise) return 'a promise';
  if (typeof value === 'function') return 'a function';
  const text =
    typeof value === 'object' && value !== null ? inspect(value, BRIEFLY) : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
