/** What runs have reached of the kernel, as a table: printed, recorded, and written into docs/COVERAGE.md. */
import { STOCK } from '../../kernel/stock.ts';

/** Kernel functions that a patch may override. */
export const FUNCTIONS_ALL: readonly string[] = Object.keys(STOCK).sort();

/** What one run, or all of a kind, has reached. Plain data. */
export interface CoverageRow {
  readonly name: string;
  readonly functions: readonly string[];
  readonly functionsAll: number;
  readonly points: number;
  readonly pairs: number;
  /** Absent where a run does not say. */
  readonly lines?: number;
  readonly linesAll?: number;
  readonly seconds?: number;
}

const HEAD = [
  '| what | kernel functions | kernel lines | yield points | pairs of them | seconds |',
  '|---|---|---|---|---|---|',
];

/** The last row joins those before it: their pairs are shares of its. */
export function coverageTable(rows: readonly CoverageRow[]): string {
  const last = rows.at(-1);
  const lines = rows.map((row) => {
    const { name, functions, functionsAll, points, seconds } = row;
    const cells = [
      name,
      `${functions.length} of ${functionsAll}`,
      linesText(row),
      String(points),
      pairsText(row, last),
      seconds === undefined ? '' : seconds.toFixed(0),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const missed = FUNCTIONS_ALL.filter((name) => last?.functions.includes(name) === false);
  const none = missed.length === 0 ? 'Every function runs.' : `Run by none: ${missed.join(', ')}.`;
  return [...HEAD, ...lines, '', none].join('\n');
}

function linesText({ lines, linesAll }: CoverageRow): string {
  return lines === undefined || linesAll === undefined ? '' : share(lines, linesAll);
}

function pairsText({ pairs }: CoverageRow, last: CoverageRow | undefined): string {
  return last === undefined || last.pairs === pairs ? String(pairs) : share(pairs, last.pairs);
}

function share(part: number, whole: number): string {
  return `${part} of ${whole} (${((100 * part) / whole).toFixed(1)} %)`;
}
