import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { LogForm } from './config.ts';

const PROGRAM = `
  const { newLog } = await import('${new URL('log.ts', import.meta.url)}');
  const { DEFAULT_CONFIG } = await import('${new URL('config.ts', import.meta.url)}');
  const { log } = newLog({ ...DEFAULT_CONFIG, logForm: process.argv[1] });
  log.info({ lab: 'demo' }, 'a client has said hello');
`;

/** Its stderr is a pipe. */
function logged(form: LogForm): string {
  const args = ['--input-type=module', '--eval', PROGRAM, form];
  return spawnSync(process.execPath, args, { encoding: 'utf8' }).stderr;
}

test('a log that goes into a pipe is one JSON object a line', () => {
  const { lab, msg } = JSON.parse(logged('auto'));
  assert.deepEqual([lab, msg], ['demo', 'a client has said hello']);
  assert.equal(JSON.parse(logged('json')).msg, msg);
});

test('a log for people is one sentence a line, in whatever it goes', () => {
  assert.match(logged('human'), /^\S+ INFO: a client has said hello \{"lab":"demo"\}\n$/);
});
