/**
 * Calls of tasks that do nothing. A generator that is called but not run compiles and has no effect, so every call
 * of a function that returns a Task must be run with `yield*`, returned, or handed to somebody who runs it; and
 * every step that is made must be yielded.
 *
 * Works by name: functions by where they are declared or imported from, methods by their name alone. A method name
 * that is also declared without a Task somewhere is left alone (release() of a driver, release() of a lock).
 */
import { importsOf } from './imports.ts';
import { type Complaint, complain, type SourceFile } from './source-file.ts';

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
/** Functions that make a step; the step must be yielded. */
const STEP_MAKERS = ['willRead', 'willWrite', 'waitUntil'];

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

/** Methods of the language's own objects: `names.join()` is not somebody's task called join. */
const BUILT_IN = [Array, Map, Set, String, Promise, Function].flatMap((type) =>
  Object.getOwnPropertyNames(type.prototype),
);

/** Calls of tasks in `file` that nobody runs, and steps that nobody yields. */
export function complainOfForgottenYields(file: SourceFile, names: TaskNames): Complaint[] {
  const functions = new Set([...taskFunctionsOf(file), ...importedTasks(file, names)]);
  const calls = /(?<![\w$])(?:((?:[\w$#]+(?:\(\))?[?!]?\.)+))?(#?[\w$]+)\s*(?:<[^<>()\n]*>)?\(/g;
  const complaints: Complaint[] = [];
  for (const match of file.code.matchAll(calls)) {
    const receiver = match[1];
    const name = match[2] as string;
    const isMethod = receiver !== undefined || file.code[match.index - 1] === '.';
    const isTask = isMethod ? names.methods.has(name) : functions.has(name);
    const isStep = !isMethod && STEP_MAKERS.includes(name);
    if (!(isTask || isStep)) continue;
    const before = file.code.slice(0, match.index);
    if (isDeclaration(file.code, match.index, match[0].length, before)) continue;
    if (isStep && !isYielded(before)) {
      complaints.push(complain(file, match.index, `${name}() makes a step that nobody yields`));
    } else if (isTask && !isRun(before) && !isKept(file, before, match.index)) {
      complaints.push(complain(file, match.index, `${name}() is a task that nobody runs: yield*`));
    }
  }
  return complaints;
}

function taskFunctionsOf(file: SourceFile): string[] {
  // PROPERTY: parameters that are functions.
  return [TASK_FUNCTION, TASK_CONSTANT, PROPERTY]
    .flatMap((pattern) => [...file.code.matchAll(pattern)])
    .filter((match) => returnsTask(file.code, match.index + match[0].length) === 'task')
    .map((match) => match[1] as string);
}

function methodsOf(file: SourceFile): { name: string; returns: 'task' | 'other' | 'unsaid' }[] {
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
  // `name: (page) => somebody(page)` returns whatever somebody returns.
  if (/^\s*=>\s*\w[\w.]*\(/.test(after)) return 'unsaid';
  return /^\s*(?::|=>|\{)/.test(after) ? 'other' : 'unsaid';
}

function closingParenthesis(code: string, open: number): number {
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

function importedTasks(file: SourceFile, names: TaskNames): string[] {
  return importsOf(file).flatMap((found) => {
    const list = /\{([^}]*)\}/.exec(file.code.slice(found.position).split(' from ')[0] ?? '');
    return (list?.[1] ?? '')
      .split(',')
      .map((entry) => entry.trim().split(/\s+as\s+/))
      .filter(([name]) => names.exported.has(`${found.target}#${name}`))
      .map(([name, local]) => local ?? (name as string));
  });
}

/** `function* name(`, or a method with a body or a type behind its parameters. */
function isDeclaration(code: string, at: number, length: number, before: string): boolean {
  if (/(?:function\s*\*?|\*)\s*$/.test(before) && !/yield\s*\*\s*$/.test(before)) return true;
  const after = code.slice(closingParenthesis(code, at + length - 1) + 1);
  const startsLine = /(?:^|\n)\s*(?:readonly |override |static |async |get )*$/.test(before);
  return /^\s*\{/.test(after) || (startsLine && /^\s*:/.test(after));
}

function isYielded(before: string): boolean {
  return /(?:\byield|\breturn|=>)\s*\(?\s*$/.test(before);
}

/** Run, returned, or handed on: an argument, a property, an element. */
function isRun(before: string): boolean {
  if (/(?:\byield\s*\*|\breturn|=>)\s*\(?\s*$/.test(before)) return true;
  if (CONDITION.test(before)) return false;
  if (/[\w$)\]>]\s*\(\s*$/.test(before) || /[,[]\s*$/.test(before)) return true;
  if (/[{,(\n]\s*\w+:\s*$/.test(before)) return true;
  // The branches of a conditional are as good as the whole.
  return /\byield\s*\*\s*\([^;]*[?:]\s*$/.test(before);
}

const CONDITION = /\b(?:if|while|switch|for)\s*\(\s*$/;

/** Kept in a constant that is run or handed on later; a test may also drive it by hand. */
function isKept(file: SourceFile, before: string, position: number): boolean {
  const name = /\bconst (\w+)(?:: [^=\n]+)?\s*=\s*$/.exec(before)?.[1];
  if (name === undefined) return false;
  if (file.role === 'test') return true;
  const later = new RegExp(`(?:yield\\s*\\*|return|[(,:[{]|=>)\\s*(${name})\\s*[;,)\\]}\\n]`, 'dg');
  const rest = file.code.slice(position);
  return [...rest.matchAll(later)].some((use) => {
    const at = use.indices?.[1]?.[0] ?? 0;
    return !CONDITION.test(rest.slice(0, at));
  });
}
