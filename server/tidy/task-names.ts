/** Which functions and methods of the project return a Task, as far as their text says so. */
import { Duplex, Readable } from 'node:stream';
import { importsOf } from './imports.ts';
import type { SourceFile } from './source-file.ts';

/** Which names return tasks. */
export interface TaskNames {
  /** Exported functions, as `path#name`. */
  readonly exported: ReadonlySet<string>;
  readonly methods: ReadonlySet<string>;
}

const TASK_FUNCTION = /\bfunction\s*\*?\s*(\w+)\s*(?:<[^(]*>)?\s*(?=\()/g;
const TASK_CONSTANT = /\bconst\s+(\w+)\s*=\s*(?:function\s*\*?\s*)?(?=\()/g;
const METHOD =
  /(?:^|[\n{;,])[ \t]*(?:readonly |override |static |async )*(\*?)\s*(#?\w+)\??\s*(?:<[^(\n]*>)?\s*(?=\()/g;
const PROPERTY = /(?:^|[\n{;,(])[ \t]*(?:readonly )?(\w+)\??:\s*(?=\()/g;
const NOT_METHODS = new Set([
  'if',
  'for',
  'while',
  'switch',
  'catch',
  'return',
  'function',
  'super',
]);

export function taskNames(files: readonly SourceFile[]): TaskNames {
  const exported = new Set<string>();
  const withTask = new Set<string>();
  const without = new Set<string>(BUILT_IN);
  for (const file of files) {
    for (const name of taskFunctionsOf(file)) exported.add(`${file.path}#${name}`);
    if (file.role === 'test') continue;
    // A table of functions makes methods of them (the kernel's, which patches override).
    for (const name of taskFunctionsOf(file)) {
      if (file.code.includes(`export function* ${name}`)) withTask.add(name);
    }
    for (const { name, returns } of methodsOf(file)) {
      if (returns === 'task') withTask.add(name);
      else if (returns === 'other') without.add(name);
    }
  }
  return { exported, methods: withTask.difference(without) };
}

/** Methods of the language's own objects, and of sockets: `names.join()` is not a task called join. */
const BUILT_IN = [Array, Map, Set, String, Promise, Function, Duplex, Readable].flatMap((type) =>
  Object.getOwnPropertyNames(type.prototype),
);

/** Names that `file` imports and that are tasks where they come from. */
export function importedTasks(file: SourceFile, names: TaskNames): string[] {
  return importsOf(file).flatMap((found) => {
    const list = /\{([^}]*)\}/.exec(file.code.slice(found.position).split(' from ')[0] ?? '');
    return (list?.[1] ?? '')
      .split(',')
      .map((entry) => entry.trim().split(/\s+as\s+/))
      .filter(([name]) => names.exported.has(`${found.target}#${name}`))
      .map(([name, local]) => local ?? (name as string));
  });
}

/** Functions, and parameters that are functions, which `file` declares to return a Task. */
export function taskFunctionsOf(file: SourceFile): string[] {
  // PROPERTY: parameters that are functions.
  return [TASK_FUNCTION, TASK_CONSTANT, PROPERTY]
    .flatMap((pattern) => [...file.code.matchAll(pattern)])
    .filter((match) => returnsTask(file.code, match.index + match[0].length) === 'task')
    .map((match) => match[1] as string);
}

/** What the methods that `file` declares return. */
export function methodsOf(
  file: SourceFile,
): { name: string; returns: 'task' | 'other' | 'unsaid' }[] {
  const methods = [...file.code.matchAll(METHOD)].map((match) => ({
    name: match[2] as string,
    // An unannotated generator method takes its type from the interface that it implements.
    returns: match[1] === '*' ? 'task' : returnsTask(file.code, match.index + match[0].length),
  }));
  const properties = [...file.code.matchAll(PROPERTY)].map((match) => ({
    name: match[1] as string,
    returns: returnsTask(file.code, match.index + match[0].length),
  }));
  return [...methods, ...properties].filter(({ name }) => !NOT_METHODS.has(name));
}

/** Looks behind a parameter list that opens at `open`: is there a return type, and is it a Task? */
function returnsTask(code: string, open: number): 'task' | 'other' | 'unsaid' {
  const after = code.slice(closingParenthesis(code, open) + 1).slice(0, 60);
  if (/^\s*(?::|=>)\s*(?:Task|Generator)\b/.test(after)) return 'task';
  // `name: (page) => other(page)` returns whatever other returns.
  if (/^\s*=>\s*\w[\w.]*\(/.test(after)) return 'unsaid';
  return /^\s*(?::|=>|\{)/.test(after) ? 'other' : 'unsaid';
}

/** Where the parenthesis that opens at `open` closes. */
export function closingParenthesis(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at += 1) {
    if (code[at] === '(') depth += 1;
    else if (code[at] === ')') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return code.length;
}
