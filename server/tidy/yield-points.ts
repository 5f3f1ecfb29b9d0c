import { type Complaint, complain, type SourceFile } from './source-file.ts';

/** A name of a yield point, where the code gives it: `function.moment` in the kernel's spelling. */
export interface YieldPointName {
  readonly name: string;
  readonly file: SourceFile;
  readonly position: number;
}

/** `function.moment`; more moments may follow. */
const FUNCTION_MOMENT = /^_{0,2}[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/;
/** Calls whose argument, after an optional context, is the name of a yield point. */
const NAMED = new RegExp(
  '\\b(?:willRead|willWrite|waitUntil|lock|lockNested|readLock|writeLock|together)(?:<[^<>()]*>)?' +
    '\\(\\s*(?:[\\w.#]+,\\s*)?([\'"`])',
  'g',
);
/** The same in a step that is written out. */
const WRITTEN_OUT = /\bkind:\s*'[ ]*',\s*at:\s*(['"`])/g;

/** Names given as literals in `file`. A name that arrives as an argument is checked where it is written. */
export function yieldPointsOf(file: SourceFile): YieldPointName[] {
  return [...file.code.matchAll(NAMED), ...file.code.matchAll(WRITTEN_OUT)].map((match) => {
    const position = match.index + match[0].length;
    const quote = match[1] as string;
    return {
      name: file.text.slice(position, file.code.indexOf(quote, position)),
      file,
      position,
    };
  });
}

/** Their files stand in for each other (an override keeps the name of what it overrides), or run in worlds apart. */
const ALTERNATIVES: readonly string[] = ['server/patches', 'clients/drivers'];

/** Within which names must differ: everything that runs in one world, or one file. */
function scopeOf({ floor, path }: SourceFile): string {
  if (floor === 'none' || floor.nature === 'outside') return path;
  return ALTERNATIVES.includes(floor.folder) ? path : 'the world';
}

/** Names that are not `function.moment`, or that two places share: a trace must say where it is. */
export function complainOfYieldPoints(files: readonly SourceFile[]): Complaint[] {
  const first = new Map<string, YieldPointName>();
  const complaints: Complaint[] = [];
  for (const file of files) {
    if (file.role !== 'code') continue;
    for (const point of yieldPointsOf(file)) {
      const { name, position } = point;
      const key = `${scopeOf(file)} ${name}`;
      const other = first.get(key);
      // A part that differs from call to call (`dmirror_do_${access}.walk`) counts as one letter.
      if (!FUNCTION_MOMENT.test(name.replace(/\$\{[^}]*\}/g, 'x'))) {
        complaints.push(complain(file, position, `the yield point ${name} is no function.moment`));
      } else if (other !== undefined) {
        const where = complain(other.file, other.position, '');
        const text = `the yield point ${name} stands at ${where.path}:${where.line} as well`;
        complaints.push(complain(file, position, text));
      } else first.set(key, point);
    }
  }
  return complaints;
}
