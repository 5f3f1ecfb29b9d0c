/**
 * Every state that a world can come to, each once. Tasks cannot be copied, so a state is reached by its choices again.
 * For worlds whose tasks share everything: there is no order that could be left out.
 */
import type { Failure } from '../explorer/failure.ts';
import type { StatedWorld } from './sessions-world.fixture.ts';

export interface EveryState {
  readonly states: number;
  /** States in which all is done. */
  readonly ends: number;
  /** The longest way to one, in steps. */
  readonly steps: number;
  /** How often the race was possible, of the ends. */
  readonly windowEntered: number;
  readonly failure: Failure | 'none';
  /** The steps that led to the failure. */
  readonly way: readonly string[];
}

export function everyState(newWorld: () => StatedWorld): EveryState {
  const seen = new Set<string>();
  const ways: (readonly number[])[] = [[]];
  const found = { ends: 0, steps: 0, windowEntered: 0 };
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    const world = newWorld();
    const { scheduler } = world;
    const taken: string[] = [];
    const choices = [...way];
    const take = (id: number): void => {
      const task = scheduler.readyTasks().find(({ identity }) => identity.id === id);
      if (task === undefined) throw new Error('the same choices lead elsewhere');
      taken.push(`${task.identity.actor} ${task.identity.name}`);
      scheduler.step(task);
    };
    for (const id of way) take(id);
    // Goes on in this world with the first choice, as long as its states are new.
    for (;;) {
      const failure = world.failure();
      if (failure !== 'none') return { states: seen.size, ...found, failure, way: taken };
      const ready = scheduler.readyTasks().map(({ identity }) => identity.id);
      const state = `${ready} ${world.state()}`;
      if (seen.has(state)) break;
      seen.add(state);
      const [first, ...others] = ready;
      if (first === undefined || world.isDone()) {
        const atEnd = world.failureAtEnd(scheduler.blockedTasks());
        if (atEnd !== 'none') return { states: seen.size, ...found, failure: atEnd, way: taken };
        found.ends += 1;
        found.steps = Math.max(found.steps, taken.length);
        if (world.windowEntered()) found.windowEntered += 1;
        break;
      }
      for (const other of others) ways.push([...choices, other]);
      choices.push(first);
      take(first);
    }
  }
  return { states: seen.size, ...found, failure: 'none', way: [] };
}
