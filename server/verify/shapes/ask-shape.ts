/** One small world, asked of one kernel: searched as far as a number of executions goes, whatever the time. */
import type { Failure } from '../../explorer/failure.ts';
import { isLivelock } from '../../explorer/failure.ts';
import { tryFewSwitches } from '../../explorer/few-switches.ts';
import type { Outcomes } from '../../explorer/outcomes.ts';
import { replay, roundRobin, runWith } from '../../explorer/replay.ts';
import { searchStates } from '../../explorer/search-states.ts';
import type { KernelFunctions } from '../../kernel/kernel.ts';
import type { Patch } from '../../patches/patch.ts';
import { describeBound } from '../../report/bound.ts';
import { describeFailure } from '../../report/describe-failure.ts';
import type { ScenarioChoice, ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { planScenario } from '../../scenario/scenario-plan.ts';
import type { Scenario } from '../../scenario/scenario-schema.ts';
import { BadSetup, newScenarioRun, SEQUENCED, stepsMaxOf } from '../../scenario/scenario-world.ts';
import { watchOverrides } from '../coverage/watch-overrides.ts';
import { cycleOf } from '../explore/livelock-cycle.ts';
import { ownCodeOf } from '../explore/own-code-check.ts';
import { untoldState } from '../explore/untold-state.ts';

/** What came of it. Plain data: it is sent between threads, and kept. */
export interface ShapeRecord {
  readonly word: 'holds' | 'broken' | 'unknown';
  readonly executions: number;
  /** What went wrong, or why it is not known; empty where it holds. */
  readonly why: string;
  /** Functions that ran in some execution, by their names in KernelFunctions: of a patch, those that it overrides. */
  readonly called: readonly string[];
}

export interface AskedShape {
  readonly scenario: Scenario;
  readonly choice: ScenarioChoice;
  /** At most so many. */
  readonly executions: number;
  /** Asked between executions; once it says 'stop', it stays with that, and the record says nothing. */
  readonly goOn: () => 'go on' | 'stop';
}

/** Most shapes are done by then; where not, schedules of few switches find most of what there is. */
const FIRST_EXECUTIONS = 32;
const FEW_SWITCHES_MAX = 100;
/** Executions at random of a shape that holds, where a user's own code may keep what it does not tell of. */
const DRAWN = 16;
const DRAWN_SEED = 1;

/** Throws: what the world throws; BadSetup where there is no patch to blame. */
export function askShape({ scenario, choice, executions, goOn }: AskedShape): ShapeRecord {
  const called = new Set<string>();
  const watched = watching(choice, called);
  const plan = planScenario(scenario, { ...choice, patches: watched });
  try {
    const found = searched(plan, executions, goOn);
    return { ...found, called: [...called].sort() };
  } catch (error) {
    if (!(error instanceof BadSetup) || choice.patches.length === 0) throw error;
    return { word: 'broken', executions: 1, why: error.message, called: [...called].sort() };
  }
}

interface Failed {
  readonly failure: Failure;
  readonly choices: readonly number[];
}

type Found = Omit<ShapeRecord, 'called'>;

function searched(plan: ScenarioPlan, executionsMax: number, goOn: AskedShape['goOn']): Found {
  const newRun = () => newScenarioRun(plan);
  const stepsMax = stepsMaxOf(plan);
  const inTurn = runWith(newRun, roundRobin(), stepsMax);
  let executions = 1;
  if (inTurn.failure !== 'none') {
    const choices = inTurn.steps.map(({ task }) => task);
    return broken(plan, { failure: inTurn.failure, choices }, executions);
  }
  let cut = 0;
  let outcomes: Outcomes = new Map();
  const inFull = (max: number): 'complete' | 'stopped' | Found => {
    const { ended, counterexample, tooLong, ...result } = searchStates(newRun, {
      stepsMax,
      counterexamples: 'first',
      goOn: (progress) => (progress.executions >= max ? 'stop' : goOn()),
    });
    executions += result.executions;
    cut = tooLong;
    outcomes = result.outcomes;
    if (counterexample !== 'none') return broken(plan, counterexample, executions);
    return ended === 'complete' ? 'complete' : 'stopped';
  };
  const first = inFull(Math.min(FIRST_EXECUTIONS, executionsMax));
  const few =
    first === 'stopped'
      ? tryFewSwitches(newRun, stepsMax, Math.min(FEW_SWITCHES_MAX, executionsMax), undefined, goOn)
      : 'not needed';
  if (few !== 'not needed') {
    executions += few.executions;
    if (few.found !== 'none') return broken(plan, few.found, executions);
  }
  const whole =
    first === 'stopped' && executionsMax > FIRST_EXECUTIONS ? inFull(executionsMax) : first;
  if (typeof whole !== 'string') return whole;
  const asked = { executions, strategy: 'dpor' };
  if (whole === 'stopped') {
    const why = describeBound({ kind: 'stopped', why: 'budget', ...asked });
    return { word: 'unknown', executions, why };
  }
  if (cut > 0) {
    const why = describeBound({ kind: 'cut', cut, stepsMax, ...asked });
    return { word: 'unknown', executions, why };
  }
  const options = { stepsMax, seed: DRAWN_SEED, drawn: DRAWN, outcomes };
  const untold = ownCodeOf(plan).length === 0 ? 'none' : untoldState(newRun, options);
  if (untold === 'none') return { word: 'holds', executions, why: '' };
  if (!('kind' in untold)) return broken(plan, untold, executions);
  const why = describeBound({ kind: 'untold state', untold, ...asked });
  return { word: 'unknown', executions, why };
}

/** What looks like a livelock may be bad luck of one schedule: only what can go round for ever is an answer. */
function broken(plan: ScenarioPlan, { failure, choices }: Failed, executions: number): Found {
  const why = describeFailure(failure);
  if (!isLivelock(failure)) return { word: 'broken', executions, why };
  const { steps } = replay(() => newScenarioRun(plan), choices, stepsMaxOf(plan));
  if (cycleOf(plan, steps) !== 'none') return { word: 'broken', executions, why };
  const bound = describeBound({ kind: 'no fair round', failure });
  return { word: 'unknown', executions, why: bound };
}

/** The patches of `choice`, which note in `called` what of them is called; without patches, every function does. */
function watching({ patches }: ScenarioChoice, called: Set<string>): Patch[] {
  const seen = { overridden: new Map<string, string>(), called };
  if (patches.length > 0) return patches.map((patch) => watchOverrides(patch, seen));
  for (const name of SEQUENCED) called.add(name);
  return [watchOverrides(EVERY_FUNCTION, seen)];
}

/** But for those that an explorer must find as they are. They count as called. */
const EVERY_FUNCTION: Patch = {
  id: 'every-function',
  provenance: 'the catalogue of shapes',
  summary: 'changes nothing',
  overrides: (stock) =>
    Object.fromEntries(
      Object.entries(stock).filter(([name]) => !(SEQUENCED as readonly string[]).includes(name)),
    ) as Partial<KernelFunctions>,
};
