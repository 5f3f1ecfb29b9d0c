/**
 * Where an execution stands, as a number: the same for two ways that lead to the same state. A state is what stands
 * at each object, and of each task all that it has learnt since it began: a task is a function of that. What a task
 * knew when it ended does not matter any more, and neither does which of several interchangeable actors is which.
 *
 * Rests on footprints that are complete: what a step reads or writes of shared state it has announced or touched.
 */
import type { RunningTask } from '../scheduler/scheduler.ts';
import type { Touch } from '../task/context.ts';
import type { ObjectId } from '../task/object-id.ts';

import type { ExecutedStep } from './execution.ts';
import type { WorldContents } from './explored.ts';
import { addTo, fold, foldText, keyOf, type Lanes, newLanes } from './lanes.ts';
import { ObjectValues, type Undo } from './object-values.ts';
import { NO_ORDER, type ObjectOwners, type Order } from './symmetry.ts';
import type { TaskPlace, TaskPlaces } from './task-places.ts';

/** What is followed of one task while it lives. */
interface Followed {
  readonly place: TaskPlace;
  /** See ObjectOwners. */
  readonly home: number;
  readonly parent: number | 'none';
  /** All that it has learnt. Replaced, never changed. */
  learnt: Lanes;
  /** What its children have come to since it ran last: a sum, since their order is not known to it. */
  heard: Lanes;
  /** Children that have not ended. */
  children: number;
  /** What it holds to compare it later, by where it was read. Replaced, never changed. */
  held: ReadonlyMap<ObjectId, number>;
  /** What it knew when it entered a loop. Replaced, never changed. */
  loops: ReadonlyMap<ObjectId, Knowledge>;
}

interface Knowledge {
  readonly learnt: Lanes;
  readonly held: ReadonlyMap<ObjectId, number>;
}

/** Keep apart what is folded for different reasons. */
const TAKEN = 0x7461;
const ABLE = 0x6162;
const WAITING = 0x7761;
const ENDED = 0x656e;
const STANDS = 0x7374;
const GONE = 0x676f;
const UNLIKE = 0x756e;

/** No task has this number. */
const NO_TASK = -1;
const NOTHING: Lanes = { low: 0, high: 0 };
const NO_LOOPS: ReadonlyMap<ObjectId, Knowledge> = new Map();
const NOTHING_HELD: ReadonlyMap<ObjectId, number> = new Map();

/** Follows the executions of one search: they share prefixes, so it can be cut back. */
export class ObservedState {
  readonly #places: TaskPlaces;
  readonly #owners: ObjectOwners;
  readonly #values: ObjectValues;
  readonly #tasks = new Map<number, Followed>();
  /** For each step: what undoes it. */
  readonly #undo: Undo[][] = [];
  #contents: WorldContents | 'none' = 'none';
  #order: Order = NO_ORDER;
  /** The object that the next step announces, and what stands there. */
  #announced: ObjectId | 'none' = 'none';
  #announcedValue = 0;

  /** `pristine` is a world of which no step is ever taken. */
  constructor(places: TaskPlaces, owners: ObjectOwners, pristine: WorldContents | 'none') {
    this.#places = places;
    this.#owners = owners;
    this.#values = new ObjectValues(owners, pristine);
  }

  /** An execution goes on after `depth` steps of the one before it, in a world of its own. */
  continueFrom(depth: number, contents: WorldContents | 'none'): void {
    this.#contents = contents;
    this.#values.world = contents;
    while (this.#undo.length > depth) {
      const undo = this.#undo.pop() ?? [];
      for (let at = undo.length - 1; at >= 0; at -= 1) undo[at]?.();
    }
  }

  /** The tasks that stand ready before the first step. */
  begin(tasks: readonly RunningTask[]): void {
    if (this.#tasks.size > 0) return;
    const counts = new Map<string, number>();
    for (const { identity } of tasks) {
      const count = counts.get(identity.actor) ?? 0;
      counts.set(identity.actor, count + 1);
      const learnt = newLanes();
      foldText(learnt, `${this.#owners.nameOf(identity.actor)} ${count}`);
      this.#tasks.set(identity.id, {
        place: this.#places.placeOf('none', `${identity.actor} ${count}`),
        home: this.#owners.indexOf(identity.actor),
        parent: 'none',
        learnt,
        heard: NOTHING,
        children: 0,
        held: NOTHING_HELD,
        loops: NO_LOOPS,
      });
    }
  }

  placeOf(task: number): TaskPlace {
    return this.#followed(task).place;
  }

  /**
   * The task at `place`, or the nearest above it that lives: a child that is still to be started knows what that one
   * does.
   */
  livingTask(place: TaskPlace): number {
    for (let at: TaskPlace | 'none' = place; at !== 'none'; at = this.#places.parentOf(at)) {
      for (const [id, followed] of this.#tasks) if (followed.place === at) return id;
    }
    return NO_TASK;
  }

  /** `object` only says that tasks have ended. */
  isJoin(object: ObjectId): boolean {
    return this.#values.isJoin(object);
  }

  /** Call it before a step of `task`: what it finds at the object that it has announced. */
  before({ pending }: RunningTask): void {
    this.#announced = 'none';
    if (pending.kind === 'spawn' || pending.at === 'task.start') return;
    if (pending.kind === 'block' && pending.awaited !== undefined) return;
    this.#announced = pending.kind === 'block' ? pending.on : pending.object;
    this.#announcedValue = this.#values.look(this.#announced);
  }

  /** A step was taken. `task` is whose, `children` are the tasks that it has started. */
  took(step: ExecutedStep, task: RunningTask, children: readonly RunningTask[]): void {
    const undo: Undo[] = [];
    const followed = this.#followed(step.task);
    const learnt = { ...followed.learnt };
    fold(learnt, TAKEN);
    fold(learnt, followed.heard.low);
    fold(learnt, followed.heard.high);
    const { learnt: before, heard, held, loops } = followed;
    undo.push(() => {
      followed.learnt = before;
      followed.heard = heard;
      followed.held = held;
      followed.loops = loops;
    });
    followed.heard = NOTHING;
    if (step.step.kind === 'spawn') {
      for (const { done } of step.step.children) this.#values.addJoin(done);
    }
    this.#values.addJoin(task.done);
    // Of what it has learnt, what it goes on with.
    let kept = learnt;
    for (const touch of inOrder(step)) {
      const found =
        touch.object === this.#announced
          ? this.#values.learntFrom(touch, this.#announcedValue)
          : this.#values.learntFrom(touch, 'as written last');
      if (found !== 'nothing') {
        fold(learnt, found);
        if (kept !== learnt) fold(kept, found);
      }
      kept = this.#follow(followed, touch, kept);
    }
    if (task.state !== 'done') {
      this.#foldNext(learnt, task);
      if (kept !== learnt) this.#foldNext(kept, task);
    }
    followed.learnt = kept;
    for (const touch of step.touches) this.#values.wrote(touch, learnt, undo);
    for (const [at, child] of children.entries()) this.#start(child, at, step.task, undo);
    if (task.state === 'done') this.#end(step.task, task.result, undo);
    this.#undo.push(undo);
  }

  /** Of the state that key() was asked for last: which interchangeable actor is in which situation. */
  get order(): Order {
    return this.#order;
  }

  /** The state, as a number. `ready` are the tasks that could take a step; `extra` distinguishes states besides. */
  key(ready: readonly RunningTask[], extra: string): number {
    const able = new Set(ready.map((task) => task.identity.id));
    const sums = this.#values.sums.map(({ low, high }) => ({ low, high }));
    const spawners = new Set<number>();
    for (const [id, task] of this.#tasks) {
      const part = { ...task.learnt };
      fold(part, task.heard.low);
      fold(part, task.heard.high);
      this.#foldHeld(part, task.held);
      fold(part, able.has(id) ? ABLE : WAITING);
      addTo(sums[task.home] as Lanes, part);
      if (task.children > 0 && task.home !== 0) spawners.add(task.home);
    }
    if (this.#contents !== 'none') {
      for (const [object, content] of this.#contents.derived()) {
        const { index, name } = this.#owners.ofObject(object);
        const part = newLanes();
        fold(part, name);
        fold(part, content);
        addTo(sums[index] as Lanes, part);
      }
    }
    this.#order = this.#owners.size === 1 ? NO_ORDER : this.#owners.orderBy(sums);
    // Children of several interchangeable actors at once: whose is whose must not get lost.
    const exact = spawners.size > 1 || this.#values.asymmetric;
    const total: Lanes = { low: 0, high: 0 };
    for (const [index, sum] of sums.entries()) {
      const part = newLanes();
      fold(part, exact ? index + 1_000 : this.#owners.groupOf(index));
      fold(part, sum.low);
      fold(part, sum.high);
      addTo(total, part);
    }
    const state = newLanes();
    fold(state, total.low);
    fold(state, total.high);
    if (this.#contents !== 'none') foldText(state, this.#contents.rest());
    if (extra !== '') foldText(state, extra);
    if (this.#values.asymmetric) fold(state, UNLIKE);
    return keyOf(state);
  }

  /** Where a task stands, as a number: the same for tasks of interchangeable actors in the same situation. */
  keyOfTask(task: number): number {
    const { learnt, heard, held, home } = this.#followed(task);
    const part = { ...learnt };
    fold(part, heard.low);
    fold(part, heard.high);
    this.#foldHeld(part, held);
    if (home !== 0) {
      const sum = this.#values.sums[home] as Lanes;
      fold(part, sum.low);
      fold(part, sum.high);
      if (this.#values.asymmetric) fold(part, home);
    }
    return keyOf(part);
  }

  /** What a task does next shows what it has made of all that it has read. */
  #foldNext(learnt: Lanes, { pending }: RunningTask): void {
    foldText(learnt, pending.at);
    if (pending.kind === 'spawn') return;
    const { index, name } = this.#owners.ofObject(
      pending.kind === 'block' ? pending.on : pending.object,
    );
    if (!this.#values.isJoin(name as ObjectId)) fold(learnt, index === 0 ? name : -name);
  }

  /** Returns: what the task, which has learnt `learnt`, still knows. */
  #follow(followed: Followed, { object, mode, value, known = '' }: Touch, learnt: Lanes): Lanes {
    const { held, loops } = followed;
    if (mode === 'hold' && value !== undefined) {
      followed.held = new Map([...held, [object, value]]);
    } else if (mode === 'enter') {
      followed.loops = new Map([...loops, [object, { learnt: { ...learnt }, held }]]);
    } else if (mode === 'again') {
      const entered = loops.get(object);
      if (entered === undefined) return learnt;
      followed.held = entered.held;
      const left = { ...entered.learnt };
      if (known !== '') foldText(left, known);
      return left;
    }
    return learnt;
  }

  /** Of what is held to be compared it matters only whether it still stands there. */
  #foldHeld(part: Lanes, held: ReadonlyMap<ObjectId, number>): void {
    for (const [object, value] of held) {
      const now = this.#contents === 'none' ? 'unknown' : this.#contents.comparedAt(object);
      fold(part, this.#owners.ofObject(object).name);
      if (now === 'unknown') fold(part, value);
      else fold(part, now === value ? STANDS : GONE);
    }
  }

  #followed(task: number): Followed {
    const found = this.#tasks.get(task);
    if (found === undefined) throw new RangeError(`task ${task} is not followed`);
    return found;
  }

  #start(child: RunningTask, at: number, parentId: number, undo: Undo[]): void {
    const parent = this.#followed(parentId);
    const { actor, id } = child.identity;
    const learnt = { ...parent.learnt };
    const home = this.#owners.indexOf(actor);
    // The order among interchangeable actors says nothing.
    foldText(learnt, home === 0 ? `${at} ${actor}` : this.#owners.nameOf(actor));
    this.#tasks.set(id, {
      place: this.#places.placeOf(parent.place, `${actor} ${child.identity.name}`),
      home,
      parent: parentId,
      learnt,
      heard: NOTHING,
      children: 0,
      held: parent.held,
      loops: NO_LOOPS,
    });
    parent.children += 1;
    undo.push(() => {
      this.#tasks.delete(id);
      parent.children -= 1;
    });
  }

  #remember({ learnt, home }: Followed, undo: Undo[]): void {
    const sum = this.#values.sums[home] as Lanes;
    const { low, high } = sum;
    const last = { ...learnt };
    fold(last, ENDED);
    addTo(sum, last);
    undo.push(() => {
      sum.low = low;
      sum.high = high;
    });
  }

  #end(id: number, result: unknown, undo: Undo[]): void {
    const ended = this.#followed(id);
    this.#tasks.delete(id);
    undo.push(() => this.#tasks.set(id, ended));
    // A world that cannot say what it holds may still show at the end what a task has learnt.
    if (this.#contents === 'none') this.#remember(ended, undo);
    const parent = ended.parent === 'none' ? undefined : this.#tasks.get(ended.parent);
    if (parent === undefined) return;
    const heard = parent.heard;
    const learnt = newLanes();
    foldText(learnt, this.#owners.nameOfIndex(ended.home));
    if (typeof result === 'string' || result === undefined) foldText(learnt, String(result));
    else {
      fold(learnt, ended.learnt.low);
      fold(learnt, ended.learnt.high);
    }
    const sum = { ...heard };
    addTo(sum, learnt);
    parent.heard = sum;
    parent.children -= 1;
    undo.push(() => {
      parent.heard = heard;
      parent.children += 1;
    });
  }
}

/**
 * What the step has announced it did first, though among its touches that stands last: what it learnt there it knows
 * when it enters something of which it will forget most, and forgets with the rest when that is over.
 */
function inOrder({ step, touches }: ExecutedStep): readonly Touch[] {
  const last = touches.at(-1);
  if (last === undefined || step.kind !== 'access' || last.object !== step.object) return touches;
  const forgets = touches.some(({ mode }) => mode === 'enter' || mode === 'again');
  return forgets ? [last, ...touches.slice(0, -1)] : touches;
}
