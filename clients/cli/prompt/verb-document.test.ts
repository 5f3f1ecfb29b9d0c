import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { verbDocument } from './verb-document.ts';
import { VERBS } from './verb-table.ts';

const DOCUMENT = new URL('../../../docs/PROMPT.md', import.meta.url);
const BEGIN = '<!-- the verbs, made of clients/cli/prompt/verbs: begin -->\n';
const END = '\n<!-- the verbs: end -->';

/** `MMRACE_GOLDEN=write` in the environment of the tests writes the tables anew. */
test('docs/PROMPT.md has the verbs as they are', () => {
  const text = readFileSync(DOCUMENT, 'utf8');
  const from = text.indexOf(BEGIN) + BEGIN.length;
  const to = text.indexOf(END);
  assert.ok(from >= BEGIN.length && to >= from, 'the marks are there');
  if (process.env.MMRACE_GOLDEN === 'write') {
    writeFileSync(DOCUMENT, text.slice(0, from) + verbDocument() + text.slice(to));
  }
  assert.equal(readFileSync(DOCUMENT, 'utf8').slice(from).split(END)[0], verbDocument());
});

test('no verb is left out of the document', () => {
  const document = verbDocument();
  for (const { name } of VERBS) assert.ok(document.includes(`| \`${name}`), name);
});
