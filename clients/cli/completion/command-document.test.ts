import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { EXIT, EXIT_MEANINGS } from '../exit-codes.ts';
import { newProgram } from '../program.ts';
import { commandDocument } from './command-document.ts';
import { commandTree } from './command-tree.ts';

const DOCUMENT = new URL('../../../docs/COMMANDS.md', import.meta.url);
const BEGIN = '<!-- the commands, made of the command line itself: begin -->\n';
const END = '\n<!-- the commands: end -->';

/** `MMRACE_GOLDEN=write` in the environment of the tests writes the table anew. */
test('docs/COMMANDS.md has the commands as they are', async () => {
  const made = commandDocument(commandTree(await newProgram()));
  const text = readFileSync(DOCUMENT, 'utf8');
  const from = text.indexOf(BEGIN) + BEGIN.length;
  const to = text.indexOf(END);
  assert.ok(from >= BEGIN.length && to >= from, 'the marks are there');
  if (process.env.MMRACE_GOLDEN === 'write') {
    writeFileSync(DOCUMENT, text.slice(0, from) + made + text.slice(to));
  }
  assert.equal(readFileSync(DOCUMENT, 'utf8').slice(from).split(END)[0], made);
});

test('docs/COMMANDS.md has the exit codes as they are', () => {
  const rows = [...readFileSync(DOCUMENT, 'utf8').matchAll(/^\| (\d+) \| (.*) \|$/gm)];
  assert.deepEqual(
    rows.map(([, code, meaning]) => [Number(code), meaning]),
    EXIT_MEANINGS,
  );
  assert.deepEqual(
    EXIT_MEANINGS.map(([code]) => code),
    Object.values(EXIT),
  );
});
