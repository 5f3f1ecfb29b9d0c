/** `mmrace replay TOKEN|FILE`: executes a counterexample again, and prints it, or refuses it where it first differs. */

import { driverWords } from '../../../server/report/choice-words.ts';
import { describeFailure, failureText } from '../../../server/report/describe-failure.ts';
import { DIAGRAM_COLUMNS_MAX, raceDiagram } from '../../../server/report/diagram.ts';
import type { FormatName } from '../../../server/report/format-names.ts';
import { FORMATS } from '../../../server/report/formats.ts';
import { counted } from '../../../server/report/lines/counted.ts';
import { kernelLabel } from '../../../server/report/lines/kernel-label.ts';
import { wrapText } from '../../../server/report/lines/wrap-text.ts';
import type { ReportWait } from '../../../server/report/report-meta.ts';
import type { ScenarioPlan } from '../../../server/scenario/scenario-plan.ts';
import { newScenarioRun } from '../../../server/scenario/scenario-world.ts';
import { metaOfCounterexample } from '../../../server/verify/answer/counterexample-meta.ts';
import { plainSteps } from '../../../server/verify/answer/record-execution.ts';
import { waitsOf } from '../../../server/verify/answer/waits.ts';
import {
  type Counterexample,
  kernelOf,
} from '../../../server/verify/counterexample/counterexample.ts';
import {
  type Divergence,
  type Reproduced,
  reproduce,
} from '../../../server/verify/counterexample/reproduce.ts';
import { momentOf, newMomentRun } from '../../../server/verify/moment/moment-world.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { UsageError } from '../failure.ts';
import { planOfCounterexample } from './plan-of-counterexample.ts';
import { journalOf, type RecordedCounterexample } from './read-recorded.ts';
import { modelHere, reproduceCommand } from './saved-counterexample.ts';

/** A counterexample that was executed again here, step by step as it was. */
export interface Again {
  readonly counterexample: Counterexample;
  /** 'a live moment': it has no scenario. */
  readonly plan: ScenarioPlan | 'a live moment';
  readonly ran: Exclude<Reproduced, Divergence>;
  /** What has changed since it was found and made no difference; empty if nothing has. */
  readonly notes: readonly string[];
}

/** Throws: UsageError if it is not the same run any more, naming the first step that differs. */
export async function executeAgain({
  counterexample,
  beside,
}: RecordedCounterexample): Promise<Again> {
  const { plan, changed, run } = await worldOf(counterexample, beside);
  const ran = reproduce(counterexample, run);
  const notes = [...modelNotes(counterexample), ...changed];
  if (ran.outcome === 'diverged') throw new UsageError(refusal(counterexample, ran, notes));
  return { counterexample, plan, ran, notes };
}

async function worldOf(counterexample: Counterexample, beside: string) {
  const { from } = counterexample;
  if (from === undefined) {
    const { plan, changed } = await planOfCounterexample(counterexample, beside);
    return { plan, changed, run: { ...newScenarioRun(plan), asks: plan } };
  }
  const journal = journalOf(`${from.journal.join('\n')}\n`, 'the recording in the counterexample');
  const run = newMomentRun(momentOf(journal, from.step, from.entries));
  return { plan: 'a live moment' as const, changed: [], run };
}

function modelNotes({ model }: Counterexample): string[] {
  const here = modelHere();
  if (here.startsWith(model.hash)) return [];
  const short = (hash: string) => hash.slice(0, 8);
  return [`the model has changed since (it was ${short(model.hash)}, this is ${short(here)})`];
}

function refusal(
  { scenario, steps }: Counterexample,
  { step, expected, found }: Divergence,
  notes: readonly string[],
): string {
  const why = notes.length > 0 ? notes.join('; ') : 'the driver or patch is not deterministic';
  return (
    `${scenario.name}: this counterexample is of another model: ${why}.\n` +
    `First divergence at step ${step} of ${steps.length}: expected ${expected}, found ${found}.\n` +
    'Check out what it was found with, or explore the scenario again.'
  );
}

/** 1 if it fails again as promised (0 if what it shows was asked for), 2 if it does not. */
export function exitOfAgain({ counterexample, ran }: Again): ExitCode {
  if (ran.outcome === 'ends otherwise') return EXIT.UNKNOWN;
  return counterexample.found.verdict === 'broken' ? EXIT.BROKEN : EXIT.OK;
}

export function plainAgain({ counterexample, ran, notes }: Again): object {
  const { scenario, patch, drivers, parameters, schedule, found } = counterexample;
  return {
    outcome: ran.outcome,
    scenario: scenario.name,
    kernel: kernelOf(counterexample),
    patch: patch.name,
    drivers: Object.fromEntries(Object.entries(drivers).map(([actor, { name }]) => [actor, name])),
    parameters,
    promised: counterexample.failure,
    failure: failureText(ran.failure),
    failed: ran.failure === 'none' ? null : ran.failure,
    pointOfNoReturn: found.pointOfNoReturn,
    schedule,
    steps: plainSteps(ran.steps),
    notes,
  };
}

/** Lines of at most the width of a diagram, indented. */
function paragraph(text: string): string[] {
  return wrapText(text, DIAGRAM_COLUMNS_MAX - 2).map((line) => `  ${line}`);
}

export function textOfAgain(again: Again): string {
  const { counterexample, ran, notes } = again;
  const { scenario, patch, found, failure } = counterexample;
  const as =
    ran.outcome === 'fails as promised' ? 'fails as promised' : 'does not fail as promised';
  const lines = [
    `${scenario.name}: ${as} (${kernelAndDrivers(counterexample)})`,
    `  ${ran.steps.length} steps, each as it was found; it was found in ${counted(found.executions, 'execution')}.`,
    ...notes.map((note) => `  Note: ${note}; no step differs.`),
    '',
    ...paragraph(ran.failure === 'none' ? 'nothing fails' : describeFailure(ran.failure)),
    ...(ran.outcome === 'ends otherwise' ? paragraph(`promised: ${failure}`) : []),
    '',
    raceDiagram(ran.events, { columns: DIAGRAM_COLUMNS_MAX, turn: ran.turn }),
  ];
  const { pointOfNoReturn } = found;
  const step = pointOfNoReturn === 'unknown' ? undefined : ran.steps[pointOfNoReturn - 1];
  if (step !== undefined) {
    const at = `${step.actor} at ${step.step.at}`;
    lines.push(`In the code: step ${pointOfNoReturn} of ${ran.steps.length}: ${at}.`);
  }
  if (ran.outcome === 'ends otherwise') {
    lines.push(`Explore ${scenario.name} with ${patch.name} again: this one run proves nothing.`);
  }
  return lines.join('\n');
}

/** `kernel stock 6.1, driver map-losers` */
export function kernelAndDrivers(counterexample: Counterexample): string {
  const { patch, drivers } = counterexample;
  const names = Object.entries(drivers).map(([actor, { name }]) => [actor, name] as const);
  const kernel = kernelLabel({ kernel: kernelOf(counterexample), patch: patch.name });
  return `kernel ${kernel}${driverWords(Object.fromEntries(names))}`;
}

/** Who waits for whom at its end, if it got stuck. */
function waitsIn({ run }: Again['ran']): ReportWait[] {
  const stuck = run.stuck?.() ?? 'none';
  return stuck === 'none' ? [] : waitsOf({ stuck });
}

export function reportOfAgain({ counterexample, plan, ran }: Again, format: FormatName): string {
  const again = reproduceCommand(counterexample);
  const question = plan === 'a live moment' ? counterexample.from : plan.scenario;
  const meta = metaOfCounterexample(counterexample, {
    question,
    reproduce: again,
    setup: ran.setup,
    end: ran.run.outcome(),
    failure: ran.failure,
    turn: ran.turn,
    waits: waitsIn(ran),
  });
  return FORMATS[format].render(ran.events, meta);
}
