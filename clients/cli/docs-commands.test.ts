/** The commands that the documents tell people to type: they exist, with their options, scenarios and patches. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { STOCK_NAME } from '../../server/patches/joint-name.ts';
import { PATCHES } from '../../server/patches/patches.ts';
import { newProgram } from './program.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENTS = ['README.md', ...globSync('docs/**/*.md', { cwd: ROOT })];
const PROGRAM = await newProgram();
const PATCH_OPTIONS = ['--patch', '--before', '--after'];

/** The lines of a document that run mmrace, without remarks and redirections. */
function commandsOf(text: string): string[] {
  const lines = text.replaceAll('\\\n', ' ').matchAll(/\bnpx mmrace +([^\n`]*)/g);
  return [...lines].map(([, line = '']) => line.split(/\s+(?:#|>|\||&)/)[0] ?? '');
}

/** What is wrong with a command line. */
function complaints(line: string): string[] {
  const words = line.match(/'[^']*'|\S+/g) ?? [];
  const [name = ''] = words;
  if (name.startsWith('-')) return [];
  const command = PROGRAM.commands.find((each) => each.name() === name);
  if (command === undefined) return /^[a-z]+$/.test(name) ? [`there is no command ${name}`] : [];
  const known = ['--help', ...command.options.map(({ long }) => long)];
  return words.flatMap((word, at) => {
    const next = words[at + 1] ?? '';
    if (word.startsWith('--') && !known.includes(word)) return [`${name} has no ${word}`];
    if (PATCH_OPTIONS.includes(word) && !isPatch(next)) return [`there is no patch ${next}`];
    if (/^scenarios\/[\w-]+\.yaml$/.test(word) && !existsSync(join(ROOT, word))) {
      return [`there is no ${word}`];
    }
    return [];
  });
}

/** Files of the reader's own, and what stands for a name, are not looked at. */
function isPatch(name: string): boolean {
  return name === STOCK_NAME || PATCHES.has(name) || /^\.\/|^[A-Z]+$/.test(name);
}

/** Links of a document to files that are not there. */
function deadLinks(path: string, text: string): string[] {
  const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link = '']) => link);
  return links.filter(
    (link) => !(/^\w+:/.test(link) || existsSync(join(ROOT, dirname(path), decodeURI(link)))),
  );
}

for (const path of DOCUMENTS) {
  test(`${path}: its links lead somewhere`, () => {
    assert.deepEqual(deadLinks(path, readFileSync(join(ROOT, path), 'utf8')), []);
  });

  test(`${path}: its commands exist`, () => {
    const lines = commandsOf(readFileSync(join(ROOT, path), 'utf8'));
    assert.deepEqual(
      lines.flatMap((line) => complaints(line).map((text) => `${line}: ${text}`)),
      [],
    );
  });
}

test('a command, an option, a patch or a scenario that is not there is found', () => {
  const text = `
    npx mmrace explore scenarios/seed-zero-page.yaml --patch ./mine.ts --format html > why.html
    npx mmrace explode it
    npx mmrace serve --hast 0.0.0.0 # a remark --with-options
    npx mmrace verdict scenarios/nothing.yaml --after no-such-patch`;
  assert.deepEqual(commandsOf(text).flatMap(complaints), [
    'there is no command explode',
    'serve has no --hast',
    'there is no scenarios/nothing.yaml',
    'there is no patch no-such-patch',
  ]);
});

test('a dead link is found', () => {
  const text = '[a](README.md#map) [b](https://x.org) [c](docs/NOTHING.md) [d](#here)';
  assert.deepEqual(deadLinks('README.md', text), ['docs/NOTHING.md']);
});
