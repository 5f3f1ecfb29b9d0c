/**
 * A process that holds one mutant, or none, and asks it. Prints JSON objects, a line each: what it asks next, and at
 * last what caught it.
 *
 *   try-mutant.ts TABLE recordings,scenarios,shapes ID   asks these, or some of them, of what TABLE says comes there
 *   try-mutant.ts --stock QUESTION                       asks the kernel without a mutant
 */
import { spawnSync } from 'node:child_process';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { UpTo } from './campaign.ts';
import { loadMutant } from './load-mutant.ts';
import { allMutants, ROOT } from './mutants.ts';
import type { Limits, Thoroughness } from './questions.ts';
import { readReaching } from './reach-table.ts';
import { keepOfStock, knownOfStock } from './stock-answers.ts';

/** Of computing, for one mutant: all of it, the loading as well. */
const MUTANT_MS = 60_000;
/** What is said to be equivalent is asked for so much of it: it does not count. */
const EQUIVALENT_SHARE = 0.1;
/** Of the recordings, which come by their length. */
const SHORT_RECORDINGS = 300;

// Half of the time of most mutants would go into loading.
enableCompileCache(join(ROOT, 'node_modules', '.cache', 'compiled'));
const [what = '', ...args] = process.argv.slice(2);

function tell(told: object): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

if (what === '--stock') {
  const { askNamed } = await import('./questions.ts');
  tell({ wrong: askNamed(args[0] ?? '') });
} else {
  const [stages = '', id = ''] = args;
  await tryMutant(what, stages.split(',') as UpTo[], id);
}

async function tryMutant(table: string, stages: readonly UpTo[], id: string): Promise<void> {
  const mutant = allMutants().find((one) => one.id === id);
  if (mutant === undefined) throw new Error(`there is no mutant ${id}`);
  const reaching = readReaching(table, id);
  const count = loadMutant(mutant);
  const { askRecordings, computed, scenariosAsker, shapesAsker } = await import('./questions.ts');
  const askScenarios = scenariosAsker(reaching.scenarios);
  const askShapes = shapesAsker(reaching.shapes);
  const short = reaching.recordings.slice(0, SHORT_RECORDINGS);
  const long = reaching.recordings.slice(SHORT_RECORDINGS);
  // What is likely to be quick comes before what is thorough: `until` is of the whole.
  const rounds: readonly (readonly [UpTo | 'races', number, Thoroughness])[] = [
    ['recordings', MUTANT_MS, 'in turn'],
    ['scenarios', MUTANT_MS / 10, 'in turn'],
    ['shapes', MUTANT_MS / 10, 'in turn'],
    ['scenarios', MUTANT_MS / 6, 'at the line'],
    ['scenarios', MUTANT_MS / 4, 'for a moment'],
    ['races', MUTANT_MS / 2.4, 'at the line'],
    ['shapes', MUTANT_MS / 2, 'for a moment'],
    ['shapes', MUTANT_MS / 1.5, 'in turn'],
    ['scenarios', MUTANT_MS / 1.15, 'in full'],
    ['recordings', MUTANT_MS, 'in full'],
    ['shapes', MUTANT_MS, 'in full'],
  ];
  const ask = {
    recordings: ({ how }: Limits) => askRecordings(how === 'in turn' ? short : long),
    scenarios: askScenarios,
    shapes: askShapes,
    races: shapesAsker(reaching.races),
  };
  const seconds = () => Number((computed() / 1_000).toFixed(1));
  const share = mutant.equivalent === undefined ? 1 : EQUIVALENT_SHARE;
  for (const [asked, milliseconds, how] of rounds) {
    const stage = asked === 'races' ? 'shapes' : asked;
    if (!stages.includes(stage)) continue;
    tell({ asks: stage });
    const wrong = await ask[asked]({
      how,
      until: share * milliseconds,
      accept: stockPasses,
      count,
    });
    if (wrong !== 'none') return tell({ caught: stage, how: wrong, seconds: seconds() });
  }
  tell({ caught: 'none', how: '', seconds: seconds() });
}

/** Once for all mutants: it takes a process without the mistake. */
function stockPasses(question: string): boolean {
  const known = knownOfStock(question);
  if (known !== 'unknown') return known === 'none';
  const self = fileURLToPath(import.meta.url);
  const ran = spawnSync(process.execPath, [self, '--stock', question], { encoding: 'utf8' });
  const { wrong } = JSON.parse(ran.stdout) as { readonly wrong: string };
  keepOfStock(question, wrong);
  return wrong === 'none';
}
