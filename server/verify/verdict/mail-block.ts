/**
 * The answer as a reply to a mailing list: what is claimed, within which bound, the smallest picture of it, what was
 * observed, and how to see it again. It is about what changed. No line is longer than a list takes.
 */
import { describeBound } from '../../report/bound.ts';
import { type ChoiceNames, driverWords, kernelWords } from '../../report/choice-words.ts';
import { describeFailure, describeOutcome } from '../../report/describe-failure.ts';
import { counted } from '../../report/lines/counted.ts';
import { LIST_COLUMNS_MAX } from '../../report/lines/list-columns.ts';
import { wrapText } from '../../report/lines/wrap-text.ts';
import { choiceNames } from '../../scenario/choice-names.ts';
import { type AbVerdict, failuresThatAppeared, isWorse, type SideAnswer } from './ab-verdict.ts';
import type { OutcomeChange } from './outcomes.ts';

export interface MailParts {
  /** The scenarios in the order in which they were asked. */
  readonly verdicts: readonly AbVerdict[];
  /** The race of the scenario that is shown, drawn in at most LIST_COLUMNS_MAX columns; 'none' if nothing fails. */
  readonly diagram: string | 'none';
  /** A command for a shell. */
  readonly reproduce: string;
}

/**
 * The scenario that the reply is about: the first that became worse; else the first that is not known; else the first
 * in which anything changed, or that is still broken.
 */
export function firstWorse(verdicts: readonly AbVerdict[]): AbVerdict | undefined {
  return (
    verdicts.find((one) => isWorse(one) === 'yes') ??
    verdicts.find((one) => isWorse(one) === 'unknown') ??
    verdicts.find(({ changes }) => changes.appeared.length + changes.vanished.length > 0) ??
    verdicts.find(({ after }) => after.verdict.verdict === 'broken') ??
    verdicts[0]
  );
}

/** Ends with a newline. */
export function mailBlock({ verdicts, diagram, reproduce }: MailParts): string {
  const about = firstWorse(verdicts);
  if (about === undefined) return '';
  const lines = [
    ...paragraph(`Claim: ${claim(verdicts, about)}`),
    '',
    ...verdicts.flatMap((one) => paragraph(`Bound: ${bound(one, verdicts.length)}`)),
    '',
    ...(diagram === 'none' ? [] : [...diagram.split('\n'), '']),
    ...verdicts.flatMap(({ scenario, after }) =>
      wrapText(observation(scenario, after), LIST_COLUMNS_MAX),
    ),
    '',
    'Reproduce:',
    ...shellLines(reproduce),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** Two versions of Linux are named by what was asked for; of one there is no need to speak. */
function namesOf(plan: SideAnswer['plan'], kernel: string): ChoiceNames {
  return { ...choiceNames(plan, kernel), version: 'left out' };
}

/** `lazy-flush (./mine.ts), driver skip-retry`. */
export function sideWords({ kernel, plan }: Pick<SideAnswer, 'kernel' | 'plan'>): string {
  const names = namesOf(plan, kernel);
  return `${kernelWords(names)}${driverWords(names.drivers)}`;
}

/** One sentence, from the verdicts of both kernels. */
export function claim(verdicts: readonly AbVerdict[], about: AbVerdict): string {
  const { scenario, before, after, changes } = about;
  const was = before.verdict.verdict;
  const where = verdicts.length === 1 ? scenario : `${scenario} (and ${verdicts.length - 1} more)`;
  const [now, then] = [sideWords(after), kernelWords(namesOf(before.plan, before.kernel))];
  switch (after.verdict.verdict) {
    case 'broken':
      return `with ${now}, ${brokenClaim(about, then)}`;
    case 'unknown':
      return `whether ${scenario} holds with ${now} is not known: ${describeBound(after.verdict.bound)}.`;
    case 'holds': {
      const so = { holds: `as with ${then}`, broken: `and does not with ${then}` };
      const compared = was === 'unknown' ? `with ${then} it is not known` : so[was];
      return `with ${now}, ${where} holds, ${compared}; ${changed(changes)}.`;
    }
  }
}

function brokenClaim(about: AbVerdict, then: string): string {
  const { scenario, before, after, changes } = about;
  const was = before.verdict.verdict;
  const [appeared] = failuresThatAppeared(about);
  if (was !== 'broken') {
    const unlike = was === 'holds' ? 'which it cannot' : 'unlike (so far seen)';
    const failure = appeared === undefined ? failureOf(after) : changeWords(appeared);
    return `${scenario} can fail, ${unlike} with ${then}: ${failure}.`;
  }
  if (appeared === undefined) {
    return `${scenario} can fail, as it can with ${then}: ${failureOf(after)}; ${changed(changes)}.`;
  }
  const sure = isWorse(about) === 'yes' ? 'could not' : 'was not seen to';
  return `${scenario} can fail as it ${sure} with ${then}, where it fails otherwise: ${changeWords(appeared)}.`;
}

/** With the place, where the words are those of another failure. */
export function changeWords({ outcome, at, elsewhere, failed }: OutcomeChange): string {
  const words = describeOutcome(outcome);
  const where = elsewhere || failed === 'later' ? `${words}, at ${at}` : words;
  return failed === 'later' ? `${where}, behind another failure` : where;
}

function failureOf({ verdict }: SideAnswer): string {
  const { counterexample, bound: covered } = verdict;
  return counterexample === 'none'
    ? describeBound(covered)
    : describeFailure(counterexample.failure);
}

function changed({ appeared, vanished, complete }: AbVerdict['changes']): string {
  const seen = complete ? '' : ' as far as the search went';
  if (appeared.length + vanished.length === 0) return `the same can come of it${seen}`;
  const count = (number: number, what: string) =>
    `${number === 0 ? 'no' : number} outcome${number === 1 ? '' : 's'} ${what}`;
  return `${count(appeared.length, 'appeared')}, ${count(vanished.length, 'vanished')}${seen}`;
}

function bound({ scenario, before, after }: AbVerdict, scenarios: number): string {
  const which = scenarios === 1 ? '' : `${scenario}: `;
  return `${which}${sideBound(before)}; ${sideBound(after)}.`;
}

function sideBound(side: SideAnswer): string {
  const { verdict, outcomes } = side;
  const words = kernelWords(namesOf(side.plan, side.kernel));
  const { executions, windowEntered, failures } = verdict;
  if (outcomes === 'not searched' || !outcomes.complete) {
    const all = outcomes === 'not searched' ? 0 : outcomes.covered.executions;
    const other =
      all === 0 || all === executions
        ? ''
        : ` (a search for all outcomes ended after ${counted(all, 'execution')}, so it was asked alone)`;
    return (
      `${words}: ${verdict.verdict}, ${describeBound(verdict.bound)}${other}, ` +
      `the race was possible in ${windowEntered}, ${failures} failed`
    );
  }
  const every =
    executions === 1 ? 'its one execution' : `every interleaving in ${executions} executions`;
  return (
    `${words}: ${verdict.verdict}, ${every}, ` +
    `the race was possible in ${windowEntered}, ${failures} failed`
  );
}

/** As herd prints it: failing executions, and the others. */
export function observation(scenario: string, { verdict, outcomes }: SideAnswer): string {
  const { executions, failures } = verdict;
  const complete = outcomes !== 'not searched' && outcomes.complete;
  let how = 'Sometimes';
  if (failures === 0) how = complete || verdict.verdict === 'holds' ? 'Never' : 'Unknown';
  else if (failures === executions && complete) how = 'Always';
  return `Observation ${scenario} ${how} ${failures} ${executions - failures}`;
}

function paragraph(text: string): string[] {
  return wrapText(text, LIST_COLUMNS_MAX);
}

/** A shell puts together what ends in a backslash; a long word is broken without a space. */
export function shellLines(command: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of command.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > LIST_COLUMNS_MAX - 2) {
      lines.push(`${line} \\`);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    while (line.length > LIST_COLUMNS_MAX - 1) {
      lines.push(`${line.slice(0, LIST_COLUMNS_MAX - 1)}\\`);
      line = line.slice(LIST_COLUMNS_MAX - 1);
    }
  }
  return [...lines, line];
}
