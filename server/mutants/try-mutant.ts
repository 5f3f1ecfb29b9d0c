/**
 * A process that holds one mutant, or none, and asks it. Prints JSON objects, a line each: what it asks next, and at
 * last what caught it.
 *
 *   try-mutant.ts recordings,scenarios,shapes ID   asks these, or some of them
 *   try-mutant.ts --stock QUESTION                 asks the kernel without a mutant
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { UpTo } from './campaign.ts';
import { loadMutant } from './load-mutant.ts';
import { allMutants } from './mutants.ts';

const [what = '', name = ''] = process.argv.slice(2);

function tell(told: object): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

if (what === '--stock') {
  const { askNamed } = await import('./questions.ts');
  tell({ wrong: askNamed(name) });
} else {
  await tryMutant(name, what.split(',') as UpTo[]);
}

async function tryMutant(id: string, stages: readonly UpTo[]): Promise<void> {
  const mutant = allMutants().find((one) => one.id === id);
  if (mutant === undefined) throw new Error(`there is no mutant ${id}`);
  const marked = loadMutant(mutant);
  const {
    askAll,
    askRecordings,
    computed,
    reaching,
    scenarioQuestions,
    shapesAsker,
    THOROUGHNESS,
  } = await import('./questions.ts');
  const questions = reaching(scenarioQuestions(), marked);
  const askShapes = shapesAsker(marked, stockPasses);
  const rounds = [
    { stage: 'recordings', ask: askRecordings },
    ...THOROUGHNESS.flatMap((how) => [
      { stage: 'scenarios', ask: () => askAll(questions, how, stockPasses) },
      { stage: 'shapes', ask: () => askShapes(how) },
    ]),
  ];
  const began = computed();
  const seconds = () => Number(((computed() - began) / 1_000).toFixed(1));
  for (const { stage, ask } of rounds) {
    if (!stages.includes(stage as UpTo)) continue;
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
