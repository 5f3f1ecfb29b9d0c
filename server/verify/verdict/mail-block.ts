/**
 * The answer as a reply to a mailing list: what is claimed, within which bound, the smallest picture of it, what was
 * observed, and how to see it again. No line is longer than a list takes.
 */
import { describeBound } from '../../report/bound.ts';
import { describeFailure } from '../../report/describe-failure.ts';
import { counted } from '../../report/lines/counted.ts';
import { LIST_COLUMNS_MAX } from '../../report/lines/list-columns.ts';
import { wrapText } from '../../report/lines/wrap-text.ts';
import type { AbVerdict, SideAnswer } from './ab-verdict.ts';

export interface MailParts {
  /** The scenarios in the order in which they were asked. */
  readonly verdicts: readonly AbVerdict[];
  /** The race of the scenario that is told, drawn in at most LIST_COLUMNS_MAX columns; 'none' if nothing fails. */
  readonly diagram: string | 'none';
  /** A command for a shell. */
  readonly reproduce: string;
}

/** The scenario that the reply is about: the first that is broken after, else the first that is not known. */
export function told(verdicts: readonly AbVerdict[]): AbVerdict | undefined {
  const of = (word: string) => verdicts.find(({ after }) => after.verdict.verdict === word);
  return of('broken') ?? of('unknown') ?? verdicts[0];
}

/** Ends with a newline. */
export function mailBlock({ verdicts, diagram, reproduce }: MailParts): string {
  const about = told(verdicts);
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

/** One sentence, told by the verdicts of both kernels. */
export function claim(verdicts: readonly AbVerdict[], about: AbVerdict): string {
  const { scenario, before, after, changes } = about;
  const was = before.verdict.verdict;
  const where = verdicts.length === 1 ? scenario : `${scenario} (and ${verdicts.length - 1} more)`;
  switch (after.verdict.verdict) {
    case 'broken': {
      const then = {
        holds: 'which it cannot',
        broken: 'as it can',
        unknown: 'unlike (so far seen)',
      };
      return (
        `with ${after.kernel}, ${scenario} can fail, ${then[was]} with ${before.kernel}: ` +
        `${failureOf(after)}.`
      );
    }
    case 'unknown':
      return `whether ${scenario} holds with ${after.kernel} is not known: ${describeBound(after.verdict.bound)}.`;
    case 'holds': {
      const so = {
        holds: `as with ${before.kernel}`,
        broken: `and does not with ${before.kernel}`,
      };
      const then = was === 'unknown' ? `with ${before.kernel} it is not known` : so[was];
      return `with ${after.kernel}, ${where} holds, ${then}; ${changed(changes)}.`;
    }
  }
}

function failureOf({ verdict }: SideAnswer): string {
  const { counterexample, bound: covered } = verdict;
  return counterexample === 'none'
    ? describeBound(covered)
    : describeFailure(counterexample.failure);
}

function changed({ appeared, vanished, complete }: AbVerdict['changes']): string {
  const seen = complete === 'yes' ? '' : ' as far as the search went';
  if (appeared.length + vanished.length === 0) return `the same can come of it${seen}`;
  const count = (number: number, what: string) =>
    `${number === 0 ? 'no' : number} outcome${number === 1 ? '' : 's'} ${what}`;
  return `${count(appeared.length, 'appeared')}, ${count(vanished.length, 'vanished')}${seen}`;
}

function bound({ scenario, before, after }: AbVerdict, scenarios: number): string {
  const side = ({ kernel, verdict, outcomes }: SideAnswer) => {
    const { executions, complete } = outcomes;
    const all =
      executions === 1 ? 'its one execution' : `every interleaving in ${executions} executions`;
    const seen = complete === 'yes' ? all : `the first ${counted(executions, 'execution')}`;
    return (
      `${kernel}: ${verdict.verdict}, ${seen}, ` +
      `the race was possible in ${outcomes.windowEntered}, ${outcomes.failures} failed`
    );
  };
  const which = scenarios === 1 ? '' : `${scenario}: `;
  return `${which}${side(before)}; ${side(after)}.`;
}

/** As herd prints it: failing executions, and the others. */
export function observation(scenario: string, { outcomes }: SideAnswer): string {
  const { executions, failures, complete } = outcomes;
  let how = 'Sometimes';
  if (failures === 0) how = complete === 'yes' ? 'Never' : 'Unknown';
  else if (failures === executions && complete === 'yes') how = 'Always';
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
