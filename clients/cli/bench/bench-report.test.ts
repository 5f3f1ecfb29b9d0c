import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median } from '../../../server/tidy/benchmark.ts';
import { benchLines, summaries } from './bench-report.ts';

test('the median is the middle value, whatever the order', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

const RESULT = {
  file: 'server/kernel/faults.bench.ts',
  bench: 'faults',
  measurements: [
    { name: 'faults', unit: '1/s', values: [1_234_567, 1_000_000, 2_000_000] },
    { name: 'against raw', unit: 'x', values: [1.3, 1.41, 1.2], atMost: 1.4 },
    { name: 'bytes', unit: 'bytes', values: [70], atMost: 64 },
  ],
} as const;

test('a goal is met by the median, not by every value', () => {
  assert.deepEqual(
    summaries([RESULT]).map(({ name, goal, atMost }) => [name, goal, atMost]),
    [
      ['faults', 'none', 'no goal'],
      ['against raw', 'met', 1.4],
      ['bytes', 'missed', 64],
    ],
  );
});

test('the table gives median, spread and goal', () => {
  assert.deepEqual(benchLines(RESULT), [
    'faults  (server/kernel/faults.bench.ts)',
    '  faults         1,234,567 1/s   (1,000,000 to 2,000,000)',
    '  against raw            1.3 x   (1.2 to 1.41)  goal at most 1.4: met',
    '  bytes               70 bytes   (70 to 70)  goal at most 64: missed',
  ]);
});
