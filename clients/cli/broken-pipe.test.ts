import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EXIT } from './exit-codes.ts';

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

const FULL = '/dev/full';

test('an answer that cannot be written is one sentence, and no verdict', {
  skip: existsSync(FULL) ? false : `there is no ${FULL} here, a device of Linux`,
}, () => {
  const stdio = ['ignore', openSync(FULL, 'w'), 'pipe'] as const;
  const { status, stderr } = spawnSync(process.execPath, [MMRACE, 'scenarios'], {
    stdio: [...stdio],
    encoding: 'utf8',
  });
  assert.equal(status, EXIT.UNWRITTEN);
  assert.match(stderr, /^mmrace: the answer cannot be written: ENOSPC: [^\n]*\n$/);
});
