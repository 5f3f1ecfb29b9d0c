/** The lines of a user's file that what ships does not have, and which of them were reached. */
import { maskSource } from '../../journal/mask-source.ts';
import {
  childNodes,
  isNode,
  type Language,
  parsedCode,
  type Tree,
} from '../../scenario/parsed-code.ts';
import { type FileFunction, fileFunctions } from './file-functions.ts';
import { type CountedScript, reachedIn } from './reached-code.ts';
import { bodyLines, ownOf, type Shipped } from './shipped-functions.ts';

/** Numbers from 1. */
export interface DifferingLines {
  readonly all: readonly number[];
  /** Of which something was not reached, if no more than one side of a condition. */
  readonly missed: readonly number[];
}

export interface CodeText {
  /** As its author wrote it. */
  readonly text: string;
  /** As V8 counted it: the same lines, with types as blanks and more put between. */
  readonly loaded: string;
  readonly language: Language;
}

export interface Comparison {
  readonly shipped: Shipped | 'nothing';
  /** With 'functions that ran', lines of functions that nothing has called do not count. */
  readonly where: 'everywhere' | 'functions that ran';
  /** What functions stand for that have another name: see OverridesSeen. */
  readonly aliases: ReadonlyMap<string, string>;
}

/**
 * Of lines inside functions, without those that say nothing (brackets, comments) and without assertions: one that never
 * fails is reached by none, and that is as it should be. Empty where a file only leaves something out. What stands in a
 * branch that was never entered is one's own if its condition is.
 *
 * Leaves out: what V8 does not count, default values and the right side of `??=`, `||=` and `&&=`.
 */
export function differingLines(
  script: CountedScript,
  { text, loaded, language }: CodeText,
  { shipped, where, aliases }: Comparison,
): DifferingLines {
  const written = parsedCode(text, language);
  const counted = parsedCode(loaded, language);
  // Not to be parsed, and yet it has run: nothing of it may be called reached.
  if (written === 'not parsable' || counted === 'not parsable') {
    const all = text.split('\n').map((_, at) => at + 1);
    return { all, missed: all };
  }
  const compared = maskSource(written.text, 'comments');
  const said = saying(maskSource(counted.text, 'comments'), counted.program);
  const inText = fileFunctions(written);
  const found = fileFunctions(counted).flatMap((one, at) => {
    const source = inText[at];
    if (one.kind === 'maker' || source === undefined) return [];
    const names = [one.name, aliases.get(one.name) ?? one.name];
    const lines = bodyLines(compared, source);
    const own = shipped === 'nothing' ? lines.map(() => true) : ownOf(lines, names, shipped);
    return linesOf(one, { code: said, own, reached: reachedIn(script, one) }, where);
  });
  const all = [...new Set(found.map(({ line }) => line))].sort((a, b) => a - b);
  const missed = new Set(found.filter((one) => one.missed).map(({ line }) => line));
  return { all, missed: all.filter((line) => missed.has(line)) };
}

interface JudgedBody {
  /** Of the whole module: what says nothing is blank. */
  readonly code: string;
  /** By line of the body. */
  readonly own: readonly boolean[];
  /** By character of the body. */
  readonly reached: Uint8Array;
}

function linesOf(
  { begin, end, tree }: FileFunction,
  { code, own, reached }: JudgedBody,
  where: Comparison['where'],
): { readonly line: number; readonly missed: boolean }[] {
  const isIdle = !reached.includes(1);
  if (isIdle && where === 'functions that ran') return [];
  const first = lineAt(code, begin);
  const ownHere = [...own];
  const isOwn = (from: number, to: number) =>
    own.slice(lineAt(code, from) - first, lineAt(code, to) - first + 1).includes(true);
  for (const { condition, branches } of choicesIn(tree)) {
    if (!isOwn(condition.start, condition.end)) continue;
    for (const branch of branches) {
      if (reached[branch.start - begin] === 1) continue;
      ownHere.fill(true, lineAt(code, branch.start) - first, lineAt(code, branch.end) - first + 1);
    }
  }
  let offset = begin;
  return code
    .slice(begin, end)
    .split('\n')
    .flatMap((line, at) => {
      const from = offset - begin;
      offset += line.length + 1;
      if (ownHere[at] !== true || !/\w/.test(line)) return [];
      const missed = [...line.matchAll(/\w/g)].some(({ index }) => reached[from + index] !== 1);
      return [{ line: first + at, missed }];
    });
}

interface Choice {
  readonly condition: Tree;
  readonly branches: readonly Tree[];
}

/** Wherever a condition decides what runs. */
function choicesIn(tree: Tree): readonly Choice[] {
  const inside = childNodes(tree).flatMap(choicesIn);
  const { test, right, discriminant, consequent, alternate, body, cases } = tree;
  const condition = [test, discriminant, tree.type === 'ForOfStatement' ? right : test].find(
    isNode,
  );
  if (condition === undefined) return inside;
  const branches = [consequent, alternate, body, cases].flat().filter(isNode);
  return [...inside, { condition, branches }];
}

/** `code` with blanks where it says nothing: assertions, and the words between the branches of a choice. */
function saying(code: string, program: Tree): string {
  const blanked = code.split('');
  const visit = (tree: Tree) => {
    if (tree.type === 'ThrowStatement') blank(blanked, tree.start, tree.end);
    if (tree.type === 'SwitchCase') {
      const [first] = tree.consequent as readonly Tree[];
      blank(blanked, tree.start, first?.start ?? tree.end);
    }
    if (tree.type === 'CatchClause') blank(blanked, tree.start, (tree.body as Tree).start);
    if (tree.type === 'IfStatement' && isNode(tree.alternate)) {
      blank(blanked, (tree.consequent as Tree).end, tree.alternate.start);
    }
    for (const child of childNodes(tree)) visit(child);
  };
  visit(program);
  return blanked.join('');
}

function blank(code: string[], from: number, to: number): void {
  for (let at = from; at < to; at += 1) if (code[at] !== '\n') code[at] = ' ';
}

/** From 1. */
function lineAt(code: string, offset: number): number {
  return code.slice(0, offset).split('\n').length;
}
