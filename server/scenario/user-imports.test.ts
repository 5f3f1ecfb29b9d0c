/** Files of users find the API by its names, by paths of the checkout, and by the paths of before a move. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { dmirrorWith } from '../../clients/drivers/dmirror/dmirror-variant.ts';
import { isOdd } from '../vocabulary/seq.ts';
import { loadDriver, loadPatch } from './user-code.ts';
import { API_FOLDERS, MOVED } from './user-imports.ts';

const ROOT = new URL('../../', import.meta.url).href;
const FOLDER = mkdtempSync(join(tmpdir(), 'mmrace-imports-'));
after(() => rmSync(FOLDER, { recursive: true }));

let files = 0;

function file(text: string): string {
  files += 1;
  const path = join(FOLDER, `mine-${files}.ts`);
  writeFileSync(path, text);
  return path;
}

const DRIVERS = [
  'mmrace/drivers/faulty/dmirror-variant',
  'mmrace/drivers/faulty/dmirror-variant.ts',
  'mmrace/drivers/faulty/dmirror-variant.js',
  `${ROOT}clients/drivers/dmirror/dmirror-variant.ts`,
];
for (const path of DRIVERS) {
  test(`a driver imports ${path.replace(ROOT, 'ROOT/')}, and it is the one of this program`, async () => {
    const mine = file(`
      import { dmirrorWith } from '${path}';
      export { dmirrorWith };
      export const driver = { newDevice: (options) => dmirrorWith(options, {}) };
    `);
    await loadDriver(mine);
    assert.equal((await import(pathToFileURL(mine).href)).dmirrorWith, dmirrorWith);
  });
}

test('each folder of the API, and the entry, can be imported', async () => {
  const mine = file(`
    import { mmuIntervalReadRetry } from 'mmrace/abi/device-api';
    import { ROLES } from 'mmrace/protocol/roles';
    import { isOdd } from 'mmrace/vocabulary/seq';
    import { willRead } from 'mmrace/task/task';
    import { isAlive } from 'mmrace/kernel/kernel';
    import { PATCHES } from 'mmrace/patches/patches';
    import { newDmirror } from 'mmrace/drivers/dmirror';
    import { CallRefused } from 'mmrace/sdk/call-refusal';
    import { connect } from 'mmrace';
    export { isOdd };
    export const all = [mmuIntervalReadRetry, ROLES, willRead, isAlive, PATCHES, newDmirror, CallRefused, connect];
    export const patch = { overrides: (stock) => ({ munmap: stock.munmap }) };
  `);
  await loadPatch(mine);
  const found = await import(pathToFileURL(mine).href);
  assert.equal(found.isOdd, isOdd);
  assert.ok(found.all.every((each: unknown) => each !== undefined));
});

for (const [old, now] of Object.entries(MOVED)) {
  test(`${old} is found where it is now`, async () => {
    const [folder, home] =
      Object.entries(API_FOLDERS).find(([, each]) => old.startsWith(each)) ?? [];
    const paths = [`${ROOT}${old}.ts`, `mmrace/${folder}${old.slice(home?.length)}`];
    for (const path of paths) {
      const mine = file(`
        import * as found from '${path}';
        export { found };
        export const patch = { overrides: (stock) => ({ munmap: stock.munmap }) };
      `);
      await loadPatch(mine);
      const { found } = await import(pathToFileURL(mine).href);
      assert.equal(found, await import(`${ROOT}${now}.ts`), path);
    }
  });
}

test('what is not there is refused', async () => {
  const patch = 'export const patch = { overrides: (stock) => ({ munmap: stock.munmap }) };';
  for (const path of ['mmrace/kernel/nowhere', 'mmrace/cli/main', `${ROOT}server/nowhere.ts`]) {
    await assert.rejects(
      loadPatch(file(`import '${path}'; ${patch}`)),
      /Cannot find (?:module|package)/,
    );
  }
});

test('package.json exports the same', () => {
  const { exports } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
  const compiled = (path: string) => ({
    types: `./dist/${path}.d.ts`,
    default: `./dist/${path}.js`,
  });
  const folders = Object.entries(API_FOLDERS);
  const expected = {
    '.': compiled('clients/library/mmrace'),
    ...Object.fromEntries(folders.map(([name, path]) => [`./${name}/*`, compiled(`${path}/*`)])),
    ...Object.fromEntries(
      Object.entries(MOVED).map(([old, now]) => {
        const [name, path = ''] = folders.find(([, each]) => old.startsWith(each)) ?? [];
        return [`./${name}${old.slice(path.length)}`, compiled(now)];
      }),
    ),
    './package.json': './package.json',
  };
  assert.deepEqual(exports, expected);
});
