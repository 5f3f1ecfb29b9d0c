/**
 * Searches every interleaving that matters, and each state once: dynamic partial-order reduction with source sets and
 * sleep sets, as in search.ts, and a cache of states (stateful search). A state that was reached before is not searched
 * again; what happens behind it is remembered, and raced against the way that led to it this time. Of interchangeable
 * actors it does not matter which is which.
 *
 * With a bound on preemptions nothing is reversed and no task sleeps: then it is a plain search over states, for the
 * order of steps that commute may decide which of them fit into the bound.
 *
 * Tasks cannot be copied, so a state is reached by executing its choices again.
 *
 * Source: Yang, Chen, Gopalakrishnan, Kirby, SPIN 2008 (stateful DPOR); sleep sets with states: Godefroid, LNCS 1032.
 * Of a world that goes round on purpose every step of every state is taken, without reductions: then a round of a fair
 * scheduler that repeats for ever is found as well, if there is one (fair-circles.ts).
 *
 * Leaves out: livelock elsewhere; an execution longer than `stepsMax` is reported, not judged.
 * Rules: SC1 (docs/SPEC.md).
 */

import type { RunningTask } from '../scheduler/scheduler.ts';
import type { Touch } from '../task/context.ts';
import type { ObjectId } from '../task/object-id.ts';
import { invariant } from '../vocabulary/invariant.ts';
import { type Access, knows, type TimedStep, Timeline } from './clocks.ts';
import { conflicts, independent, races, racesWithNothing } from './dependence.ts';
import { type ExecutedStep, takeStep } from './execution.ts';
import type { Explored, NewExplored } from './explored.ts';
import type { Failure } from './failure.ts';
import { type FairCircle, StateGraph } from './fair-circles.ts';
import { locksDuring, locksHeld } from './held-locks.ts';
import { type Known, KnownStates } from './known-states.ts';
import { ObservedState } from './observed-state.ts';
import type { OtherSearches } from './other-searches.ts';
import { countOutcome, type Outcome } from './outcomes.ts';
import { CUT_KEPT, type FailingExecution, type Progress, type SearchResult } from './search.ts';
import { reverse } from './source-sets.ts';
import {
  awake,
  chosenAgain,
  doneShare,
  preemptionsAfter,
  type StateNode,
  sleepAfter,
  untried,
  within,
} from './state-node.ts';
import {
  NO_TOUCHES,
  numbersIn,
  type PlacedTouch,
  TouchNumbers,
  type TouchSet,
  union,
  withTouch,
} from './subtree-touches.ts';
import { NO_SYMMETRY, ObjectOwners, type Order, type Symmetry } from './symmetry.ts';
import { taskPath } from './task-path.ts';
import { type TaskPlace, TaskPlaces } from './task-places.ts';

export interface StateSearchOptions {
  /** Steps of one execution. */
  readonly stepsMax: number;
  /** Asked before each execution; 'stop' ends the search as unknown. */
  readonly goOn: (progress: Progress) => 'go on' | 'stop';
  /** Called for each step that is new, with what it touched, and of those before it. */
  readonly onStep?: (step: ExecutedStep, before: readonly ExecutedStep[]) => void;
  /** Called for each execution that fails: of the first that goes wrong in it. */
  readonly onFailure?: (
    failure: Failure,
    steps: readonly ExecutedStep[],
    when: 'at a step' | 'at the end',
  ) => void;
  /** 'first': stop at the first counterexample. 'all': count them. */
  readonly counterexamples: 'first' | 'all';
  readonly symmetry?: Symmetry;
  /** Switches away from a task that could go on, in one execution. Absent: as many as there may be. */
  readonly preemptionsMax?: number;
  /** 'apart': states that differ only in how far the question's window has come are two. */
  readonly window?: 'apart';
  /** What is remembered of states takes so much at most; then it goes on without remembering more. Absent: any. */
  readonly bytesMax?: number;
  /** Searches of the same that run beside this one. */
  readonly others?: OtherSearches;
  /** 'judged': the world goes round, and may do so for ever. */
  readonly circles?: 'judged';
}

export interface StateSearchResult extends SearchResult {
  /** Different states that were reached. */
  readonly states: number;
  /** What is remembered of them takes so much. */
  readonly bytes: number;
  /** Whether there was no room to remember all of them. */
  readonly isFull: boolean;
  /** What a fair scheduler can repeat for ever; 'none' as well where circles are not judged. */
  readonly circle: FairCircle | 'none';
}

/** What happens behind a known state. */
interface Behind {
  at(object: ObjectId): readonly PlacedTouch[];
}

const NO_LOCKS: readonly ObjectId[] = [];
const NOTHING_BEHIND: Behind = { at: () => [] };
const NONE_ASLEEP: ReadonlySet<number> = new Set();
const NO_CHILDREN: readonly RunningTask[] = [];
const NO_PLACED: readonly PlacedTouch[] = [];

interface Run {
  readonly ended: 'complete' | 'failed' | 'known' | 'too long';
  readonly explored: Explored;
}

/**
 * Covers all interleavings of the world that `newExplored` builds.
 *
 * Throws: KernelBug SC1 if the same choices do not lead to the same ready tasks; whatever the world throws.
 */
export function searchStates(
  newExplored: NewExplored,
  options: StateSearchOptions,
): StateSearchResult {
  const search = new StateSearch(newExplored, options);
  for (;;) {
    const result = search.advance();
    if (result !== 'more') return result;
  }
}

/** The same, execution by execution, so that several searches can take turns. */
export class StateSearch {
  readonly #newExplored: NewExplored;
  readonly #options: StateSearchOptions;
  readonly #places = new TaskPlaces();
  readonly #owners: ObjectOwners;
  /** Numbers of touches after an exchange, by the orders between which it is. */
  readonly #exchanges = new Map<Order, Map<Order, number[]>>();
  readonly #observed: ObservedState;
  readonly #timeline = new Timeline();
  /** The place of the task of each step of the timeline. */
  readonly #stepPlaces: TaskPlace[] = [];
  readonly #numbers = new TouchNumbers();
  readonly #stack: StateNode[] = [];
  readonly #known: KnownStates;
  /** States that are being searched, and those on a way around in circles, with who sleeps there. */
  readonly #open = new Map<number, ReadonlySet<number>>();
  /** Steps of the timeline that are those of the stack. */
  #taken = 0;
  readonly #outcomes = new Map<string, Outcome>();
  readonly #counts = {
    executions: 0,
    steps: 0,
    windowEntered: 0,
    failures: 0,
    tooLong: 0,
    redundant: 0,
  };
  readonly #cut: (readonly number[])[] = [];
  #counterexample: FailingExecution | 'none' = 'none';
  readonly #graph: StateGraph | 'none';
  /** Whether orders are left out that commute. */
  readonly #reduced: boolean;

  constructor(newExplored: NewExplored, options: StateSearchOptions) {
    this.#newExplored = newExplored;
    this.#options = options;
    this.#known = new KnownStates(options.bytesMax);
    this.#graph = options.circles === 'judged' ? new StateGraph() : 'none';
    this.#reduced = options.preemptionsMax === undefined && options.circles === undefined;
    this.#owners = new ObjectOwners(options.symmetry ?? NO_SYMMETRY);
    const pristine = newExplored().contents ?? 'none';
    this.#observed = new ObservedState(this.#places, this.#owners, pristine);
    options.others?.join({ numbers: this.#numbers, places: this.#places, owners: this.#owners });
  }

  /** Executes once. Returns: what came of the search when it is over; it must not go on then. */
  advance(): StateSearchResult | 'more' {
    const { executions, steps, windowEntered } = this.#counts;
    const progress = { executions, steps, windowEntered, done: doneShare(this.#stack) };
    if (this.#options.goOn(progress) === 'stop') return this.#result('stopped');
    const run = this.#execute();
    this.#count(run);
    if (run.ended === 'failed' && this.#options.counterexamples === 'first') {
      return this.#result('counterexample');
    }
    return this.#backUp() ? 'more' : this.#result('complete');
  }

  #result(ended: SearchResult['ended']): StateSearchResult {
    return {
      ended,
      ...this.#counts,
      cut: this.#cut,
      outcomes: this.#outcomes,
      counterexample: this.#counterexample,
      states: this.#known.size,
      bytes: this.#known.bytes,
      isFull: this.#known.isFull,
      circle: ended === 'complete' && this.#graph !== 'none' ? this.#graph.fairCircle() : 'none',
    };
  }

  #count({ ended, explored }: Run): void {
    const counts = this.#counts;
    counts.executions += 1;
    if (explored.windowEntered()) counts.windowEntered += 1;
    if (ended === 'known') counts.redundant += 1;
    else if (ended === 'too long') {
      counts.tooLong += 1;
      if (this.#cut.length < CUT_KEPT) this.#cut.push(this.#timeline.steps.map(({ task }) => task));
    } else if (ended === 'complete') {
      countOutcome(this.#outcomes, 'none', () => explored.outcome());
    }
  }

  #fails(failure: Failure, when: 'at a step' | 'at the end'): void {
    countOutcome(this.#outcomes, failure, () => '');
    this.#counts.failures += 1;
    const { steps } = this.#timeline;
    this.#options.onFailure?.(failure, steps, when);
    const known = this.#counterexample;
    if (known === 'none' || steps.length < known.choices.length) {
      const choices = steps.map((step) => step.task);
      this.#counterexample = { failure, choices, steps: steps.slice() };
    }
  }

  #execute(): Run {
    const explored = this.#newExplored();
    const { scheduler } = explored;
    // Up to the decision that is new, everything is as it was.
    const replayed = Math.max(0, Math.min(this.#taken, this.#stack.length - 1));
    for (let depth = 0; depth < replayed; depth += 1) {
      const { chosen, ats, enabled } = this.#stack[depth] as StateNode;
      const task = scheduler.readyTask(chosen);
      const before = ats[enabled.indexOf(chosen)] ?? '';
      const now = task === 'not ready' ? task : task.pending.at;
      invariant(task !== 'not ready' && now === before, 'SC1', { depth, before, now });
      scheduler.step(task);
    }
    this.#timeline.cutTo(replayed);
    this.#stepPlaces.length = replayed;
    this.#observed.continueFrom(replayed, explored.contents ?? 'none');
    this.#counts.steps += replayed;
    let failed = this.#stack[replayed]?.failed ?? 'not yet';
    for (let depth = replayed; ; depth += 1) {
      const ready = scheduler.readyTasks().sort((a, b) => a.identity.id - b.identity.id);
      if (ready.length === 0) {
        this.#tryWaitsBefore(scheduler.blockedTasks());
        if (failed === 'yes') return { ended: 'failed', explored };
        const failure = explored.failureAtEnd(scheduler.blockedTasks());
        if (failure === 'none') return { ended: 'complete', explored };
        this.#fails(failure, 'at the end');
        return { ended: 'failed', explored };
      }
      if (depth === this.#options.stepsMax) {
        return { ended: failed === 'yes' ? 'failed' : 'too long', explored };
      }
      if (depth === 0) this.#observed.begin(ready);
      const node = this.#stack[depth] ?? this.#newNode(explored, ready, failed);
      if (node === 'nothing new') return { ended: 'known', explored };
      this.#take(explored, node, chosenAgain(node, ready, depth));
      this.#taken = depth + 1;
      const again = this.#stack[depth + 1];
      if (again !== undefined) {
        failed = again.failed;
        continue;
      }
      const failure = failed === 'yes' ? 'none' : explored.failure();
      if (failure === 'none') continue;
      this.#fails(failure, 'at a step');
      if (this.#options.counterexamples === 'first') return { ended: 'failed', explored };
      // What comes behind may race with what came before: orders in which nothing fails, or something else.
      failed = 'yes';
    }
  }

  #take(explored: Explored, node: StateNode, task: RunningTask): void {
    const { id } = task.identity;
    this.#observed.before(task);
    const place = this.#observed.placeOf(id);
    const held = locksHeld(task.identity);
    const path = this.#graph === 'none' ? '' : taskPath(task.identity);
    const step = takeStep(explored, task);
    this.#counts.steps += 1;
    this.#options.onStep?.(step, this.#timeline.steps);
    node.taken.set(id, step.touches);
    node.chosenPath = this.#graph === 'none' ? '' : path;
    const children = childrenOf(explored, step);
    const spawned = children.map(({ identity }) => identity.id);
    const found = this.#timeline.add(step, spawned, held);
    this.#stepPlaces.push(place);
    if (this.#reduced) {
      for (const race of found) reverse(this.#stack, this.#timeline, race);
    }
    this.#observed.took(step, task, children);
    for (const touch of step.touches) {
      if (racesWithNothing(touch.mode) || this.#observed.isJoin(touch.object)) continue;
      const locks = locksDuring(touch, step, held);
      node.behind = withTouch(node.behind, this.#numbers.numberOf(place, touch, locks));
    }
  }

  #newNode(
    explored: Explored,
    ready: readonly RunningTask[],
    failed: StateNode['failed'],
  ): StateNode | 'nothing new' {
    const depth = this.#stack.length;
    const { preemptionsMax } = this.#options;
    const previous = this.#timeline.steps[depth - 1];
    const parent = this.#stack[depth - 1];
    const bounded = !this.#reduced;
    const sleep: StateNode['asleep'] = bounded ? new Map() : sleepAfter(parent, previous);
    const preemptions = preemptionsAfter(parent, this.#timeline.steps[depth - 2]);
    const enabled = ready.map(({ identity }) => identity.id);
    const mayRun = within(preemptionsMax, preemptions, previous, enabled);
    const key = this.#observed.key(
      ready,
      `${failed} ${this.#apart(explored, preemptions, previous)}`,
    );
    const { order } = this.#observed;
    this.#note(parent, key, ready);
    const now = this.#situationsOf(sleep);
    const fact = this.#known.get(key);
    const open = fact?.asleep.isSubsetOf(now) ? undefined : this.#open.get(key);
    const before = open ?? fact?.asleep;
    const behind =
      fact === undefined || open !== undefined
        ? NO_TOUCHES
        : this.#exchanged(fact.behind, fact.order, order);
    if (open !== undefined) this.#tryEverything(key);
    else if (fact !== undefined) this.#passOn(behind);
    const common = before === undefined ? now : both(before, now);
    // Of those that slept before, whoever does not any more.
    const left =
      before === undefined
        ? awake(mayRun, sleep)
        : awakened(before, common, awake(mayRun, sleep), (task) => this.#observed.keyOfTask(task));
    if (left.length === 0) {
      if (before === undefined) this.#learn(key, { asleep: now, behind: NO_TOUCHES, order });
      return 'nothing new';
    }
    // The task that was started last goes first: callbacks end, and with them what others wait for. Fewest states that
    // way.
    const chosen = left.at(-1) as number;
    const node: StateNode = {
      key,
      order,
      enabled,
      ats: ready.map(({ pending }) => pending.at),
      places: enabled.map((task) => this.#observed.placeOf(task)),
      backtrack: new Set(before === undefined && !bounded ? [chosen] : left),
      explored: new Set([chosen]),
      asleep: sleep,
      situations: now,
      // What begins with one that slept before and one that does now is covered neither time.
      claim: before === undefined || common.size === now.size ? now : before,
      taken: new Map(),
      chosen,
      chosenPath: '',
      behind: behind.slice(),
      // Behind one that is open there is more than what is tried here.
      inCircle: open === undefined ? 'no' : 'yes',
      preemptions,
      failed,
      guest: this.#options.others?.isOpen(key, 'any') === true ? 'yes' : 'no',
      left: new Map(),
    };
    this.#push(node);
    return node;
  }

  #note(parent: StateNode | undefined, key: number, ready: readonly RunningTask[]): void {
    if (this.#graph === 'none') return;
    this.#graph.met(
      key,
      ready.map(({ identity }) => taskPath(identity)),
    );
    if (parent !== undefined) this.#graph.stepped(parent.key, parent.chosenPath, key);
  }

  /** A wait without end takes no step, though it might have, before what makes it wait. */
  #tryWaitsBefore(blocked: readonly RunningTask[]): void {
    const node = this.#stack.at(-1);
    if (node === undefined || !this.#reduced) return;
    for (const { identity, pending } of blocked) {
      if (pending.kind !== 'block' || pending.awaited === undefined) continue;
      const place = this.#observed.placeOf(identity.id);
      const touch = { object: pending.awaited, mode: 'await' } as const;
      this.#raceBehind({ place, locks: NO_LOCKS, ...touch }, NOTHING_BEHIND);
      node.behind = withTouch(node.behind, this.#numbers.numberOf(place, touch, NO_LOCKS));
    }
  }

  /** What distinguishes states that are the same to the kernel. */
  #apart(explored: Explored, preemptions: number, previous: ExecutedStep | undefined): string {
    const { preemptionsMax, window } = this.#options;
    const bound = preemptionsMax === undefined ? '' : `${preemptions} ${previous?.task ?? ''}`;
    return window === 'apart' ? `${bound} ${explored.contents?.windowReached() ?? ''}` : bound;
  }

  /** The way that led here goes on with what is `behind` a known state. */
  #passOn(behind: TouchSet): void {
    const all = this.#behind(behind);
    for (const touch of this.#numbers.touchesIn(behind)) this.#raceBehind(touch, all);
    const parent = this.#stack.at(-1);
    if (parent !== undefined) parent.behind = union(parent.behind, behind);
  }

  #learn(key: number, known: Known): void {
    this.#known.set(key, known);
    this.#options.others?.tell(key, known);
  }

  #push(node: StateNode): void {
    this.#open.set(node.key, node.claim);
    this.#stack.push(node);
    this.#options.others?.stand(this.#stack.length, node.guest === 'yes' ? 'nowhere' : node.key);
  }

  /** Leaves all decisions behind the first `count`. */
  #cutStack(count: number): StateNode[] {
    const cut = this.#stack.splice(count);
    for (const { key, inCircle } of cut) if (inCircle === 'no') this.#open.delete(key);
    this.#taken = Math.min(this.#taken, count);
    this.#options.others?.stand(count, 'as before');
    return cut;
  }

  /** The tasks that sleep, by keyOfTask(). */
  #situationsOf(sleep: ReadonlyMap<number, readonly Touch[]>): ReadonlySet<number> {
    if (sleep.size === 0) return NONE_ASLEEP;
    return new Set([...sleep.keys()].map((task) => this.#observed.keyOfTask(task)));
  }

  /** What `set` says of each object. Made when first asked. */
  #behind(set: TouchSet): Behind {
    let byObject: Map<ObjectId, PlacedTouch[]> | undefined;
    return {
      at: (object) => {
        if (byObject === undefined) {
          byObject = Map.groupBy(this.#numbers.touchesIn(set), (touch) => touch.object);
        }
        return byObject.get(object) ?? NO_PLACED;
      },
    };
  }

  /** What happens behind a state in which the actors of `from` are in the situations of those of `to`. */
  #exchanged(set: TouchSet, from: Order, to: Order): TouchSet {
    if (from === to) return set;
    const byOrder = this.#exchanges.get(from) ?? new Map<Order, number[]>();
    this.#exchanges.set(from, byOrder);
    const numbers = byOrder.get(to) ?? [];
    byOrder.set(to, numbers);
    let after: TouchSet = new Uint32Array(set.length);
    for (const number of numbersIn(set)) {
      let other = numbers[number];
      if (other === undefined) {
        const touch = this.#numbers.touchOf(number);
        const { place, locks, ...rest } = this.#owners.exchanged(touch, from, to, this.#places);
        other = this.#numbers.numberOf(place, rest, locks);
        numbers[number] = other;
      }
      after = withTouch(after, other);
    }
    return after;
  }

  /**
   * A way around in circles: what comes behind the state with this key is not known yet, and neither will it be of
   * those on the way back to it when they are left. They stay open.
   */
  #tryEverything(key: number): void {
    for (const { enabled, backtrack } of this.#stack)
      for (const task of enabled) backtrack.add(task);
    const begin = this.#stack.findLastIndex((node) => node.key === key);
    for (const node of this.#stack.slice(begin + 1)) node.inCircle = 'yes';
  }

  /** `touch` happens somewhere behind this state, in an order that is not known: it may race with what came before. */
  #raceBehind({ place, object, mode, locks }: PlacedTouch, behind: Behind): void {
    const accesses = this.#timeline.accessesOf(object, mode);
    if (accesses.length === 0) return;
    const clock = this.#timeline.clockOf(this.#observed.livingTask(place));
    for (const access of accesses) {
      if (!races(access.mode, mode) || knows(clock, access.index) >= access.event) continue;
      // They come in the order in which that lock is taken, and the takers race as well.
      if (locks.some((lock) => access.locks.includes(lock))) continue;
      this.#tryBefore(access, place, behind);
    }
  }

  /**
   * Sees to it that what `place` does behind the current state may also come before `event`.
   *
   * Trying the task itself is enough where it is tried: what must come before its own first step races with that step
   * there. A task that sleeps is not tried. It sleeps because the orders that begin with its next step were covered;
   * the orders in which something comes before that step, and conflicts with it, were not. So whatever does is tried.
   */
  #tryBefore({ event }: Access, place: TaskPlace, behind: Behind): void {
    const node = this.#stack[event - 1];
    if (node === undefined) return;
    const earlier = node.places[node.enabled.indexOf(node.chosen)];
    if (earlier === undefined || this.#places.areRelated(earlier, place)) return;
    const wanted = [place];
    for (let at = 0; at < wanted.length; at += 1) {
      const task = this.#beginnerOf(wanted[at] as TaskPlace, node);
      if (task === 'unknown') {
        for (const enabled of node.enabled) node.backtrack.add(enabled);
        return;
      }
      node.backtrack.add(task);
      const asleep = node.asleep.get(task);
      if (asleep === undefined) continue;
      for (const other of this.#inConflictWith(asleep, task, event, behind)) {
        if (!wanted.includes(other)) wanted.push(other);
      }
    }
  }

  /** The task that must take a step at `node` before `place` can do anything, or 'unknown'. */
  #beginnerOf(place: TaskPlace, node: StateNode): number | 'unknown' {
    for (let at: TaskPlace | 'none' = place; at !== 'none'; at = this.#places.parentOf(at)) {
      const above = at;
      const own = node.places.indexOf(above);
      // It may wait for its children: then they come first, whatever the order.
      const child = node.places.findIndex((other) => this.#places.isAbove(above, other));
      const task = node.enabled[own >= 0 ? own : child];
      if (task !== undefined) return task;
    }
    return 'unknown';
  }

  /**
   * Who may conflict with the next step of `task`, which touches `touches`, before it is taken, in an order without
   * `event`: among what came after `event` and what comes behind. What is surely after `event` is in no such order.
   */
  #inConflictWith(
    touches: readonly Touch[],
    task: number,
    event: number,
    behind: Behind,
  ): Set<TaskPlace> {
    const found = new Set<TaskPlace>();
    const { steps } = this.#timeline;
    const { index } = steps[event - 1] as TimedStep;
    for (let at = event; at < steps.length; at += 1) {
      const step = steps[at] as TimedStep;
      // It was taken here: what comes behind does not come before it.
      if (step.task === task) return found;
      if (knows(step.clock, index) >= event || independent(touches, step.touches)) continue;
      found.add(this.#stepPlaces[at] as TaskPlace);
    }
    for (const { object, mode } of touches) {
      for (const other of behind.at(object)) {
        if (!conflicts(mode, other.mode)) continue;
        if (knows(this.#timeline.clockOf(this.#observed.livingTask(other.place)), index) >= event)
          continue;
        found.add(other.place);
      }
    }
    return found;
  }

  /** Turns the stack to the next decision that is still to be tried. False when the search is over. */
  #backUp(): boolean {
    for (let node = this.#stack.at(-1); node !== undefined; node = this.#stack.at(-1)) {
      this.#hear();
      if (node !== this.#stack.at(-1)) continue;
      const next = untried(node);
      if (node.left.size === 0 && next === 'none') {
        this.#close(node);
        continue;
      }
      const at =
        next !== 'none' && node.guest === 'no' ? this.#stack.length - 1 : this.#whereUntried();
      if (at >= 0) {
        const begin = this.#stack[at] as StateNode;
        const behind = this.#cutStack(at + 1);
        if (behind.length > 0) begin.left.set(begin.chosen, behind);
        this.#taken = Math.min(this.#taken, at);
        begin.chosen = untried(begin) as number;
        begin.explored.add(begin.chosen);
        return true;
      }
      if (this.#goOnWithLeft(node) === 'to a known state') return true;
    }
    return false;
  }

  /** Where something is to be tried: the last decision of those that are its own, else the first. -1: nowhere. */
  #whereUntried(): number {
    const own = this.#stack.findLastIndex(
      (node) => node.guest === 'no' && untried(node) !== 'none',
    );
    return own >= 0 ? own : this.#stack.findIndex((node) => untried(node) !== 'none');
  }

  #close(node: StateNode): void {
    this.#cutStack(this.#stack.length - 1);
    const { key, claim, behind, order } = node;
    if (node.inCircle === 'no') this.#learn(key, { asleep: claim, behind, order });
    const parent = this.#stack.at(-1);
    if (parent !== undefined) parent.behind = union(parent.behind, behind);
  }

  /** Takes up a way that was left, as far as its states are not known by now. */
  #goOnWithLeft(node: StateNode): 'to a known state' | 'as before' {
    const [task, behind] = [...node.left][0] as [number, readonly StateNode[]];
    node.left.delete(task);
    this.#taken = Math.min(this.#taken, this.#stack.length - 1);
    node.chosen = task;
    for (const one of behind) {
      if (this.#isDone(one)) return 'to a known state';
      one.guest = this.#options.others?.isOpen(one.key, 'any') === true ? 'yes' : 'no';
      this.#push(one);
    }
    return 'as before';
  }

  #isDone({ key, situations }: StateNode): boolean {
    return this.#known.get(key)?.asleep.isSubsetOf(situations) === true;
  }

  /** Takes in what other searches have found, and leaves the first state on the way here of which all is known. */
  #hear(): void {
    const { others } = this.#options;
    if (others === undefined) return;
    if (!others.hear(this.#known)) return;
    // Two may have come to a state at once.
    for (const [at, node] of this.#stack.entries()) {
      if (node.guest === 'yes' || !others.isOpen(node.key, 'those before')) continue;
      node.guest = 'yes';
      others.stand(at + 1, 'nowhere');
    }
    others.stand(this.#stack.length, 'as before');
    const at = this.#stack.findIndex((node) => this.#isDone(node));
    const node = this.#stack[at];
    if (node === undefined || at > this.#taken) return;
    this.#cutStack(at);
    this.#taken = at;
    this.#timeline.cutTo(at);
    this.#stepPlaces.length = at;
    this.#observed.continueFrom(at, 'none');
    const { behind, order } = this.#known.get(node.key) as Known;
    this.#passOn(this.#exchanged(behind, order, node.order));
  }
}

/** Those of `a` that are in `b` as well: `a` itself if all are. */
function both(a: ReadonlySet<number>, b: ReadonlySet<number>): ReadonlySet<number> {
  if (a.size === 0) return a;
  const common = a.intersection(b);
  if (common.size === a.size) return a;
  return common.size === 0 ? NONE_ASLEEP : common;
}

/** Those of `tasks` whose situation slept `before` and does not `now`. */
function awakened(
  before: ReadonlySet<number>,
  now: ReadonlySet<number>,
  tasks: readonly number[],
  situationOf: (task: number) => number,
): readonly number[] {
  if (before.size === now.size) return [];
  return tasks.filter((task) => {
    const situation = situationOf(task);
    return before.has(situation) && !now.has(situation);
  });
}

/** The tasks that a step has started, in order: those with the highest numbers. */
function childrenOf({ scheduler }: Explored, { step }: ExecutedStep): readonly RunningTask[] {
  if (step.kind !== 'spawn') return NO_CHILDREN;
  const started = scheduler.readyTasks().sort((a, b) => a.identity.id - b.identity.id);
  return started.slice(started.length - step.children.length);
}
