/**
 * Calls of tasks that do nothing. A generator that is called but not run compiles and has no effect, so every call
 * of a function that returns a Task must be run with `yield*`, returned, or handed to a caller that runs it; and
 * every step that is made must be yielded.
 *
 * Works by name: functions by where they are declared or imported from, methods by their name alone. A method name
 * that is also declared without a Task somewhere is left alone (release() of a driver, release() of a lock).
 */
import { type Complaint, complain, type SourceFile } from './source-file.ts';
import {
  closingParenthesis,
  importedTasks,
  methodsOf,
  type TaskNames,
  taskFunctionsOf,
} from './task-names.ts';

/** Functions that make a step; the step must be yielded. */
const STEP_MAKERS = ['willRead', 'willWrite', 'waitUntil'];
/** A call of a plain function or, behind a dot, of a method. */
const CALL = /(?<![\w$#])(#?[\w$]+)\s*(?:<[^<>()\n]*>)?\(/g;
/** How much of the text before a call says what becomes of it. */
const LOOK_BACK = 400;

/** Calls of tasks in `file` that are not run, and steps that are not yielded. */
export function complainOfForgottenYields(file: SourceFile, names: TaskNames): Complaint[] {
  const functions = new Set([...taskFunctionsOf(file), ...importedTasks(file, names)]);
  const methods = names.methods.difference(ownMethodsWithoutTask(file));
  const complaints: Complaint[] = [];
  for (const match of file.code.matchAll(CALL)) {
    const name = match[1] as string;
    const start = expressionStart(file.code, match.index);
    const isMethod = start < match.index;
    const ofProcess = file.code.startsWith('process.', start);
    const isTask = isMethod ? methods.has(name) && !ofProcess : functions.has(name);
    const isStep = !isMethod && STEP_MAKERS.includes(name);
    if (!(isTask || isStep)) continue;
    const before = file.code.slice(Math.max(0, start - LOOK_BACK), start);
    if (isDeclaration(file.code, match.index, match[0].length, before)) continue;
    if (isStep && !isYielded(before)) {
      complaints.push(complain(file, start, `${name}() makes a step that is not yielded`));
    } else if (isTask && !isRun(before) && !isKept(file, before, start)) {
      complaints.push(complain(file, start, `${name}() is a task that is not run: yield*`));
    }
  }
  return complaints;
}

/** A fixture may well have a store() of its own. */
function ownMethodsWithoutTask(file: SourceFile): Set<string> {
  const others = methodsOf(file).filter(({ returns }) => returns === 'other');
  return new Set(others.map(({ name }) => name));
}

/** Where the chain `world.cpu('a').load` begins whose last name stands at `at`. */
function expressionStart(code: string, at: number): number {
  let start = at;
  while (code[start - 1] === '.' && code[start - 2] !== '.') {
    start -= 1;
    if (code[start - 1] === '?' || code[start - 1] === '!') start -= 1;
    while (code[start - 1] === ')' || code[start - 1] === ']') start = openingOf(code, start - 1);
    while (/[\w$#]/.test(code[start - 1] ?? '')) start -= 1;
  }
  return start;
}

/** Where the bracket that closes at `close` opens. */
function openingOf(code: string, close: number): number {
  let depth = 0;
  for (let at = close; at > 0; at -= 1) {
    if (code[at] === ')' || code[at] === ']') depth += 1;
    else if (code[at] === '(' || code[at] === '[') depth -= 1;
    if (depth === 0) return at;
  }
  return 0;
}

/** `function* name(`, or a method with a body or a type behind its parameters. */
function isDeclaration(code: string, at: number, length: number, before: string): boolean {
  if (/(?:function\s*\*?|\*)\s*$/.test(before) && !/yield\s*\*\s*$/.test(before)) return true;
  const after = code.slice(closingParenthesis(code, at + length - 1) + 1);
  const startsLine = /(?:^|\n)\s*(?:readonly |override |static |async |get )*$/.test(before);
  return /^\s*\{/.test(after) || (startsLine && /^\s*:/.test(after));
}

function isYielded(before: string): boolean {
  return /(?:\byield|\breturn|=>)\s*\(?\s*$/.test(before) || /\byield\b[^;]*[?:]\s*$/.test(before);
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
  const name = /\bconst (\w+)(?:: [^=\n]+)?\s*=\s*(?:[^;]*[?:]\s*)?$/.exec(before)?.[1];
  if (name === undefined) return false;
  if (file.role !== 'code') return true;
  const later = new RegExp(`(?:yield\\s*\\*|return|[(,:[{]|=>)\\s*(${name})\\s*[;,)\\]}\\n]`, 'dg');
  const rest = file.code.slice(position);
  return [...rest.matchAll(later)].some((use) => {
    const at = use.indices?.[1]?.[0] ?? 0;
    return !CONDITION.test(rest.slice(0, at));
  });
}
