import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { EXIT } from './exit-codes.ts';

const LAUNCHER = fileURLToPath(new URL('mmrace.js', import.meta.url));
const MANIFEST = fileURLToPath(new URL('../../package.json', import.meta.url));

/** The launcher in a Node that says it is `version`. */
function launch(version: string) {
  const code = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`;
  const preload = `data:text/javascript,${encodeURIComponent(code)}`;
  const args = ['--import', preload, LAUNCHER, '--version'];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}

test('a Node that is too old is told in one sentence which one is needed, and not that a patch is broken', () => {
  const { engines } = JSON.parse(readFileSync(MANIFEST, 'utf8'));
  const [major, minor] = engines.node.replace('>=', '').split('.').map(Number);
  for (const old of ['12.22.12', `${major}.${minor - 1}.9`]) {
    const { status, stdout, stderr } = launch(old);
    assert.deepEqual([status, stdout], [EXIT.UNAVAILABLE, '']);
    assert.match(
      stderr,
      new RegExp(`^mmrace needs Node ${major}.${minor} or newer, .*${old}.*\\.\\n$`),
    );
  }
  for (const enough of [`${major}.${minor}.0`, `${major + 1}.0.0`])
    assert.equal(launch(enough).status, EXIT.OK, enough);
});

test('a Node that knows only scripts can read the launcher', () => {
  const source = readFileSync(LAUNCHER, 'utf8').replace(/^#!.*/, '');
  assert.ok(new Script(source));
  assert.throws(() => new Script(`${source}\nimport.meta.url;`), SyntaxError);
});
