import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { newProgram } from '../program.ts';
import { unlessThere } from '../shell-here.fixture.ts';
import { commandTree } from './command-tree.ts';
import { COMPLETION_SCRIPTS, type Shell } from './scripts.ts';

const TREE = commandTree(
  await newProgram(),
  new Map([
    ['--patch', ['stock', 'remove-second-invalidate']],
    ['explore scenario', ['seed-zero-page']],
  ]),
);

function scriptFile(shell: Shell): string {
  const file = join(mkdtempSync(join(tmpdir(), 'mmrace-completion-')), `mmrace.${shell}`);
  writeFileSync(file, COMPLETION_SCRIPTS[shell](TREE));
  return file;
}

/** What bash offers where the last of `words` stands. */
function offered(file: string, words: readonly string[]): string[] {
  const list = words.map((word) => `'${word}'`).join(' ');
  const lines = [
    `source ${file}`,
    `COMP_WORDS=(${list})`,
    `COMP_CWORD=${words.length - 1}`,
    '_mmrace',
    `printf "%s\\n" "$${'{COMPREPLY[@]}'}"`,
  ];
  const text = execFileSync('bash', ['--norc', '-c', lines.join('\n')], { encoding: 'utf8' });
  return text.split('\n').filter((word) => word !== '');
}

test('bash completes commands, options and their words', { skip: unlessThere('bash') }, () => {
  const file = scriptFile('bash');
  assert.deepEqual(offered(file, ['mmrace', 'obs']), ['observe']);
  assert.deepEqual(offered(file, ['mmrace', 'observe', '--fu']), ['--function']);
  assert.deepEqual(offered(file, ['mmrace', 'observe', '--format', 'ft']), ['ftrace']);
  assert.deepEqual(offered(file, ['mmrace', 'explore', '--patch', 're']), [
    'remove-second-invalidate',
  ]);
  assert.ok(offered(file, ['mmrace', '']).includes('device'));
  assert.ok(offered(file, ['mmrace', 'device', '--']).includes('--do'));
  assert.deepEqual(
    offered(file, ['mmrace', 'completion', '']).filter((word) => !word.startsWith('-')),
    ['bash', 'zsh', 'fish'],
  );
  assert.ok(offered(file, ['mmrace', 'explore', 'se']).includes('seed-zero-page'));
});

test('every command and every option is in every script', () => {
  assert.ok(TREE.length >= 15);
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const script = COMPLETION_SCRIPTS[shell](TREE);
    for (const { name, options } of TREE) {
      assert.ok(script.includes(name), `${shell}: ${name}`);
      for (const option of options.flatMap(({ names }) => names)) {
        const bare = option.replace(/^-+/, '');
        assert.ok(script.includes(shell === 'fish' ? bare : option), `${shell}: ${name} ${option}`);
      }
    }
  }
});

for (const shell of ['zsh', 'fish'] as const) {
  test(`${shell} can read its script`, { skip: unlessThere(shell) }, () => {
    const { status, stderr } = spawnSync(shell, ['-n', scriptFile(shell)], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
}
