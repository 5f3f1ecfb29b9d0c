/**
 * One order of steps on another kernel, or with other drivers: each task is taken as far as the step took it in the
 * first world, by the point at which it stands then. What it does on the way is its own, and may be more.
 */
import type { Event } from '../../abi/event.ts';
import type { ExecutedStep } from '../../explorer/execution.ts';
import type { Failure } from '../../explorer/failure.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun, type ScenarioRun } from '../../scenario/scenario-world.ts';
import type { RunningTask } from '../../scheduler/scheduler.ts';

export interface SameOrder {
  readonly setup: readonly Event[];
  readonly events: readonly Event[];
  /** For each step of the order: how many events there are behind it. */
  readonly eventsBehind: readonly number[];
  readonly failure: Failure | 'none';
}

/** Steps of one task in which it may come to a point. */
const WAY_MAX = 500;

/** `steps` are those of an execution of `of`; both plans have the same programs. Throws what the world throws. */
export function sameOrder(
  of: ScenarioPlan,
  steps: readonly Pick<ExecutedStep, 'task' | 'step'>[],
  on: ScenarioPlan,
): SameOrder {
  const programs = programsOf(newScenarioRun(of));
  let world = new Followed(on, []);
  const eventsBehind: number[] = [];
  for (const [at, { task }] of steps.entries()) {
    const program = programs.indexOf(task);
    // What a kernel asks of others is done as soon as it is asked.
    if (program >= 0 && world.failure() === 'none') {
      const next = steps.slice(at + 1).find((step) => step.task === task)?.step.at;
      world = goOn(world, program, next);
    }
    eventsBehind.push(world.events.length);
  }
  const { setup, events } = world;
  return { setup, events, eventsBehind, failure: world.failure() };
}

/** To where it stands before `point`; if it does not come there, by one step. */
function goOn(world: Followed, program: number, point: string | undefined): Followed {
  if (point !== undefined) {
    const tried = world.again();
    for (let steps = 0; steps < WAY_MAX && tried.step(program) === 'stepped'; steps += 1) {
      if (tried.standsAt(program) === point) return tried;
    }
  }
  world.step(program);
  return world;
}

function programsOf({ scheduler }: ScenarioRun): number[] {
  return scheduler.queuedTasks().map(({ identity }) => identity.id);
}

/** A world, with what led to where it is. */
class Followed {
  readonly setup: Event[] = [];
  readonly events: Event[] = [];
  readonly #plan: ScenarioPlan;
  readonly #run: ScenarioRun;
  /** Program by program. */
  readonly #tasks: readonly RunningTask[];
  readonly #steps: number[] = [];

  constructor(plan: ScenarioPlan, steps: readonly number[]) {
    this.#plan = plan;
    let into = this.setup;
    this.#run = newScenarioRun(plan, { hear: (event) => into.push(event) });
    into = this.events;
    this.#tasks = [...this.#run.scheduler.queuedTasks()];
    for (const program of steps) this.step(program);
  }

  /** The same once more, since no task can be copied. */
  again(): Followed {
    return new Followed(this.#plan, this.#steps);
  }

  failure(): Failure | 'none' {
    return this.#run.failure();
  }

  standsAt(program: number): string | undefined {
    return this.#tasks[program]?.pending.at;
  }

  step(program: number): 'stepped' | 'not ready' {
    const { scheduler } = this.#run;
    const task = this.#tasks[program];
    if (task === undefined || this.failure() !== 'none') return 'not ready';
    if (!scheduler.readyTasks().includes(task)) return 'not ready';
    this.#steps.push(program);
    scheduler.step(task);
    for (;;) {
      const asked = scheduler.readyTasks().find((each) => !this.#tasks.includes(each));
      if (asked === undefined || this.failure() !== 'none') return 'stepped';
      scheduler.step(asked);
    }
  }
}
