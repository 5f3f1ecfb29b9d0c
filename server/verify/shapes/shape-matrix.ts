/** What came of many shapes, as a matrix: operation against operation, over all memories. */
import {
  cellsByOperations,
  MATRIX_LETTERS,
  type MatrixCell,
  type ShapeWord,
} from '../../report/catalogue.ts';
import type { ShapeAnswer } from './ask-catalogue.ts';
import type { Shape } from './shapes.ts';

const NONE: MatrixCell['counts'] = {
  holds: 0,
  appeared: 0,
  broken: 0,
  unknown: 0,
  'not reached': 0,
};

/** A cell for each set of operations of `shapes`, in their order. */
export function matrixOf(shapes: readonly Shape[], answers: readonly ShapeAnswer[]): MatrixCell[] {
  const words = new Map(answers.map(({ shape, word }) => [shape.name, word]));
  const cells = new Map<
    string,
    { operations: readonly string[]; words: (ShapeWord | undefined)[] }
  >();
  for (const { name, operations } of shapes) {
    const key = operations.join('+');
    const cell = cells.get(key) ?? { operations, words: [] };
    cell.words.push(words.get(name));
    cells.set(key, cell);
  }
  return [...cells.values()].map(cellOf);
}

function cellOf(cell: {
  readonly operations: readonly string[];
  readonly words: readonly (ShapeWord | undefined)[];
}): MatrixCell {
  const asked = cell.words.filter((word) => word !== undefined);
  const counts = { ...NONE };
  for (const word of asked) counts[word] += 1;
  const verdict = verdictOf(counts, cell.words.length - asked.length);
  return {
    operations: cell.operations,
    shapes: cell.words.length,
    asked: asked.length,
    reached: asked.length - counts['not reached'],
    counts,
    verdict,
  };
}

function verdictOf(counts: MatrixCell['counts'], missing: number): MatrixCell['verdict'] {
  if (counts.appeared > 0) return 'appeared';
  if (counts.broken > 0) return 'broken';
  if (counts.unknown > 0) return 'unknown';
  if (missing > 0) return 'not asked';
  return counts.holds > 0 ? 'holds' : 'not reached';
}

/** A line for each operation, with a letter for itself alone and one for each before it in the list. */
export function matrixText(cells: readonly MatrixCell[], operations: readonly string[]): string {
  const cellOfOperations = cellsByOperations(cells);
  const letter = (...of: readonly string[]) =>
    MATRIX_LETTERS[cellOfOperations(of)?.verdict ?? 'not asked'];
  const width = Math.max(...operations.map((one) => one.length));
  const rows = operations.map((one, at) => {
    const with_ = operations.slice(0, at + 1).map((other) => letter(other, one));
    return `${one.padEnd(width)} ${letter(one)} | ${with_.join(' ')}`;
  });
  const legend = Object.entries(MATRIX_LETTERS).map(
    ([word, sign]) => `${sign === ' ' ? 'blank' : sign} ${word}`,
  );
  return [...rows, `alone | with each from the top down; ${legend.join(', ')}`]
    .map((line) => line.trimEnd())
    .join('\n');
}
