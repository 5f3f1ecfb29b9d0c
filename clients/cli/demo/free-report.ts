/** What the free-running race prints, and what its counts mean for the exit code. */

import { EXIT, type ExitCode } from '../exit-codes.ts';
import { SEED_PATCH, type SeedAnswer } from './seed-race.ts';
import type { FreeCounts, FreeVariant } from './seed-race-free.ts';

export interface FreeResult {
  readonly patch: string;
  readonly variant: FreeVariant;
  readonly counts: FreeCounts;
  /** Violations that the oracles of the server reported. */
  readonly reported: number;
}

/** What one kernel came to over all its variants. 'unknown': the window was never entered. */
export function freeAnswer(results: readonly FreeResult[], patch: string): SeedAnswer | 'unknown' {
  const mine = results.filter((result) => result.patch === patch);
  if (mine.some(isBroken)) return 'broken';
  return mine.every(({ counts }) => counts.racingReads > 0) ? 'holds' : 'unknown';
}

/** 0: stock holds and the patched kernel has shown its bug; 1: stock is broken; 2: the bug did not show. */
export function freeExit(results: readonly FreeResult[]): ExitCode {
  const stock = freeAnswer(results, 'stock');
  if (stock === 'broken') return EXIT.BROKEN;
  if (stock === 'unknown') return EXIT.UNKNOWN;
  return freeAnswer(results, SEED_PATCH) === 'broken' ? EXIT.OK : EXIT.UNKNOWN;
}

export function freeTable(results: readonly FreeResult[]): string {
  const rows = results.map(({ patch, variant, counts, reported }) => [
    patch,
    variant,
    `${counts.violations} of ${counts.rounds}`,
    `${((100 * counts.violations) / Math.max(1, counts.rounds)).toFixed(2)} %`,
    String(counts.lostWrites),
    String(reported),
  ]);
  const table = [['kernel', 'from', 'stale rounds', '', 'lost writes', 'oracle reports'], ...rows];
  const widths = table[0]?.map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  return table
    .map((row) => row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}

function isBroken({ counts, reported }: FreeResult): boolean {
  return counts.violations > 0 || counts.lostWrites > 0 || reported > 0;
}
