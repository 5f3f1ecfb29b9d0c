import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MMRACE = fileURLToPath(new URL('mmrace.js', import.meta.url));

test('whoever stops reading is told nothing, and no stack', async () => {
  const child = spawn(process.execPath, [MMRACE, 'scenarios']);
  child.stdout.destroy();
  let said = '';
  child.stderr.on('data', (data) => {
    said += data;
  });
  const code = await new Promise((resolve) => {
    child.on('close', resolve);
  });
  assert.deepEqual([code, said], [0, '']);
});
