/**
 * Small programs over shared cells, locks, a counter and children, for comparing searches: what a reduction finds must
 * be what plain search finds. The outcome is every register and every cell.
 */

import fc from 'fast-check';
import { Scheduler } from '../scheduler/scheduler.ts';
import {
  enterLoop,
  keepOnly,
  newTaskContext,
  type TaskContext,
  touch,
  wake,
} from '../task/context.ts';
import { type Lock, lock, newLock, tryLock, unlock } from '../task/lock.ts';
import { objectId } from '../task/object-id.ts';
import {
  downgradeWrite,
  newRwSem,
  type RwSem,
  readLock,
  readUnlock,
  writeLock,
  writeUnlock,
} from '../task/rwsem.ts';
import {
  type Task,
  waitAgain,
  waitUntil,
  willCompare,
  willLower,
  willRaise,
  willRead,
  willWrite,
} from '../task/task.ts';
import { together } from '../task/together.ts';
import type { NewExplored, WorldContents } from './explored.ts';
import { testFailure } from './failure.fixture.ts';

const KINDS = [
  'read',
  'branch',
  'write',
  'add',
  'locked-write',
  'locked-read',
  'try-write',
  'shared-read',
  'exclusive-write',
  'downgrade',
  'open',
  'close',
  'compare',
  'quiesce',
  'flag',
  'bracket',
  'await',
  'post',
  'fork',
  'fork-lock',
  'fork-mixed',
  'call',
] as const;

export interface RandomOp {
  readonly op: (typeof KINDS)[number];
  readonly at: number;
}

export type Program = readonly RandomOp[];

const BRACKET = ['open', 'flag', 'close'] as const;

const OBJECTS = 2;
export const LOCK = objectId('driver_lock', 0, 0);
const SEM = objectId('mmap_lock', 0, 0);
const POSTED = objectId('answer', 0, 0);
const COUNT = objectId('subscriptions', 0, 0);
const FLAG = objectId('interval_sub', 0, 0);

/** What is forgotten but for the answer. */
const CALL = objectId('hold', 0, 0);

/** While the counter has not been 0 again. */
function period(number: number) {
  return objectId('subscriptions', 1, number + 1);
}

export function cell(at: number) {
  return objectId('user', 0, at);
}

/** What the children of a fork do, `at` being the cell of the fork. */
function childrenOf(op: RandomOp): readonly Program[] {
  const here = op.at;
  const there = 1 - here;
  switch (op.op) {
    case 'fork-lock':
      return [[{ op: 'locked-write', at: here }], [{ op: 'read', at: there }]];
    case 'fork-mixed':
      return [
        [
          { op: 'read', at: here },
          { op: 'write', at: there },
        ],
        [
          { op: 'open', at: here },
          { op: 'close', at: here },
        ],
      ];
    default:
      return [[{ op: 'write', at: here }], [{ op: 'write', at: here }]];
  }
}

class Memory {
  readonly cells = new Array<number>(OBJECTS).fill(0);
  readonly counts = new Array<number>(OBJECTS).fill(0);
  readonly mutex: Lock<'driver_lock'> = newLock('driver_lock', LOCK);
  readonly sem: RwSem = newRwSem('mmap_lock', SEM);
  posted = 0;
  open = 0;
  /** Times that the counter has left 0. */
  period = 0;
  /** The period that was open when the flag was set last. */
  flagged = -1;
  readonly context: TaskContext;

  constructor(context: TaskContext) {
    this.context = context;
  }

  /** Runs `ops`; what is learnt is appended to what `note` keeps. `base` makes the values of one task its own. */
  *run(who: number, ops: Program, base: number, note: (text: string) => void): Task<void> {
    for (const [index, op] of ops.entries()) yield* this.#perform(who, op, base + index + 1, note);
  }

  *#perform(who: number, op: RandomOp, value: number, note: (text: string) => void): Task<void> {
    const { context, cells } = this;
    const here = cell(op.at);
    switch (op.op) {
      case 'read':
        yield willRead('test.read', here);
        return note(`r${cells[op.at]}`);
      case 'branch':
        yield willRead('test.branch', here);
        if (cells[op.at] === 0) return;
        yield willWrite('test.branched', cell(1 - op.at));
        cells[1 - op.at] = value;
        return;
      case 'write':
        yield willWrite('test.write', here);
        cells[op.at] = value;
        return;
      case 'add':
        yield willRead('test.add', objectId('user', 1, who));
        touch(context, objectId('page', 0, op.at), 'add');
        this.counts[op.at] = (this.counts[op.at] ?? 0) + 1;
        return;
      case 'open':
        yield willRaise('test.open', COUNT);
        if (this.open === 0) this.period += 1;
        this.open += 1;
        return;
      case 'close':
        yield willLower('test.close', COUNT);
        this.open -= 1;
        touch(context, period(this.period), 'end');
        return wake(context, COUNT, 'lower');
      case 'compare':
        // Nothing is remembered of a comparison but what comes next.
        yield willCompare('test.compare', COUNT);
        if (this.open <= 0) return;
        yield willWrite('test.compared', here);
        cells[op.at] = value;
        return;
      case 'quiesce': {
        // As a reader of a notifier: it waits for what its own flag has seen to end.
        const over = () => this.open <= 0 || this.flagged !== this.period;
        yield waitAgain('test.quiesce', COUNT, FLAG, over);
        touch(context, period(this.flagged), 'ended');
        return note('q');
      }
      case 'bracket':
        for (const part of BRACKET) yield* this.#perform(who, { op: part, at: op.at }, value, note);
        return;
      case 'flag':
        yield willWrite('test.flag', FLAG);
        if (this.open > 0) this.flagged = this.period;
        return touch(context, COUNT, 'read');
      case 'await':
        yield waitUntil('test.await', POSTED, () => this.posted > 0);
        return note('w');
      case 'post':
        yield willWrite('test.post', POSTED);
        this.posted += 1;
        return wake(context, POSTED);
      case 'call':
        return yield* this.#call(op, value);
      case 'fork':
      case 'fork-lock':
      case 'fork-mixed':
        return yield* this.#fork(who, op, value, note);
      default:
        return yield* this.#underLock(op, value, note);
    }
  }

  *#underLock(op: RandomOp, value: number, note: (text: string) => void): Task<void> {
    const { context, cells, mutex, sem } = this;
    const here = cell(op.at);
    switch (op.op) {
      case 'locked-write': {
        const held = yield* lock(context, 'test.lock', mutex);
        yield willWrite('test.locked', here);
        note(`l${cells[op.at]}`);
        cells[op.at] = value;
        return unlock(context, held);
      }
      case 'locked-read': {
        const held = yield* lock(context, 'test.lock_read', mutex);
        touch(context, here, 'read');
        note(`k${cells[op.at]}`);
        return unlock(context, held);
      }
      case 'try-write': {
        yield willWrite('test.trylock', LOCK);
        const held = tryLock(context, mutex);
        if (held === 'busy') return note('busy');
        yield willWrite('test.tried', here);
        cells[op.at] = value;
        return unlock(context, held);
      }
      case 'shared-read': {
        const held = yield* readLock(context, 'test.read_lock', sem);
        yield willRead('test.shared', here);
        note(`s${cells[op.at]}`);
        return readUnlock(context, held);
      }
      case 'downgrade': {
        // What it has written, others may write before it reads it.
        const held = yield* writeLock(context, 'test.write_lock', sem);
        yield willWrite('test.before', here);
        cells[op.at] = value;
        const reader = downgradeWrite(context, held);
        yield willRead('test.behind', here);
        note(`d${cells[op.at]}`);
        return readUnlock(context, reader);
      }
      default: {
        const held = yield* writeLock(context, 'test.write_lock', sem);
        yield willWrite('test.exclusive', here);
        cells[op.at] = value;
        return writeUnlock(context, held);
      }
    }
  }

  /** What was seen before it decides what comes behind it, and of what it sees itself whether it stayed. */
  *#call(op: RandomOp, value: number): Task<void> {
    const { context, cells } = this;
    const [here, there] = [cell(op.at), cell(1 - op.at)];
    yield willRead('test.before_call', here);
    const before = cells[op.at] ?? 0;
    enterLoop(context, CALL);
    yield willRead('test.called', there);
    const seen = cells[1 - op.at];
    yield willRead('test.called_again', there);
    const answer = seen === cells[1 - op.at] ? 'stayed' : 'moved';
    keepOnly(context, CALL, answer);
    yield willWrite('test.returned', here);
    cells[op.at] = answer === 'stayed' ? value : value + 1_000 + before;
  }

  *#fork(who: number, op: RandomOp, value: number, note: (text: string) => void): Task<void> {
    const parts = childrenOf(op).map((ops, part) => ({
      actor: `t${who}child${part}`,
      name: `child${part}`,
      task: this.#child(who, ops, value * 10 + part * 100),
    }));
    const outcomes = yield* together(this.context, 'test.together', parts);
    note(`(${outcomes.join('|')})`);
  }

  *#child(who: number, ops: Program, base: number): Task<string> {
    let outcomes = '';
    yield* this.run(who, ops, base, (text) => {
      outcomes += text;
    });
    return outcomes;
  }
}

export type Tells = 'its contents' | 'nothing';

/** Each task runs its program; with `twins` all but the first are interchangeable, and so are their registers. */
export function world(
  programs: readonly Program[],
  tells: Tells = 'nothing',
  twins: 'none' | 'all but the first' = 'none',
): NewExplored {
  return () => {
    const context = newTaskContext();
    const scheduler = new Scheduler(context);
    const memory = new Memory(context);
    const registers = programs.map(() => '');
    for (const [who, ops] of programs.entries()) {
      const likeWho = twins === 'none' ? who : Math.min(who, 1);
      const note = (text: string) => {
        registers[who] += text;
      };
      scheduler.spawn(`t${who}`, `t${who}`, memory.run(who, ops, likeWho * 10, note));
    }
    const outcomes = () =>
      twins === 'none' ? registers : [registers[0] ?? '', ...registers.slice(1).sort()];
    const outcome = () => JSON.stringify([outcomes(), memory.cells, memory.counts]);
    return {
      scheduler,
      failure: () => 'none',
      failureAtEnd: (stuck) =>
        stuck.length === 0 ? 'none' : testFailure(`stuck: ${stuck.length}`),
      windowEntered: () => true,
      outcome,
      alsoReads: () => [],
      ...(tells === 'nothing' ? {} : { contents: contentsOf(memory, () => outcomes().join()) }),
    };
  };
}

function contentsOf(memory: Memory, registers: () => string): WorldContents {
  return {
    contentOf(object) {
      const index = [0, 1].find((at) => object === cell(at));
      if (index !== undefined) return memory.cells[index] ?? 0;
      // What the locks guard.
      if (object === LOCK || object === SEM) return memory.cells.join();
      if (object === COUNT) return `${memory.open} ${memory.period}`;
      if (object === FLAG) return memory.flagged;
      return object === POSTED ? memory.posted : 'unknown';
    },
    learnableAt: () => 'the content',
    comparedAt: () => 'unknown',
    derived: () => [],
    rest: registers,
    windowReached: () => '',
  };
}

function ops(kinds: readonly RandomOp['op'][]): fc.Arbitrary<RandomOp> {
  return fc.record({
    op: fc.constantFrom(...kinds),
    at: fc.integer({ min: 0, max: OBJECTS - 1 }),
  });
}

/** One task's program of 1 to `length` operations. */
export function randomProgram(
  length: number,
  kinds: readonly RandomOp['op'][] = KINDS,
): fc.Arbitrary<Program> {
  return fc.array(ops(kinds), { minLength: 1, maxLength: length });
}

/** Two or three tasks with 1 to `length` operations each. */
export function programsOf(
  length: number,
  kinds: readonly RandomOp['op'][] = KINDS,
): fc.Arbitrary<readonly Program[]> {
  return fc.array(randomProgram(length, kinds), { minLength: 2, maxLength: 3 });
}
