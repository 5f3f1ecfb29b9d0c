import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const SERVE = `'${process.execPath}' '${MAIN}' serve --port 0`;
/** The command after it keeps a shell from becoming the program itself. */
const IN_SHELL = `${SERVE}; :`;

for (const [what, script] of [
  ['the shell of npm', IN_SHELL],
  ['npm, and its shell goes on', `sh -c "${IN_SHELL}"; :`],
] as const) {
  test(`a server that npm started ends when this is killed: ${what}`, async () => {
    const env = { ...process.env, npm_command: 'exec', MMRACE_LOG: 'silent' };
    const shell = spawn('sh', ['-c', script], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    const [url] = await once(shell.stdout.setEncoding('utf8'), 'data');
    assert.equal((await fetch(`${url.trim()}/healthz`)).status, 200);
    shell.kill('SIGKILL');
    // Its end of the pipe is the last one: the server has closed it, so the server has gone.
    await once(shell, 'close');
    await assert.rejects(fetch(`${url.trim()}/healthz`));
  });
}
