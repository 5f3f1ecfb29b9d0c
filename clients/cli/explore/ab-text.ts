/** What `mmrace verdict` prints: a summary of each scenario, and the reply to the list. */

import { describeBound } from '../../../server/report/bound.ts';
import {
  countsByText,
  describeFailure,
  describeOutcome,
} from '../../../server/report/describe-failure.ts';
import { DIAGRAM_COLUMNS_MAX, raceDiagram } from '../../../server/report/diagram.ts';
import { counted } from '../../../server/report/lines/counted.ts';
import { LIST_COLUMNS_MAX } from '../../../server/report/lines/list-columns.ts';
import { wrapText } from '../../../server/report/lines/wrap-text.ts';
import { choiceNames } from '../../../server/scenario/choice-names.ts';
import { recordExecution } from '../../../server/verify/answer/record-execution.ts';
import {
  type AbVerdict,
  abWord,
  type ExitOn,
  isWorse,
  type SideAnswer,
} from '../../../server/verify/verdict/ab-verdict.ts';
import {
  changeWords,
  claim,
  firstWorse,
  mailBlock,
  sideWords,
} from '../../../server/verify/verdict/mail-block.ts';
import type { OutcomeChange } from '../../../server/verify/verdict/outcomes.ts';
import { keptOf } from './saved-counterexample.ts';

/** Outcomes listed of each kind; `--json` has all. */
const OUTCOMES_SHOWN_MAX = 8;
/** A longer token is no line of a mail: the command that finds it again is. */
const TOKEN_MAILED_MAX = 600;

export interface AbAsked {
  readonly kernel?: string;
  readonly before: string;
  readonly after: string;
  readonly driver: readonly string[];
  readonly exitOn: ExitOn;
  readonly devices?: number;
  readonly migrators?: number;
}

export function abText(
  files: readonly string[],
  verdicts: readonly AbVerdict[],
  asked: AbAsked,
): string {
  const lines = verdicts.flatMap((one) => summary(one));
  const about = firstWorse(verdicts);
  if (about === undefined) return lines.join('\n');
  const { verdict: word, counterexample, plan } = about.after.verdict;
  const diagram =
    counterexample === 'none' || word !== 'broken'
      ? 'none'
      : raceDiagram(recordExecution(plan, counterexample.choices).events, {
          columns: DIAGRAM_COLUMNS_MAX,
          turn: counterexample.turn,
        });
  const reproduce = reproduceCommand(files, about, asked);
  lines.push('', '-'.repeat(LIST_COLUMNS_MAX), '', mailBlock({ verdicts, diagram, reproduce }));
  return lines.join('\n');
}

function summary({ scenario, before, after, changes }: AbVerdict): string[] {
  const side = (one: SideAnswer) => `${one.verdict.verdict} with ${sideWords(one)}`;
  const lines = wrapText(`${scenario}: ${side(before)}, ${side(after)}`, LIST_COLUMNS_MAX);
  if (changes.appeared.length + changes.vanished.length === 0)
    lines.push('  no outcome appeared or vanished');
  lines.push(...listed('appeared', changes.appeared), ...listed('vanished', changes.vanished));
  for (const { kernel, outcomes } of [before, after]) {
    if (outcomes === 'not searched' || outcomes.complete) continue;
    const ended = `ended after ${counted(outcomes.covered.executions, 'execution')}`;
    lines.push(...hanging(`(the search with ${kernel} ${ended}: there may be more)`));
  }
  return lines;
}

/** Indented, and what follows the first line a little more. */
function hanging(text: string): string[] {
  return wrapText(text, LIST_COLUMNS_MAX - 4).map((line, at) => (at === 0 ? '  ' : '    ') + line);
}

function listed(what: string, changes: readonly OutcomeChange[]): string[] {
  const shown = changes.slice(0, OUTCOMES_SHOWN_MAX).flatMap((change) => {
    const { executions, of } = change;
    const words = `${what}: ${changeWords(change)} (${executions} of ${counted(of, 'execution')})`;
    return hanging(words);
  });
  const more = changes.length - OUTCOMES_SHOWN_MAX;
  return more > 0 ? [...shown, `  ${what}: and ${more} more`] : shown;
}

/** The token of the counterexample; without one, or if it is long, the command that asks again. */
function reproduceCommand(files: readonly string[], about: AbVerdict, asked: AbAsked): string {
  const token = tokenOf(about.after, asked);
  if (token !== 'none' && token.length <= TOKEN_MAILED_MAX) return `npx mmrace replay ${token}`;
  const { kernel, before, after, driver, devices, migrators } = asked;
  return [
    'npx mmrace verdict',
    ...files,
    `--before ${before} --after ${after}`,
    ...(kernel === undefined ? [] : [`--kernel ${kernel}`]),
    ...driver.map((choice) => `--driver ${choice}`),
    ...(devices === undefined ? [] : [`--devices ${devices}`]),
    ...(migrators === undefined ? [] : [`--migrators ${migrators}`]),
  ].join(' ');
}

function tokenOf({ patch, verdict }: SideAnswer, { driver }: AbAsked): string | 'none' {
  const kept = keptOf(verdict, { patch, driver, strategy: 'dpor' });
  return kept === 'none' ? 'none' : kept.token;
}

export function abPlain(verdicts: readonly AbVerdict[], asked: AbAsked): object {
  const about = firstWorse(verdicts);
  return {
    before: asked.before,
    after: asked.after,
    verdict: abWord(verdicts, asked.exitOn),
    exitOn: asked.exitOn,
    claim: about === undefined ? '' : claim(verdicts, about),
    scenarios: verdicts.map((one) => plainVerdict(one, asked)),
  };
}

function plainVerdict(one: AbVerdict, asked: AbAsked): object {
  const { scenario, before, after, changes } = one;
  return {
    scenario,
    worse: isWorse(one),
    before: plainSide(before, asked),
    after: plainSide(after, asked),
    complete: changes.complete,
    appeared: changes.appeared.map(plainChange),
    vanished: changes.vanished.map(plainChange),
  };
}

function plainSide(side: SideAnswer, asked: AbAsked): object {
  const { verdict, outcomes } = side;
  const token = tokenOf(side, asked);
  const { patches, drivers } = choiceNames(side.plan, side.kernel);
  return {
    kernel: side.kernel,
    patches,
    drivers,
    verdict: verdict.verdict,
    bound: describeBound(verdict.bound),
    reason: verdict.bound,
    executions: verdict.executions,
    failures: verdict.failures,
    windowEntered: verdict.windowEntered,
    complete: outcomes !== 'not searched' && outcomes.complete,
    outcomes: countsByText(
      outcomes === 'not searched' ? verdict.outcomes : outcomes.covered.outcomes,
    ),
    failure:
      verdict.counterexample === 'none' ? null : describeFailure(verdict.counterexample.failure),
    token: token === 'none' ? null : token,
  };
}

function plainChange({ outcome, at, failed, executions, of }: OutcomeChange): object {
  const { failure } = outcome;
  return {
    outcome: describeOutcome(outcome),
    failed: failure === 'none' ? null : failure,
    failing: failure !== 'none',
    at: failure === 'none' ? null : at,
    behindAnotherFailure: failed === 'later',
    executions,
    of,
  };
}
