/** `npm run mutants`: which of the planted mistakes does what ships find? */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { askMutants, type MutantAnswer, type UpTo } from './campaign.ts';
import { allMutants, type Mutant } from './mutants.ts';
import { reportOf, savedText, textOf } from './mutants-report.ts';

const HELP = `npm run mutants -- [options]

Puts each of the mistakes of server/mutants into the kernel or a driver, one at a time, and asks the recordings of
Linux, the scenarios that ship, and shapes of one and of two operations: first those that come to the line, the
shortest first, then in runs that switch at the line, and within 60 seconds of computing for all. A run that was
interrupted goes on where it was, as long as no source has changed.

  --only WORD       mutants whose id or file has this word
  --workers N       processes (2)
  --up-to WHAT      recordings, scenarios or shapes (shapes): the later, the longer it takes
  --json            print one JSON object
  --save FILE       write what became of each to FILE, of which npm run docs makes docs/COVERAGE.md; not with --only
  --list            print the mutants, and ask nothing

Exit 0 if at least 95 % of those that can be found are, 1 otherwise.
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    workers: { type: 'string', default: '2' },
    'up-to': { type: 'string', default: 'shapes' },
    json: { type: 'boolean', default: false },
    save: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const mutants = allMutants().filter(
  ({ id, file }) => id.includes(values.only) || file.includes(values.only),
);
if (values.help) process.stdout.write(HELP);
else if (values.list) for (const { id, what } of mutants) process.stdout.write(`${id}: ${what}\n`);
else await ask(mutants);

async function ask(asked: readonly Mutant[]): Promise<void> {
  let count = 0;
  const soFar = new Map<string, MutantAnswer>();
  const save = () => {
    if (values.save === '' || values.only !== '') return;
    writeFileSync(values.save, savedText(asked.flatMap(({ id }) => soFar.get(id) ?? [])));
  };
  const answers = await askMutants(asked, {
    workers: Number(values.workers),
    upTo: upToOf(values['up-to']),
    told: (answer, from) => {
      count += 1;
      soFar.set(answer.id, answer);
      save();
      const place = `${count} of ${asked.length}`;
      process.stderr.write(`${place}: ${line(answer)}${from === 'cache' ? ', known' : ''}\n`);
    },
  });
  const report = reportOf(asked, answers);
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : textOf(report));
  process.exitCode = report.enough ? 0 : 1;
}

function upToOf(word: string): UpTo {
  if (word === 'recordings' || word === 'scenarios' || word === 'shapes') return word;
  throw new TypeError(`--up-to ${word}: expected recordings, scenarios or shapes`);
}

function line({ id, caught, seconds }: MutantAnswer): string {
  return `${id}: ${caught === 'none' ? 'lives' : `caught by ${caught}`} (${seconds} s)`;
}
