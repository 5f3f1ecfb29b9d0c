import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { recordingProblem } from './recording-problem.ts';

test('a folder is fine; one that is gone, or a file in its place, is told with its path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mmrace-recording-'));
  assert.equal(await recordingProblem(folder), 'none');
  await rm(folder, { recursive: true });
  assert.match(await recordingProblem(folder), /^ENOENT.*mmrace-recording-/);
  await writeFile(folder, '');
  assert.match(await recordingProblem(folder), /^EACCES.*mmrace-recording-/);
  await rm(folder);
  assert.equal(await recordingProblem('nowhere'), 'none');
});
