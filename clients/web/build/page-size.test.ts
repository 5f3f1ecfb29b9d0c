import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { ensurePage } from './ensure-page.ts';
import { PAGE_FOLDER } from './page-folder.ts';

/** Bytes of what the home page loads, gzipped. */
const HOME_BYTES_MAX = 80_000;
/** The same of all files: each view comes when it is wanted, and the machine itself with the game. */
const PAGE_BYTES_MAX = 250_000;

const folder = join(fileURLToPath(new URL('../../..', import.meta.url)), PAGE_FOLDER);

function sizeOf(files: Iterable<string>): number {
  return [...files].reduce(
    (sum, file) => sum + gzipSync(readFileSync(join(folder, file))).length,
    0,
  );
}

/** The document, what it names, and what that imports before it runs. */
function loadedAtOnce(): Set<string> {
  const loaded = new Set(['index.html']);
  for (const file of loaded) {
    const text = readFileSync(join(folder, file), 'utf8');
    const named = /(?:src|href)="\/(assets\/[^"]+)"/g;
    for (const [, name = ''] of file === 'index.html' ? text.matchAll(named) : []) loaded.add(name);
    // Not import(...), which waits until it is called.
    const imported = /(?:from|import)\s*"\.\/([^"]+\.js)"/g;
    for (const [, name = ''] of text.matchAll(imported)) loaded.add(`assets/${name}`);
  }
  return loaded;
}

test('the page is built from what npm ci installs, and the home page weighs less than 80 kB gzipped', async () => {
  await ensurePage();
  const home = loadedAtOnce();
  const scripts = [...home].filter((file) => file.endsWith('.js'));
  assert.ok(
    scripts.length > 0 && [...home].some((file) => file.endsWith('.css')),
    [...home].join(),
  );
  assert.ok(sizeOf(home) < HOME_BYTES_MAX, `${sizeOf(home)} bytes: ${[...home].join()}`);
});

test('all of it weighs less than 250 kB gzipped', async () => {
  await ensurePage();
  const written = globSync('**/*.*', { cwd: folder });
  const bytes = sizeOf(written.filter((file) => !file.endsWith('.gz')));
  assert.ok(bytes < PAGE_BYTES_MAX, `${bytes} bytes`);
});
