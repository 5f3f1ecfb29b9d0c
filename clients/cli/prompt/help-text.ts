/** Help of the prompt, made from the table of verbs. */
import { wrapText } from '../../../server/report/lines/wrap-text.ts';
import { findVerb } from './parse-line.ts';
import { type Argument, type PromptRole, type PromptVerb, usageOf } from './verb.ts';
import { verbsOf } from './verb-table.ts';

const USAGE_COLUMNS = 28;
const SUMMARY_COLUMNS = 50;
const INDENT = ' '.repeat(2 + USAGE_COLUMNS);

const PLACES = `A place is an address (0x10000), or a mapping and what to add: a is the start of
the first one, a+3 its page 3, a+0x8 its byte 8. maps lists the mappings.
A line that ends in & does not wait.`;

/** Every verb of the role in a line, by group. */
export function helpText(role: PromptRole): string {
  const groups = Map.groupBy(verbsOf(role), ({ group }) => group);
  const parts = [...groups].map(([group, verbs]) => [group, ...verbs.map(verbLine)].join('\n'));
  return [...parts, PLACES].join('\n\n');
}

function verbLine(verb: PromptVerb): string {
  const [first = '', ...rest] = wrapText(verb.summary, SUMMARY_COLUMNS);
  const usage = usageOf(verb);
  const head = `  ${usage.padEnd(USAGE_COLUMNS)}`;
  const lines = usage.length < USAGE_COLUMNS ? [`${head}${first}`] : [head, `${INDENT}${first}`];
  return [...lines, ...rest.map((line) => INDENT + line)].join('\n');
}

/** One verb in full, or a sentence that there is none. */
export function verbHelp(name: string, role: PromptRole): string | { readonly wrong: string } {
  const verb = findVerb(name, role);
  if ('wrong' in verb) return verb;
  const parts = [
    `${usageOf(verb)}\n  ${verb.summary}`,
    ...(verb.arguments.length === 0 ? [] : [verb.arguments.map(argumentLine).join('\n')]),
    ...(verb.more === undefined ? [] : [verb.more]),
    `Example:\n${verb.examples.map((line) => `  ${line}`).join('\n')}`,
  ];
  return parts.join('\n\n');
}

function argumentLine({ name, what, presence, choices }: Argument): string {
  const among = choices === undefined ? '' : `: ${choices.join(', ')}`;
  const absent =
    typeof presence === 'string' || presence.default === 'none'
      ? ''
      : ` (${presence.default} if left out)`;
  return `  ${name.padEnd(10)} ${what}${among}${absent}`;
}
