/**
 * Leads a lab through a run sheet whose order lies inside of calls. Its machine is stepped: everybody's tasks go on but
 * those that stand where a cue has left them. Each step is an inbound event, so a recording has it, and a replay knows
 * nothing of cues.
 */
import type { ActorName } from '../machine/remote/inbound.ts';
import { type ListedTask, type TaskList, waitedFor } from '../machine/task-list.ts';
import type { LabLed } from '../protocol/lab-control.ts';
import type { Cue, LabSheet, LedCue } from '../protocol/run-sheet.ts';
import type { Performed, Verb } from './conductor.ts';

/** Steps that one thing may lead to. More is a loop. */
const STEPS_MAX = 100_000;
const OTHERWISE = 'what a client does by itself came in another order.';

export interface DirectedLab {
  readonly tasks: () => TaskList;
  /** Returns why not, if not. */
  readonly step: (task: number) => 'stepped' | 'running' | 'not ready';
  readonly perform: (actor: ActorName, verb: Verb) => Promise<Performed>;
  readonly hold: (actor: ActorName, after: string) => Promise<Performed>;
  readonly untilHeld: (actor: ActorName, after: string) => Promise<'held' | 'gone'>;
  readonly go: (actor: ActorName) => Promise<Performed>;
  /** Where it stands has changed. */
  readonly changed: () => void;
}

/** What an actor does, cue by cue. */
interface Op {
  readonly actor: ActorName;
  state: 'goes' | 'ended';
  /** The task that stands, or the function behind which the client does. */
  stands: { readonly task: number; readonly at: string } | { readonly after: string } | 'nowhere';
}

interface UnderWay {
  readonly led: LedCue;
  readonly op: Op;
  /** How often its task went past the point where it is to stand. */
  passes: number;
}

export class Director {
  readonly #cues: readonly Cue[];
  /** The rule that is broken at the end. */
  readonly #breaks: string;
  #broken: 'no' | 'yes' = 'no';
  readonly #lab: DirectedLab;
  #at = 0;
  #state: LabLed['state'] = 'next';
  #why = '';
  #now: UnderWay | 'none' = 'none';
  #looking: 'no' | 'yes' = 'no';
  /** Counts beginnings: what an earlier one has asked of clients means nothing now. */
  #round = 0;
  readonly #ops = new Map<string, Op>();
  /** Who has played a role so far: it stays theirs. */
  readonly #roles = new Map<string, ActorName>();

  /** All cues of the sheet are led. */
  constructor({ cues, breaks = '' }: LabSheet, lab: DirectedLab) {
    this.#cues = cues;
    this.#breaks = breaks;
    this.#lab = lab;
  }

  /** The machine is a new one. */
  begin(): void {
    this.#round += 1;
    this.#at = 0;
    this.#state = 'next';
    this.#why = '';
    this.#broken = 'no';
    this.#now = 'none';
    this.#ops.clear();
    this.#roles.clear();
    this.#lab.changed();
  }

  /** The machine has broken a rule. */
  broke(rule: string): void {
    if (rule === this.#breaks) this.#broken = 'yes';
  }

  seen(): LabLed {
    const held = [...this.#ops.values()].flatMap(({ actor, stands }) => {
      if (stands === 'nowhere') return [];
      return [{ actor, at: 'at' in stands ? stands.at : stands.after }];
    });
    const why = this.#why === '' ? {} : { why: this.#why };
    return { cue: this.#at, state: this.#state, held, ...why };
  }

  /** From here on everybody goes as they like. */
  lose(why: string): void {
    if (this.#state === 'done' || this.#state === 'lost') return;
    this.#state = 'lost';
    this.#why = why;
    this.#letAllGo();
    this.#lab.changed();
  }

  /** Cue `at` is played by `actor`. Returns why not, in words, if not. */
  play(at: number, actor: ActorName): 'begun' | { readonly not: string } {
    if (this.#state === 'under way') return { not: 'the last cue is under way' };
    const cue = this.#cues[at];
    if (this.#state !== 'next' || at !== this.#at || cue?.led === undefined) {
      return { not: 'another cue is next' };
    }
    const player = this.#roles.get(cue.role);
    if (player !== undefined && player !== actor) return { not: `${player} is the ${cue.role}` };
    this.#roles.set(cue.role, actor);
    this.#state = 'under way';
    this.#begin(cue.led, actor);
    this.#lab.changed();
    return 'begun';
  }

  /** Whatever can go on and may, does. Call it whenever something has reached the machine. */
  look(): void {
    if (this.#looking === 'yes' || this.#state === 'lost') return;
    this.#looking = 'yes';
    try {
      for (let steps = 0; steps < STEPS_MAX; steps += 1) {
        const task = this.#next();
        if (task === 'none') return;
        if (this.#lab.step(task.id) === 'running') {
          this.lose('The presenter has let everybody go.');
          return;
        }
        this.#judgePassed(task);
      }
      this.lose('It does not come to an end.');
    } finally {
      this.#looking = 'no';
    }
  }

  #begin(led: LedCue, actor: ActorName): void {
    const round = this.#round;
    const known = this.#ops.get(led.op);
    const op: Op = known ?? { actor, state: 'goes', stands: 'nowhere' };
    this.#ops.set(led.op, op);
    this.#now = { led, op, passes: 0 };
    const { until, begins } = led;
    const stood = op.stands;
    op.stands = 'nowhere';
    if (typeof until === 'object' && 'after' in until) this.#holdBehind(until.after, op, round);
    if (begins !== undefined) {
      this.#lab.perform(actor, begins).then((outcome) => {
        if (round === this.#round) this.#ended(op, outcome);
      }, ignored);
    } else if (stood !== 'nowhere' && 'after' in stood) {
      this.#lab.go(actor).catch(ignored);
    }
    this.#judgeEnd();
    this.look();
  }

  #holdBehind(after: string, op: Op, round: number): void {
    this.#lab.hold(op.actor, after).catch(ignored);
    this.#lab.untilHeld(op.actor, after).then((how) => {
      if (round !== this.#round || how === 'gone') return;
      op.stands = { after };
      this.#over(op);
    }, ignored);
  }

  #ended(op: Op, outcome: Performed): void {
    op.state = 'ended';
    op.stands = 'nowhere';
    if (!outcome.ok) this.lose(`${op.actor}: ${outcome.why}`);
    this.#judgeEnd();
    this.look();
  }

  /** What is under way may have ended: where it was to, or before it came to where it was to stand. */
  #judgeEnd(): void {
    const now = this.#now;
    if (now === 'none' || now.op.state !== 'ended') return;
    if (now.led.until === 'end') this.#over(now.op);
    else this.lose(`${now.op.actor} came to its end without ${pointOf(now.led)}.`);
  }

  #over(op: Op): void {
    if (this.#now === 'none' || this.#now.op !== op || this.#state !== 'under way') return;
    this.#now = 'none';
    this.#at += 1;
    const isLast = this.#at === this.#cues.length;
    this.#state = isLast ? 'done' : 'next';
    if (isLast) {
      this.#letAllGo();
      if (this.#breaks !== '' && this.#broken === 'no')
        this.#why = `${this.#breaks} was not broken: ${OTHERWISE}`;
    }
    this.#lab.changed();
  }

  #letAllGo(): void {
    this.#now = 'none';
    for (const op of this.#ops.values()) {
      if (op.stands !== 'nowhere' && 'after' in op.stands) this.#lab.go(op.actor).catch(ignored);
      op.stands = 'nowhere';
    }
  }

  /** The task that goes on now. On the way it sees who has come to where a cue ends. */
  #next(): ListedTask | 'none' {
    const tasks = this.#lab.tasks();
    const standing = this.#standing();
    for (const task of tasks) {
      if (standing.has(task.id) || !this.#isAtPoint(task)) continue;
      if (this.#now === 'none') continue;
      const { op } = this.#now;
      op.stands = { task: task.id, at: task.at };
      standing.add(task.id);
      this.#over(op);
    }
    const ready = tasks.find(({ id, state }) => state === 'ready' && !standing.has(id));
    if (ready === undefined) {
      this.#judgeStuck(tasks);
      return 'none';
    }
    const now = this.#now;
    if (now !== 'none' && ready.at === pointAt(now.led)) now.passes += 1;
    return ready;
  }

  /** It stands wherever the step has taken it. */
  #judgePassed({ id }: ListedTask): void {
    const now = this.#now;
    if (now === 'none' || typeof now.led.until !== 'object' || !('past' in now.led.until)) return;
    if (now.passes < now.led.until.passes) return;
    const there = this.#lab.tasks().find((task) => task.id === id);
    if (there !== undefined) now.op.stands = { task: id, at: there.at };
    this.#over(now.op);
  }

  #standing(): Set<number> {
    const found = new Set<number>();
    for (const { stands } of this.#ops.values()) {
      if (stands !== 'nowhere' && 'task' in stands) found.add(stands.task);
    }
    return found;
  }

  /** Also a task of a device that is asked to do a part of it. */
  #isAtPoint({ at }: ListedTask): boolean {
    if (this.#now === 'none') return false;
    const { until } = this.#now.led;
    if (typeof until !== 'object' || !('at' in until)) return false;
    return at === until.at && this.#now.passes >= until.passes;
  }

  /** In the order that is led nobody waits for whom it holds. */
  #judgeStuck(tasks: TaskList): void {
    const now = this.#now;
    if (now === 'none') return;
    const held = new Set(
      [...this.#ops.values()].flatMap(({ actor, stands }) => (stands === 'nowhere' ? [] : [actor])),
    );
    const stuck = tasks.find(
      ({ actor, waitsFor, holder }) =>
        actor === now.op.actor && holder !== actor && held.has(holder) && isLock(waitsFor),
    );
    if (stuck !== undefined) {
      this.lose(`${stuck.actor} waits for ${stuck.holder}, who is held.`);
    }
  }
}

/** A client that stands answers what the kernel asks. */
function isLock(waitsFor: ListedTask['waitsFor']): boolean {
  return waitsFor !== 'nothing' && waitedFor(waitsFor) !== 'an answer';
}

function pointAt({ until }: LedCue): string {
  if (typeof until !== 'object' || 'after' in until) return '';
  return 'at' in until ? until.at : until.past;
}

function pointOf({ until }: LedCue): string {
  if (typeof until !== 'object') return '';
  if ('after' in until) return `calling ${until.after}()`;
  return `coming to ${'at' in until ? until.at : until.past}`;
}

/** What a client makes of it is heard of otherwise. */
function ignored(): undefined {
  return undefined;
}
