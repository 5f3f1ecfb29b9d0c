import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Compares with `server/report/golden/<name>.txt`. After a change that is meant, `MMRACE_GOLDEN=write` in the
 * environment of the tests writes the files anew; read the difference before it is committed.
 */
export function assertGolden(name: string, actual: string): void {
  const file = new URL(`${name}.txt`, import.meta.url);
  if (process.env.MMRACE_GOLDEN === 'write') writeFileSync(file, actual);
  assert.deepEqual(actual.split('\n'), readFileSync(file, 'utf8').split('\n'), name);
}
