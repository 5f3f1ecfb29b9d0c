import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { ensurePage } from './ensure-page.ts';
import { PAGE_FOLDER } from './page-folder.ts';

/** Bytes of all files of the page, gzipped. */
const PAGE_BYTES_MAX = 300_000;

test('the page is built from what npm ci installs, and all of it weighs less than 300 kB gzipped', async () => {
  await ensurePage();
  const folder = join(fileURLToPath(new URL('../../..', import.meta.url)), PAGE_FOLDER);
  const files = globSync('**/*.*', { cwd: folder });
  assert.ok(files.includes('index.html'), files.join());
  assert.ok(
    files.some((file) => file.endsWith('.js')) && files.some((file) => file.endsWith('.css')),
  );
  const bytes = files.map((file) => gzipSync(readFileSync(join(folder, file))).length);
  const sum = bytes.reduce((total, each) => total + each, 0);
  assert.ok(sum < PAGE_BYTES_MAX, `${sum} bytes`);
});
