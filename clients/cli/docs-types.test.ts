/** The patches and drivers that the documents show fit the types that the package brings, under a strict compiler. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENTS = ['SCENARIOS', 'COUNTEREXAMPLES', 'TUTORIAL', 'WRITE-A-DRIVER'];
/** Where the names lead that `exports` of package.json gives to the built files. */
const SOURCES = {
  'mmrace/drivers/*': ['clients/drivers/*.ts'],
  'mmrace/*': ['server/*.ts'],
};

const folder = mkdtempSync(join(tmpdir(), 'mmrace-types-'));
after(() => rmSync(folder, { recursive: true }));

/** Each block of code that exports a patch or a driver. */
function examples(): string[] {
  return DOCUMENTS.flatMap((name) => {
    const text = readFileSync(join(ROOT, 'docs', `${name}.md`), 'utf8');
    return [...text.matchAll(/```ts\n(.*?)```/gs)]
      .map(([, code = '']) => code)
      .filter((code) => /^export const (?:patch|driver)\b/m.test(code));
  });
}

function compiled(files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const paths = Object.fromEntries(
    Object.entries(SOURCES).map(([name, places]) => [name, places.map((at) => join(ROOT, at))]),
  );
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: { paths, noEmit: true, typeRoots: [join(ROOT, 'node_modules/@types')] },
    include: ['*.ts'],
  };
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  try {
    return execFileSync(process.execPath, [tsc, '-p', folder], { cwd: folder, encoding: 'utf8' });
  } catch (error) {
    return String((error as { readonly stdout?: unknown }).stdout ?? error);
  }
}

test('the examples fit, and one that overrides what there is not does not', () => {
  const shown = examples();
  assert.equal(shown.length, 5);
  const files = Object.fromEntries(shown.map((code, at) => [`example-${at}.ts`, code]));
  const wrong = `import type { OwnPatch } from 'mmrace/patches/patch';
export const patch: OwnPatch = { id: 'x', summary: 'x', overrides: () => ({ *noSuchCall() {} }) };
`;
  const complaints = compiled({ ...files, 'wrong.ts': wrong })
    .trim()
    .split('\n');
  assert.match(String(complaints[0]), /^wrong\.ts\(2,.*noSuchCall/);
  assert.deepEqual(
    complaints.filter((line) => /^\S/.test(line) && !line.startsWith('wrong.ts')),
    [],
  );
});
