import { type Measurement, median } from '../../../server/tidy/benchmark.ts';

export interface BenchResult {
  readonly file: string;
  readonly bench: string;
  readonly measurements: readonly Measurement[];
}

/** A measurement with its median, as `--json` prints it. */
export interface Summary {
  readonly file: string;
  readonly bench: string;
  readonly name: string;
  readonly unit: Measurement['unit'];
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly atMost: number | 'no goal';
  readonly goal: 'met' | 'missed' | 'none';
}

export function summaries(results: readonly BenchResult[]): Summary[] {
  return results.flatMap(({ file, bench, measurements }) =>
    measurements.map(({ name, unit, values, atMost }) => ({
      file,
      bench,
      name,
      unit,
      median: median(values),
      least: Math.min(...values),
      most: Math.max(...values),
      atMost: atMost ?? 'no goal',
      goal: goalOf(median(values), atMost),
    })),
  );
}

function goalOf(value: number, atMost: number | undefined): Summary['goal'] {
  if (atMost === undefined) return 'none';
  return value <= atMost ? 'met' : 'missed';
}

/** The results of one bench as lines of a table. */
export function benchLines(result: BenchResult): string[] {
  const rows = summaries([result]);
  const width = Math.max(...rows.map((row) => row.name.length));
  return [
    `${result.bench}  (${result.file})`,
    ...rows.map((row) => {
      const value = `${amount(row.median)} ${row.unit}`.padStart(16);
      const spread = `${amount(row.least)} to ${amount(row.most)}`;
      const goal = row.goal === 'none' ? '' : `  goal at most ${row.atMost}: ${row.goal}`;
      return `  ${row.name.padEnd(width)} ${value}   (${spread})${goal}`;
    }),
  ];
}

/** Three significant digits; whole numbers from a thousand on, with thin groups. */
function amount(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
