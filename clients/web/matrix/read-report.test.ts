import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CatalogueReport } from '../../../server/report/catalogue.ts';
import { operationsOf, readReport } from './read-report.ts';

const counts = { holds: 1, appeared: 0, broken: 0, unknown: 0, 'not reached': 0 };
const cell = (...operations: string[]) => ({
  operations,
  shapes: 1,
  asked: 1,
  reached: 1,
  counts,
  verdict: 'holds' as const,
});
const REPORT: CatalogueReport = {
  before: 'stock',
  after: 'stock',
  kernel: '6.12',
  verdict: 'holds',
  sizes: [1, 2],
  shapes: 3,
  asked: 3,
  counts: { ...counts, holds: 3 },
  executions: 9,
  found: [],
  unknown: [],
  matrix: [cell('load'), cell('store'), cell('load', 'store')],
  notTried: {
    shapes: 0,
    beyondBudget: 0,
    budgetExecutions: 300,
    operations: ['mmap'],
    features: [],
    lines: [],
  },
};

test('a report is read as shapes prints it, and out of what verdict prints', () => {
  assert.deepEqual(readReport(JSON.stringify(REPORT)), REPORT);
  assert.deepEqual(readReport(JSON.stringify({ scenarios: [], shapes: REPORT })), REPORT);
});

test('other text is no report', () => {
  for (const text of ['', '[]', 'null', '{"matrix":[]}', '{"shapes":3}']) {
    assert.equal(readReport(text), 'none', text);
  }
});

test('operations come in the order of the catalogue', () => {
  assert.deepEqual(operationsOf(REPORT), ['load', 'store']);
  const pairs = { ...REPORT, matrix: [cell('load', 'store'), cell('store', 'fork')] };
  assert.deepEqual(operationsOf(pairs), ['load', 'store', 'fork']);
});
