import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';

const root = new URL('../../../', import.meta.url);

test('the image is given the configuration that the build of the page extends', () => {
  const { extends: base } = JSON.parse(
    readFileSync(new URL('clients/web/tsconfig.json', root), 'utf8'),
  );
  const file = basename(base);
  const stage = readFileSync(new URL('Dockerfile', root), 'utf8').split(/^FROM /m)[1] ?? '';
  const copied = [...stage.matchAll(/^COPY (.*) \S+$/gm)].flatMap(([, names = '']) =>
    names.split(' '),
  );
  assert.ok(copied.includes(file), `the first stage copies ${copied.join(', ')}`);
  const letThrough = readFileSync(new URL('.dockerignore', root), 'utf8').split('\n');
  for (const name of copied) assert.ok(letThrough.includes(`!${name.replace('./', '')}`), name);
});
