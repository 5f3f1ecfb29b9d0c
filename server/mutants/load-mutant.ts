/** Puts files with a mistake, or with marks, in the place of those that stand there, in this process. */
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type MarkedFile, REACHED } from './mark-lines.ts';
import { type Mutant, mutated, ROOT, sourceOf } from './mutants.ts';

/** To be called before anything imports the file. */
export function loadMutant(mutant: Mutant): void {
  replaceFiles([{ file: mutant.file, text: mutated(mutant, sourceOf(mutant)) }]);
}

/** The ids of the mutants whose lines have run since it was cleared. To be called before anything imports the files. */
export function loadMarked(files: readonly MarkedFile[]): Set<string> {
  const reached = new Set<string>();
  Object.assign(globalThis, { [REACHED]: reached });
  replaceFiles(files);
  return reached;
}

function replaceFiles(files: readonly MarkedFile[]): void {
  const changed = new Map(
    files.map(({ file, text }) => [pathToFileURL(join(ROOT, file)).href, text]),
  );
  registerHooks({
    load: (url, context, next) => {
      const source = changed.get(url);
      return source === undefined
        ? next(url, context)
        : { format: 'module-typescript', source, shortCircuit: true };
    },
  });
}
