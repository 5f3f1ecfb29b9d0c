/** A YAML text with the places of what stands in it, so that every complaint can point at a line and a column. */
import { isCollection, isMap, isPair, isScalar, LineCounter, type Node, parseDocument } from 'yaml';

/** Bytes of a scenario file, about; a longer one is refused. */
export const SOURCE_CHARS_MAX = 256 * 1024;
/** What one alias-ridden text may grow to. */
const ALIASES_MAX = 100;

export type Path = readonly (string | number)[];

/** One thing that is wrong with a file. Lines and columns count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `actors[0].program[1].do`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export interface YamlSource {
  readonly file: string;
  readonly value: unknown;
  /** A problem with what stands at `path`: with its value, or with the key that leads to it. */
  readonly problem: (path: Path, message: string, part?: 'key' | 'value') => Problem;
}

/** Returns: the text as plain data, or what is wrong with it as YAML. */
export function readYaml(
  text: string,
  file: string,
):
  | { readonly ok: true; readonly source: YamlSource }
  | { readonly ok: false; readonly problems: Problem[] } {
  const whole = (message: string): Problem => ({ file, line: 1, column: 1, path: '', message });
  if (text.length > SOURCE_CHARS_MAX) {
    return { ok: false, problems: [whole(`expected at most ${SOURCE_CHARS_MAX} characters`)] };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    logLevel: 'silent',
  });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => {
      const [start] = error.linePos ?? [{ line: 1, col: 1 }];
      const [message] = error.message.split(' at line ');
      return {
        file,
        line: start.line,
        column: start.col,
        path: '',
        message: `not YAML: ${message}`,
      };
    });
    return { ok: false, problems };
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    return { ok: false, problems: [whole(`not YAML: ${String(error)}`)] };
  }
  const problem: YamlSource['problem'] = (path, message, part = 'value') => {
    const offset = offsetOf(document.contents, path, part);
    const { line, col } = lines.linePos(offset);
    return {
      file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      path: printPath(path),
      message,
    };
  };
  return { ok: true, source: { file, value, problem } };
}

/** Where `path` stands in the text; where its nearest ancestor does, if it is not there. */
function offsetOf(root: unknown, path: Path, part: 'key' | 'value'): number {
  let node: unknown = root;
  let found = startOf(root);
  for (const [depth, step] of path.entries()) {
    const last = depth === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isScalar(item.key) && String(item.key.value) === String(step),
      );
      if (!isPair(pair)) return found;
      if (last && part === 'key') return startOf(pair.key);
      node = pair.value;
      found = node === null ? startOf(pair.key) : startOf(node);
    } else if (isCollection(node) && typeof step === 'number') {
      const item: unknown = node.items[step];
      if (item === undefined) return found;
      node = item;
      found = startOf(node);
    } else return found;
  }
  return found;
}

function startOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}

/** `actors[0].name`. */
export function printPath(path: Path): string {
  let printed = '';
  for (const step of path) {
    if (typeof step === 'number') printed += `[${step}]`;
    else printed += printed === '' ? step : `.${step}`;
  }
  return printed;
}

/** `scenarios/a.yaml:3:5: actors[0].nmae: unknown key`. */
export function printProblem(problem: Problem): string {
  const where = problem.path === '' ? '' : `${problem.path}: `;
  return `${problem.file}:${problem.line}:${problem.column}: ${where}${problem.message}`;
}
