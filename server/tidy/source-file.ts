import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { maskSource } from '../journal/mask-source.ts';
import { type Floor, floorOf } from './floors.ts';

/** One TypeScript file, ready to be searched. */
export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly floor: Floor | 'none';
  /** 'test': tests and benchmarks, which may do what the code itself may not. */
  readonly role: 'code' | 'test' | 'fixture';
  readonly text: string;
  /** `text` without comments. */
  readonly uncommented: string;
  /** `text` without comments and without what stands in strings. */
  readonly code: string;
}

/** Something that a house rule does not allow. */
export interface Complaint {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

export function sourceFile(path: string, text: string): SourceFile {
  return {
    path,
    floor: floorOf(path),
    role: roleOf(path),
    text,
    uncommented: maskSource(text, 'comments'),
    code: maskSource(text, 'comments-and-strings'),
  };
}

function roleOf(path: string): SourceFile['role'] {
  if (/\.(?:test|bench)\.ts$/.test(path)) return 'test';
  return path.endsWith('.fixture.ts') ? 'fixture' : 'code';
}

/** Every TypeScript file of the project below `root`. Throws if a file cannot be read. */
export function readSources(root: string): SourceFile[] {
  return globSync(['server/**/*.ts', 'clients/**/*.{ts,tsx}'], { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !(path.includes('node_modules/') || path.endsWith('.d.ts')))
    .sort()
    .map((path) => sourceFile(path, readFileSync(join(root, path), 'utf8')));
}

/** Complains of `text` at a position of the file. */
export function complain(file: SourceFile, position: number, text: string): Complaint {
  const line = file.text.slice(0, position).split('\n').length;
  return { path: file.path, line, text };
}

/** One complaint for each place that `pattern` (global) matches in `haystack`, a view of the file's text. */
export function complainOfMatches(
  file: SourceFile,
  haystack: string,
  pattern: RegExp,
  text: (match: RegExpExecArray) => string,
): Complaint[] {
  return [...haystack.matchAll(pattern)].map((match) => complain(file, match.index, text(match)));
}

/** `server/kernel/pte.ts:12: text`, which terminals and editors make a link of. */
export function printComplaint({ path, line, text }: Complaint): string {
  return `${path}:${line}: ${text}`;
}
