/** What came of many shapes, as a matrix: operation against operation, over all memories. */
import type { ShapeAnswer, ShapeWord } from './ask-shapes.ts';

export interface MatrixCell {
  readonly asked: number;
  readonly counts: { readonly [Word in ShapeWord]: number };
}

/** By the two operations, in the order of the catalogue: `store+migrate`. */
export type ShapeMatrix = ReadonlyMap<string, MatrixCell>;

const NONE: MatrixCell['counts'] = {
  holds: 0,
  appeared: 0,
  broken: 0,
  unknown: 0,
  'not reached': 0,
};

export function matrixOf(answers: readonly ShapeAnswer[]): ShapeMatrix {
  const cells = new Map<string, MatrixCell>();
  for (const { shape, word } of answers) {
    const key = shape.operations.join('+');
    const { asked, counts } = cells.get(key) ?? { asked: 0, counts: NONE };
    cells.set(key, { asked: asked + 1, counts: { ...counts, [word]: counts[word] + 1 } });
  }
  return cells;
}

/** The worst first. */
const WORST: readonly ShapeWord[] = ['appeared', 'broken', 'unknown', 'holds', 'not reached'];
const LETTERS: { readonly [Word in ShapeWord]: string } = {
  appeared: 'A',
  broken: 'B',
  unknown: '?',
  holds: '.',
  'not reached': '-',
};

/** One line for each operation, one letter for each other one: the worst of all memories. */
export function matrixText(matrix: ShapeMatrix, operations: readonly string[]): string {
  const width = Math.max(...operations.map((one) => one.length));
  const rows = operations.map((one, at) => {
    const letters = operations.slice(0, at + 1).map((other) => {
      const cell = matrix.get(`${other}+${one}`);
      const worst = WORST.find((word) => (cell?.counts[word] ?? 0) > 0);
      return worst === undefined ? ' ' : LETTERS[worst];
    });
    return `${one.padEnd(width)} ${letters.join(' ')}`;
  });
  const legend = WORST.map((word) => `${LETTERS[word]} ${word}`).join(', ');
  return `${rows.join('\n')}\n${legend}; columns as rows`;
}
