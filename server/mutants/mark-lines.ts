/** Lines of mutants that tell when they run, all at once and without the mistakes: what comes there can find them. */
import { lineOf, type Mutant, mutated, sourceOf } from './mutants.ts';

/** Of `globalThis`: the set that the marks go into. */
export const REACHED = 'mutantsReached';

export interface MarkedFile {
  readonly file: string;
  readonly text: string;
}

export interface MarkedLines {
  readonly files: readonly MarkedFile[];
  /** Of which it cannot be told whether they run. */
  readonly unmarked: readonly string[];
}

export function markLines(mutants: readonly Mutant[]): MarkedLines {
  const unmarked: string[] = [];
  const files = [...Map.groupBy(mutants, ({ file }) => file)].flatMap(([file, ofFile]) => {
    const [first] = ofFile;
    if (first === undefined) return [];
    const text = sourceOf(first);
    const lines = text.split('\n');
    const marked = [...lines];
    for (const mutant of ofFile) {
      const at = statementAt(lines, lineOf(mutant, text));
      if (at === 'none') unmarked.push(mutant.id);
      else marked[at] = markOf(mutant) + marked[at];
    }
    return [{ file, text: marked.join('\n') }];
  });
  return { files, unmarked };
}

/** With the mistake in it, which tells when it runs if that can be told. */
export function mutatedAndMarked(mutant: Mutant, text: string): string {
  const original = text.split('\n');
  const lines = mutated(mutant, text).split('\n');
  const at = statementAt(original, lineOf(mutant, text));
  if (at !== 'none') lines[at] = markOf(mutant) + lines[at];
  return lines.join('\n');
}

function markOf({ id }: Mutant): string {
  return `globalThis.${REACHED}.add('${id}'); `;
}

/** Begins where a statement may begin, so that another may stand before it. */
const STATEMENT = /^(?:if|for|const|let|return|yield|switch|while|[a-zA-Z_$][\w.$]*[([.])/;

/** Where the statement inside a function begins that the line is of, as far as the way it is written shows it. */
function statementAt(lines: readonly string[], line: number): number | 'none' {
  let indent = indentOf(lines[line]);
  for (let at = line; at > 0 && indent > 0; at -= 1) {
    const text = lines[at] ?? '';
    if (text.trim() === '' || (at !== line && indentOf(text) >= indent)) continue;
    indent = indentOf(text);
    if (indent > 0 && STATEMENT.test(text.trim()) && mayBeginBehind(lines, at)) return at;
  }
  return 'none';
}

function mayBeginBehind(lines: readonly string[], line: number): boolean {
  const before = lines
    .slice(0, line)
    .findLast((text) => text.trim() !== '' && !text.trim().startsWith('//'));
  return /[;{}]$/.test(before ?? '');
}

function indentOf(text = ''): number {
  return text.search(/\S|$/);
}
