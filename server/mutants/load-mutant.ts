/** Puts a mutant in the place of the file that it changes, in this process, before that file is loaded. */
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Mutant, type Mutated, mutated, ROOT, sourceOf } from './mutants.ts';

/** To be called before anything imports the file. */
export function loadMutant(mutant: Mutant): Mutated['marked'] {
  const { text, marked } = mutated(mutant, sourceOf(mutant));
  const changed = pathToFileURL(join(ROOT, mutant.file)).href;
  registerHooks({
    load: (url, context, next) =>
      url === changed
        ? { format: 'module-typescript', source: text, shortCircuit: true }
        : next(url, context),
  });
  return marked;
}
