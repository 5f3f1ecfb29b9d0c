import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FORMAT_NAMES } from '../../../server/lab/report/formats.ts';
import { REPORT_FORMATS } from './report-formats.ts';

test('the page offers every form of a report that there is', () => {
  assert.deepEqual([...REPORT_FORMATS], [...FORMAT_NAMES]);
});
