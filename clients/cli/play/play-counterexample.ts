/** `mmrace play`: joins a lab with the actors of a counterexample, forces its order, and looks whether it fails. */

import type { Event } from '../../../server/abi/event.ts';
import { type Failure, ruleOf } from '../../../server/explorer/failure.ts';
import { failureText } from '../../../server/report/describe-failure.ts';
import type { ScenarioPlan } from '../../../server/scenario/scenario-plan.ts';
import type { ScenarioRun } from '../../../server/scenario/scenario-world.ts';
import type { RunningTask } from '../../../server/scheduler/scheduler.ts';
import { connect } from '../../sdk/connect.ts';
import { SessionClosed } from '../../sdk/connection.ts';
import type { ObserverClient } from '../../sdk/observer-client.ts';
import type { Again } from '../explore/replay-counterexample.ts';
import { UsageError } from '../failure.ts';
import { LabHand } from '../lab-hand.ts';
import { NotForced, Player } from './player.ts';
import { PlayStage, type StageTarget } from './stage.ts';

/** Milliseconds for events to arrive. */
const NOTICED_MS = 2_000;
const LOOK_MS = 10;

export type Played =
  | { readonly outcome: 'reproduced'; readonly steps: number; readonly seen: string }
  /** The order was forced to its end, but what was promised did not come of it. */
  | { readonly outcome: 'not seen'; readonly steps: number; readonly why: string }
  | { readonly outcome: 'not forced'; readonly step: number; readonly why: string };

/** A counterexample of a scenario: its actors and their programs are known. */
export type PlayableAgain = Again & { readonly plan: ScenarioPlan };

export interface PlayOptions {
  readonly target: StageTarget;
  /** Milliseconds for a step of the lab to happen live. */
  readonly patienceMs: number;
  readonly onStep: (step: number, task: RunningTask, where: string) => void;
  readonly onEvent: (event: Event) => void;
}

/** Throws: UsageError if the lab cannot be had, or the counterexample cannot be played by clients at all. */
export async function playCounterexample(
  { counterexample, plan, ran }: PlayableAgain,
  { target, patienceMs, onStep, onEvent }: PlayOptions,
): Promise<Played> {
  const hand = new LabHand(target.url, target.lab);
  await prepareLab(hand, counterexample.patch.name, plan);
  const seen: Event[] = [];
  let listening = false;
  const observer = await observe(target, (event) => {
    if (!listening) return;
    seen.push(event);
    onEvent(event);
  });
  const stage = new PlayStage(target, plan);
  try {
    await stage.set();
    await hand.control({ action: 'pause' });
    stage.shut();
    // The events of the setup arrive before what follows.
    await pause(NOTICED_MS / 10);
    listening = true;
    const player = new Player({ hand, stage, plan, seen, patienceMs, onStep });
    const run = await player.play(counterexample);
    return await judged(ran.failure, counterexample.steps.length, {
      run,
      stage,
      seen,
      hand,
    });
  } catch (error) {
    if (!(error instanceof NotForced)) throw error;
    return { outcome: 'not forced', step: error.step, why: error.message };
  } finally {
    await hand.control({ action: 'resume' }).catch(() => undefined);
    await stage.close();
    observer.close();
  }
}

/** A new machine with the patch, under the clients that are there. */
async function prepareLab(hand: LabHand, patch: string, plan: ScenarioPlan): Promise<void> {
  const detail = await hand.look();
  if (detail === 'none') {
    await hand.create({ patch, kernel: plan.kernel });
    return;
  }
  const taken = detail.actors.find(({ name }) => plan.instances.some((one) => one.name === name));
  if (taken !== undefined) {
    throw new UsageError(
      `the lab ${detail.name} has an actor called ${taken.name}, as the counterexample has: ` +
        'let it leave, or name another lab with --lab',
    );
  }
  await hand.control({ action: 'resume' });
  await hand.control({ action: 'patch', patch, kernel: plan.kernel });
}

async function observe(
  { url, lab }: StageTarget,
  onEvent: (event: Event) => void,
): Promise<ObserverClient> {
  try {
    return await connect({
      role: 'observer',
      url,
      lab,
      name: `play-${process.pid}`,
      snapshot: () => undefined,
      events: (events) => {
        for (const event of events) onEvent(event);
      },
    });
  } catch (error) {
    if (error instanceof SessionClosed) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

interface Stood {
  readonly run: ScenarioRun;
  readonly stage: PlayStage;
  readonly seen: readonly Event[];
  readonly hand: LabHand;
}

/** `failure` is what the model came to under the same order. */
async function judged(failure: Failure | 'none', steps: number, stood: Stood): Promise<Played> {
  const { run, stage, seen, hand } = stood;
  const rule = failure === 'none' ? failure : ruleOf(failure);
  if (rule === 'OR5') {
    await hand.look();
    const ready = hand.tasks.filter((task) => task.ready);
    const who = ready.map(({ actor, at }) => `${actor} at ${at}`).join(', ');
    return ready.length === 0
      ? { outcome: 'reproduced', steps, seen: failureText(failure) }
      : { outcome: 'not seen', steps, why: `not stuck: ${who} can go on` };
  }
  if (failure !== 'none' && failure.kind === 'condition') {
    const live = new Map([...stage.registers].filter(([name]) => run.registers.has(name)));
    const differs = [...run.registers].find(([name, value]) => live.get(name) !== value);
    return differs === undefined
      ? { outcome: 'reproduced', steps, seen: failureText(failure) }
      : {
          outcome: 'not seen',
          steps,
          why: `${differs[0]} is ${live.get(differs[0])}, in the lab ${differs[1]}`,
        };
  }
  const violation = await until(() =>
    seen.find((event) => event.kind === 'violation' && event.rule === rule),
  );
  if (violation?.kind === 'violation') {
    return { outcome: 'reproduced', steps, seen: `${violation.rule}: ${violation.text}` };
  }
  const why = `no violation of ${rule === 'none' ? 'any rule' : rule} was reported by the lab`;
  return { outcome: 'not seen', steps, why };
}

async function until<T>(look: () => T | undefined): Promise<T | undefined> {
  const giveUpAt = performance.now() + NOTICED_MS;
  for (let found = look(); ; found = look()) {
    if (found !== undefined || performance.now() > giveUpAt) return found;
    await pause(LOOK_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
