/** What the catalogue of shapes says of a kernel: plain data, for the command, for `--json` and for the page. */

/**
 * 'not reached': what the patch overrides runs in no execution. 'appeared': broken, and the kernel before holds or is
 * not known to be broken. 'broken': the one before as well.
 */
export type ShapeWord = 'holds' | 'appeared' | 'broken' | 'unknown' | 'not reached';

/** A shape in a report. */
export interface ReportedShape {
  readonly name: string;
  readonly word: ShapeWord;
  readonly executions: number;
  readonly why: string;
}

export interface MatrixCell {
  /** In the order of the catalogue. */
  readonly operations: readonly string[];
  /** Of the catalogue as far as it was to be asked. */
  readonly shapes: number;
  readonly asked: number;
  /** In which something of what differs between the kernels ran. */
  readonly reached: number;
  readonly counts: { readonly [Word in ShapeWord]: number };
  /** Of all memories: the worst of what came of them; 'not asked' if something is missing and nothing is wrong. */
  readonly verdict: ShapeWord | 'not asked';
}

/** Lines of a patch that no shape reaches. */
export interface MissedLines {
  /** Without its folder. */
  readonly file: string;
  /** Numbers from 1. */
  readonly lines: readonly number[];
}

export interface CatalogueReport {
  readonly before: string;
  readonly after: string;
  readonly kernel: string;
  /** 'broken': something appeared (of a kernel alone: is broken). 'holds': all were asked, and some reach the patch. */
  readonly verdict: 'holds' | 'broken' | 'unknown';
  readonly sizes: readonly number[];
  readonly shapes: number;
  readonly asked: number;
  readonly counts: { readonly [Word in ShapeWord]: number };
  readonly executions: number;
  /** Those that make it broken, the smallest first; behind them those that are unknown. */
  readonly found: readonly ReportedShape[];
  readonly unknown: readonly ReportedShape[];
  readonly matrix: readonly MatrixCell[];
  readonly notTried: {
    /** Shapes that were not asked at all. */
    readonly shapes: number;
    /** Shapes whose search the budget ended. */
    readonly beyondBudget: number;
    readonly budgetExecutions: number;
    /** What scenarios can do and no shape does. */
    readonly operations: readonly string[];
    readonly features: readonly string[];
    /** Of the patch, where it differs from the kernel: known only where all else holds. */
    readonly lines: readonly MissedLines[];
  };
}

/** How a cell is written in one letter. */
export const MATRIX_LETTERS: { readonly [Verdict in MatrixCell['verdict']]: string } = {
  appeared: 'A',
  broken: 'B',
  unknown: '?',
  holds: '.',
  'not reached': '-',
  'not asked': ' ',
};

/** The cell of some operations, whatever their order. */
export function cellsByOperations(
  cells: readonly MatrixCell[],
): (operations: readonly string[]) => MatrixCell | undefined {
  const key = (operations: readonly string[]) => operations.toSorted().join('+');
  const byKey = new Map(cells.map((cell) => [key(cell.operations), cell]));
  return (operations) => byKey.get(key(operations));
}
