/** The syntax tree of a module, in TypeScript or JavaScript. */
import { stripTypeScriptTypes } from 'node:module';
import { type Node, parse } from 'acorn';

export type Language = 'ts' | 'js';

/** A node with its fields, as ESTree names them. */
export type Tree = Node & Readonly<Record<string, unknown>>;

export interface ParsedCode {
  /** The text without its types, which are blanks: lines and columns are those of the source. */
  readonly text: string;
  readonly program: Tree;
}

export function parsedCode(source: string, language: Language): ParsedCode | 'not parsable' {
  try {
    const text = language === 'ts' ? withoutTypes(source) : source;
    const program = parse(text, {
      ecmaVersion: 'latest',
      sourceType: 'module',
      allowHashBang: true,
    });
    return { text, program: program as Node as Tree };
  } catch {
    return 'not parsable';
  }
}

/** Of a file, by the end of its name. */
export function languageOf(file: string): Language {
  return /\.m?ts$/.test(file) ? 'ts' : 'js';
}

export function isNode(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

export function childNodes(tree: Tree): readonly Tree[] {
  return Object.values(tree).flat().filter(isNode);
}

/** Node warns of the function, which it uses itself for the same files. */
function withoutTypes(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
