/** What random programs have found in dmirror, kept: each still shows, and not with the corrected driver. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isMismatch } from '../traces/parse-program.ts';
import { type FindingFile, parseFindingFile } from './finding-file.ts';
import { replayFinding } from './replay-finding.ts';

const FOLDER = new URL('../../../scenarios/found/', import.meta.url);
/** Schedules after the one in the file, for when a yield point has moved. */
const SCHEDULES = 2_000;
/** With the corrected driver nothing may show under any of these. */
const CORRECTED_SCHEDULES = 300;

function read(name: string): FindingFile {
  const file = parseFindingFile(JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')));
  if (isMismatch(file)) return assert.fail(`${name}: ${file.path}: expected ${file.bound}`);
  return file;
}

for (const name of readdirSync(FOLDER).filter((each) => each.endsWith('.json'))) {
  test(`[OR1] ${name} shows with the faithful driver, and not with the corrected one`, () => {
    const file = read(name);
    const { driver } = file;
    assert.equal(driver, 'faithful');
    const shown = replayFinding(file, { patches: [], driver, schedules: SCHEDULES });
    assert.notEqual(shown, 'not seen');
    const corrected = { patches: [], driver: 'corrected', schedules: CORRECTED_SCHEDULES } as const;
    assert.equal(replayFinding(file, corrected), 'not seen');
  });
}
