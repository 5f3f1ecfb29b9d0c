/** The documents that are made from the schemas: up to date, and complete. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DEVICE_VERBS } from '../../clients/agents/device-verbs.ts';
import { LIMITS } from '../documents/limit-table.ts';
import { WIRE_METHODS } from '../documents/wire-methods.ts';
import { CLOSE_CODES, OTHER_CLOSE_CODES } from '../protocol/close-codes.ts';
import { ERROR_CODES } from '../protocol/error-codes.ts';
import { HTTP_ERROR_CODES } from '../protocol/http-errors.ts';
import { generatedDocs } from './generated-docs.ts';

const PROTOCOL = textOf('docs/PROTOCOL.md');

function textOf(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

/** Headings that a link of `text` names and that it does not have. */
function deadLinks(text: string): string[] {
  const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^a-z0-9_ -]/g, '')
      .replaceAll(' ', '-'),
  );
  const links = [...text.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor = '']) => anchor);
  return links.filter((link) => !anchors.includes(link));
}

/** Italic names of values that the document nowhere explains. */
function unexplained(text: string): string[] {
  const named = [...text.matchAll(/\*([a-z][a-z0-9 ]+)\*(?= *[|,;.}]| or )/g)].map(
    ([, name = '']) => name,
  );
  const explained = (name: string) =>
    new RegExp(`^(\\| \\*${name}\\* \\||### The ${name}$|.*An? \\*${name}\\* (is|has) )`, 'm').test(
      text,
    );
  return [...new Set(named)].filter((name) => !explained(name));
}

for (const { path, text } of generatedDocs()) {
  test(`${path} says what the schemas say: if not, npm run docs`, () => {
    assert.ok(textOf(path) === text, `${path} is stale: npm run docs`);
  });
}

test('every method, error code, close code and limit is in the document', async () => {
  for (const { method, spec } of WIRE_METHODS) {
    assert.ok(PROTOCOL.includes(`### ${method}\n`), method);
    assert.ok(PROTOCOL.includes(spec.meaning), method);
  }
  const words = [...Object.keys(ERROR_CODES), ...Object.keys(HTTP_ERROR_CODES)];
  for (const word of words) assert.ok(PROTOCOL.includes(`| \`${word}\` |`), word);
  for (const { code } of Object.values(CLOSE_CODES)) assert.ok(PROTOCOL.includes(`| ${code} |`));
  for (const { codes } of OTHER_CLOSE_CODES) assert.ok(PROTOCOL.includes(`| ${codes} |`), codes);
  for (const verb of Object.keys(DEVICE_VERBS))
    assert.ok(PROTOCOL.includes(`| \`${verb}\` |`), verb);
  const limits = Object.entries({
    ...(await import('../abi/limits.ts')),
    ...(await import('../protocol/limits.ts')),
  });
  for (const [name, value] of limits) {
    if (typeof value === 'number') assert.equal(LIMITS[name]?.value, value, name);
  }
});

test('links lead to headings, and names of values to what explains them', () => {
  assert.deepEqual(deadLinks(PROTOCOL), []);
  assert.deepEqual(unexplained(PROTOCOL), []);
});

test('a dead link and a name without an explanation are found', () => {
  assert.deepEqual(deadLinks('# One two\n[a](#one-two) [b](#three)'), ['three']);
  assert.deepEqual(unexplained('| `a` | *big thing* | |\n| *page* | x |\n*page*, *page*.'), [
    'big thing',
  ]);
});
