/**
 * A process that holds one mutant, or none, and asks it. Prints JSON objects, a line each: what it asks next, and at
 * last what caught it.
 *
 *   try-mutant.ts TABLE recordings,scenarios,shapes ID   asks these, or some of them, as far as TABLE says they reach it
 *   try-mutant.ts --stock QUESTION                       asks the kernel without a mutant
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { UpTo } from './campaign.ts';
import { loadMutant } from './load-mutant.ts';
import { allMutants } from './mutants.ts';
import type { Wrong } from './questions.ts';
import { readReaching } from './reach-table.ts';

/** Of computing, for one mutant: all of it, the loading as well. */
const MUTANT_MS = 60_000;

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
  loadMutant(mutant);
  const { askAll, askRecordings, computed, scenarioQuestions, shapesAsker } = await import(
    './questions.ts'
  );
  const all = scenarioQuestions();
  const questions = reaching.scenarios.flatMap(
    (name) => all.find((one) => one.name === name) ?? [],
  );
  const askShapes = shapesAsker(reaching.shapes);
  const accept = stockPasses;
  const moment = 'for a moment';
  const full = 'in full';
  // What is looked at for a moment takes half of the time at most.
  const rounds: readonly { readonly stage: UpTo; readonly ask: () => Promise<Wrong> | Wrong }[] = [
    { stage: 'recordings', ask: () => askRecordings(reaching.recordings) },
    { stage: 'scenarios', ask: () => askAll(questions, { how: moment, until: 25_000, accept }) },
    { stage: 'shapes', ask: () => askShapes({ how: moment, until: 35_000, accept }) },
    { stage: 'scenarios', ask: () => askAll(questions, { how: full, until: 45_000, accept }) },
    { stage: 'shapes', ask: () => askShapes({ how: full, until: MUTANT_MS, accept }) },
  ];
  const seconds = () => Number((computed() / 1_000).toFixed(1));
  for (const { stage, ask } of rounds) {
    if (!stages.includes(stage)) continue;
    tell({ asks: stage });
    const wrong = await ask();
    if (wrong !== 'none') return tell({ caught: stage, how: wrong, seconds: seconds() });
  }
  tell({ caught: 'none', how: '', seconds: seconds() });
}

function stockPasses(question: string): boolean {
  const self = fileURLToPath(import.meta.url);
  const ran = spawnSync(process.execPath, [self, '--stock', question], { encoding: 'utf8' });
  return (JSON.parse(ran.stdout) as { readonly wrong: string }).wrong === 'none';
}
