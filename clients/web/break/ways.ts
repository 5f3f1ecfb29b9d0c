/** What the explorer knows of a game: how few switches break it, and how many ways are left. */
import { search } from '../../../server/explorer/search.ts';
import type { ScenarioPlan } from '../../../server/scenario/scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from '../../../server/scenario/scenario-world.ts';
import { play, switchesIn } from './game.ts';

/** Choices of one game. */
const MOVES_MAX = 80;

/** Each a list of actors, a choice each. */
export type Ways = readonly (readonly string[])[];

export interface WaysSearch {
  /** All continuations that break it, as far as they are found. */
  readonly ways: Ways;
  /** Plays one game. 'done': there is none left to play. */
  step(): 'more' | 'done';
}

/** Looks for the continuations of `prefix` that break it within `switchesMax`, an actor a move. */
export function newWaysSearch(
  plan: ScenarioPlan,
  prefix: readonly string[],
  switchesMax: number,
): WaysSearch {
  const ways: string[][] = [];
  const open: (readonly string[])[] = [prefix];
  return {
    ways,
    step() {
      const path = open.pop();
      if (path === undefined) return 'done';
      const game = play(plan, path);
      if (game.state === 'broken') ways.push(game.moves.map(({ actor }) => actor));
      if (game.state === 'open' && path.length < MOVES_MAX) {
        for (const actor of game.ready) {
          const next = [...path, actor];
          if (switchesIn(next) <= switchesMax) open.push(next);
        }
      }
      return 'more';
    },
  };
}

/** To its end, at once. */
export function allWays(...asked: Parameters<typeof newWaysSearch>): Ways {
  const search = newWaysSearch(...asked);
  for (let left = search.step(); left === 'more'; left = search.step());
  return search.ways;
}

/** The fewest switches that break it, with the ways; 'none' if so many do not. */
export function parOf(
  plan: ScenarioPlan,
  switchesMax: number,
): { readonly switches: number; readonly ways: Ways } | 'none' {
  for (let switches = 0; switches <= switchesMax; switches += 1) {
    const ways = allWays(plan, [], switches);
    if (ways.length > 0) return { switches, ways };
  }
  return 'none';
}

/** Whether any order of the steps that are left can still fail: every one is tried that matters. */
export function canStillBreak(
  plan: ScenarioPlan,
  choices: readonly number[],
  goOn: () => 'go on' | 'stop',
): 'yes' | 'no' | 'unknown' {
  const found = search(() => replayed(plan, choices), {
    strategy: 'dpor',
    stepsMax: stepsMaxOf(plan),
    goOn,
    counterexamples: 'first',
  });
  if (found.counterexample !== 'none') return 'yes';
  return found.ended === 'complete' && found.tooLong === 0 ? 'no' : 'unknown';
}

function replayed(plan: ScenarioPlan, choices: readonly number[]) {
  const run = newScenarioRun(plan);
  for (const choice of choices) {
    const task = run.scheduler.readyTasks().find(({ identity }) => identity.id === choice);
    if (task === undefined) throw new RangeError(`task ${choice} is not ready`);
    run.scheduler.step(task);
  }
  return run;
}
