/** Tab completion: what may stand where the cursor is, from the table of verbs. */
import { holdableFunctions } from './parse-line.ts';
import { type Mapping, mappingName } from './place.ts';
import type { Argument, PromptRole } from './verb.ts';
import { verbsOf } from './verb-table.ts';

export interface CompletionContext {
  readonly role: PromptRole;
  readonly mappings: readonly Mapping[];
  /** The actors of this process. */
  readonly actors: readonly string[];
}

/** What readline wants: the words that fit, and the beginning that they are to replace. */
export function completed(line: string, around: CompletionContext): [string[], string] {
  const words = line.split(/\s+/);
  const begun = words.at(-1) ?? '';
  const before = words.slice(0, -1).filter((word) => word !== '');
  const known = before.length === 0 ? verbNames(around.role) : nextWords(before, around);
  const fits = known.filter((word) => word.startsWith(begun));
  const [only] = fits;
  return [fits.length === 1 && only !== undefined ? [`${only} `] : fits, begun];
}

function nextWords([name, ...given]: readonly string[], around: CompletionContext): string[] {
  const verb = verbsOf(around.role).find((known) => known.name === name);
  const last = verb?.arguments.at(-1);
  const argument = verb?.arguments[given.length] ?? (last?.presence === 'some' ? last : undefined);
  return argument === undefined ? [] : wordsFor(argument, around);
}

function wordsFor({ kind, choices = [], presence }: Argument, around: CompletionContext): string[] {
  switch (kind) {
    case 'page':
    case 'word': {
      const names = around.mappings.map((_, index) => mappingName(index));
      const free = typeof presence === 'object' && presence.default === 'free';
      return free ? ['free', ...names] : names;
    }
    case 'choice':
      return [...choices];
    case 'function':
      return [...holdableFunctions(around.role)];
    case 'verb':
      return verbNames(around.role);
    case 'name':
      return [...around.actors];
    case 'count':
    case 'id':
    case 'u64':
      return [];
  }
}

function verbNames(role: PromptRole): string[] {
  return verbsOf(role).map(({ name }) => name);
}
