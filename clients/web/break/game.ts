/** Break it: the player is the scheduler. A game is a plan and the choices so far; everything else follows. */
import type { Event } from '../../../server/abi/event.ts';
import type { Failure } from '../../../server/explorer/failure.ts';
import { shows } from '../../../server/report/shows.ts';
import type { ScenarioPlan } from '../../../server/scenario/scenario-plan.ts';
import {
  newScenarioRun,
  type ScenarioRun,
  stepsMaxOf,
} from '../../../server/scenario/scenario-world.ts';
import type { RunningTask } from '../../../server/scheduler/scheduler.ts';

/** What one choice did: an actor ran until something could be seen, or until it could not go on. */
export interface Move {
  readonly actor: string;
  /** The last event of it that can be seen, or 'none'. */
  readonly event: Event | 'none';
  /** Its events are those up to this one. */
  readonly n: number;
}

export interface Game {
  readonly moves: readonly Move[];
  /** Everything since the setup began. */
  readonly events: readonly Event[];
  /** Actors that can go on, by name. */
  readonly ready: readonly string[];
  readonly failure: Failure | 'none';
  /** 'broken': the player has won. 'over': everybody is done, and nothing is broken. */
  readonly state: 'open' | 'broken' | 'over';
  readonly switches: number;
  /** Tasks, step by step: what the explorer goes on from. */
  readonly choices: readonly number[];
}

/** The actors that a player chooses among, in the order of the scenario. */
export function actorsOf(plan: ScenarioPlan): string[] {
  return [...new Set(plan.threads.map(({ actor }) => actor))];
}

/** Plays `actors`, a choice each. A choice that cannot go on does nothing. */
export function play(plan: ScenarioPlan, actors: readonly string[]): Game {
  const events: Event[] = [];
  const run = newScenarioRun(plan, { hear: (event) => events.push(event) });
  const state: Playing = { run, events, moves: [], choices: [], stepsMax: stepsMaxOf(plan) };
  for (const actor of actors) {
    if (run.failure() !== 'none') break;
    move(state, actor);
  }
  return gameOf(state);
}

interface Playing {
  readonly run: ScenarioRun;
  readonly events: readonly Event[];
  readonly moves: Move[];
  readonly choices: number[];
  readonly stepsMax: number;
}

function move({ run, events, moves, choices, stepsMax }: Playing, actor: string): void {
  const chosen = taskOf(run, actor);
  if (chosen === undefined) return;
  const { id } = chosen.identity;
  let seen: Event | 'none' = 'none';
  for (let task: RunningTask | undefined = chosen; task !== undefined; task = ready(run, id)) {
    const before = events.length;
    choices.push(id);
    run.scheduler.step(task);
    seen = events.slice(before).findLast(shows) ?? seen;
    if (seen !== 'none' || run.failure() !== 'none' || choices.length >= stepsMax) break;
  }
  moves.push({ actor, event: seen, n: events.at(-1)?.n ?? 0 });
}

/** What the kernel asks of a device comes before the device's own program: the newest task first. */
function taskOf({ scheduler }: ScenarioRun, actor: string): RunningTask | undefined {
  return scheduler
    .readyTasks()
    .filter(({ identity }) => identity.actor === actor)
    .toSorted((a, b) => b.identity.id - a.identity.id)[0];
}

function ready({ scheduler }: ScenarioRun, id: number): RunningTask | undefined {
  return scheduler.readyTasks().find(({ identity }) => identity.id === id);
}

function gameOf({ run, events, moves, choices }: Playing): Game {
  const able = [...new Set(run.scheduler.readyTasks().map(({ identity }) => identity.actor))];
  const onTheWay = run.failure();
  const atEnd =
    onTheWay === 'none' && able.length === 0
      ? run.failureAtEnd(run.scheduler.blockedTasks())
      : onTheWay;
  const open = able.length > 0 ? 'open' : 'over';
  return {
    moves,
    events,
    ready: able,
    failure: atEnd,
    state: atEnd === 'none' ? open : 'broken',
    switches: switchesIn(moves.map(({ actor }) => actor)),
    choices,
  };
}

export function switchesIn(actors: readonly string[]): number {
  return actors.filter((actor, at) => at > 0 && actor !== actors[at - 1]).length;
}
