/** Puts files with a mistake, or with marks, in the place of those that stand there, in this process. */
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type MarkedFile, mutatedAndMarked, REACHED } from './mark-lines.ts';
import { type Mutant, ROOT, sourceOf } from './mutants.ts';

/** To be called before anything imports the file. Returns: how often its line has run since then. */
export function loadMutant(mutant: Mutant): () => number {
  let count = 0;
  const counter = {
    add: () => {
      count += 1;
    },
  };
  Object.assign(globalThis, { [REACHED]: counter });
  replaceFiles([{ file: mutant.file, text: mutatedAndMarked(mutant, sourceOf(mutant)) }]);
  return () => count;
}

/** Told of each line that runs, by its mutant. To be called before anything imports the files. */
export function loadMarked(files: readonly MarkedFile[], reached: (id: string) => void): void {
  Object.assign(globalThis, { [REACHED]: { add: reached } });
  replaceFiles(files);
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
