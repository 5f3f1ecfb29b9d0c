import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coverageTable, FUNCTIONS_ALL } from './coverage-table.ts';

test('a row says what it reached, and the last what none of them has run', () => {
  const all = { functionsAll: FUNCTIONS_ALL.length, points: 3 };
  const table = coverageTable([
    { ...all, name: 'one', functions: ['mremapTo'], pairs: 1, lines: 1, linesAll: 8, seconds: 2 },
    { ...all, name: 'together', functions: FUNCTIONS_ALL.slice(1), pairs: 4 },
  ]);
  const [, , one, together, , none] = table.split('\n');
  const functions = FUNCTIONS_ALL.length;
  assert.equal(one, `| one | 1 of ${functions} | 1 of 8 (12.5 %) | 3 | 1 of 4 (25.0 %) | 2 |`);
  assert.equal(together, `| together | ${functions - 1} of ${functions} |  | 3 | 4 |  |`);
  assert.equal(none, `Run by none: ${FUNCTIONS_ALL[0]}.`);
});
