/**
 * Stands between a user's own code and the world: what it throws, and what it returns or yields that is no answer, is
 * told with the file, the line and the function. A crash of user code is never a verdict.
 */
import { inspect } from 'node:util';
import type { DriverVariant, LabDevice } from '../../clients/drivers/catalogue/driver-variant.ts';
import type { DmirrorResult } from '../../clients/drivers/dmirror-verb.ts';
import type { DeviceDriver } from '../abi/device-api.ts';
import type { KernelFunctions } from '../kernel/kernel.ts';
import type { Patch } from '../patches/patch.ts';
import { UserBug } from '../task/assertions.ts';
import type { Step, Task } from '../task/task.ts';
import { BadInput } from '../vocabulary/bad-input.ts';
import { KernelBug } from '../vocabulary/invariant.ts';
import { lineIn, lineNaming, placed } from './source-line.ts';

/** A user's file, or what it does, cannot be used. `message` says which file, what is wrong, what would be right. */
export class BadUserCode extends BadInput {
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'BadUserCode';
  }
}

/** Which function of which file runs. */
interface Where {
  readonly file: string;
  /** `patch lazy-flush`. */
  readonly what: string;
  readonly name: string;
}

/** Told when the kernel cannot go on, for it is what it got last. One thread runs one execution at a time. */
let lastReturned: (Where & { readonly value: unknown }) | 'none' = 'none';

/** `/home/me/mine.ts:5: patch mine: hmmRangeFault() has returned undefined`, or 'none' if nothing has. */
export function lastReturn(): string | 'none' {
  if (lastReturned === 'none') return 'none';
  const { file, what, name, value } = lastReturned;
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
        lastReturned = { ...where, value: next.value };
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

/** A task that user code has made by a call, and that something must run. */
interface NotedTask {
  readonly call: string;
  isRun: boolean;
}

/** Where calls of the running user function are noted; 'nowhere' while none runs. */
let notes: NotedTask[] | 'nowhere' = 'nowhere';

function collecting<T>(mine: NotedTask[], run: () => T): T {
  const outer = notes;
  notes = mine;
  try {
    return run();
  } catch (error) {
    const forgotten = mine.find(({ isRun }) => !isRun);
    if (forgotten === undefined || error instanceof BadInput || error instanceof KernelBug)
      throw error;
    throw new ForgottenYield(forgotten.call, { cause: error });
  } finally {
    notes = outer;
  }
}

/** What was thrown by code that takes a task for its result. */
class ForgottenYield extends Error {
  constructor(call: string, options: { readonly cause: unknown }) {
    super(`${String(options.cause)}; ${withoutYield(call)}`, options);
    this.name = 'ForgottenYield';
  }
}

function withoutYield(call: string): string {
  return `it calls ${call}() without yield*, so that nothing of that runs: write yield* ${call}()`;
}

/** The same functions; of each task that one of them makes it is noted whether it is run. */
function noting<Table extends object>(table: Table, called: string): Table {
  const noted = Object.entries(table).map(([name, value]) => {
    if (typeof value !== 'function') return [name, value];
    return [
      name,
      (...args: unknown[]) => {
        const made: unknown = value.apply(table, args);
        if (!isTask(made) || notes === 'nowhere') return made;
        return notedTask(made, `${called}.${name}`, notes);
      },
    ];
  });
  return Object.fromEntries(noted) as Table;
}

function notedTask(task: Task<unknown>, call: string, into: NotedTask[]): Task<unknown> {
  const entry: NotedTask = { call, isRun: false };
  into.push(entry);
  return (function* () {
    entry.isRun = true;
    return yield* task;
  })();
}

function expectAllRun(where: Where, mine: readonly NotedTask[], returned: unknown): void {
  const forgotten = mine.find(({ isRun }) => !isRun);
  if (forgotten !== undefined) throw complaint(where, withoutYield(forgotten.call));
  if (isTask(returned))
    throw complaint(where, 'returns a task: write return yield* instead of return');
}

function isTask(value: unknown): value is Task<unknown> {
  const { next, throw: fail } = (value ?? {}) as Partial<Record<string, unknown>>;
  return typeof value === 'object' && typeof next === 'function' && typeof fail === 'function';
}

function attempt<T>(where: Where, run: () => T): T {
  try {
    return run();
  } catch (error) {
    // An impossible state of the kernel is an answer, and so is an assertion. Of an inner function all is told.
    const told =
      error instanceof KernelBug || error instanceof UserBug || error instanceof BadInput;
    if (told) throw error;
    throw thrownBy(where, error);
  }
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
