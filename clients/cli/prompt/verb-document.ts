/** The verbs of the prompts as tables for the documents, made of the table of verbs. */
import { type PromptRole, type PromptVerb, usageOf } from './verb.ts';
import { verbsOf } from './verb-table.ts';

const TITLE = { device: 'Verbs of a device', cpu: 'Verbs of a CPU thread' } as const;

/** Markdown: a chapter a role, a row a verb. */
export function verbDocument(): string {
  return (['device', 'cpu'] as const).map(chapter).join('\n\n');
}

function chapter(role: PromptRole): string {
  const rows = verbsOf(role).map(row);
  return [
    `### ${TITLE[role]}`,
    '',
    '| | what it does | for example |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}

function row(verb: PromptVerb): string {
  const [example = ''] = verb.examples;
  const longest = verb.examples.reduce(
    (best, next) => (next.length > best.length ? next : best),
    example,
  );
  const shown = longest.startsWith(verb.name) ? longest : example;
  const more = verb.more === undefined ? '' : ` ${verb.more}`;
  return `| \`${usageOf(verb)}\` | ${sentence(verb.summary)}${more} | \`${shown}\` |`;
}

function sentence(text: string): string {
  const first = text.slice(0, 1).toUpperCase();
  return `${first}${text.slice(1)}${/[.?]$/.test(text) ? '' : '.'}`;
}
