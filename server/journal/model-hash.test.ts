import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { closureHash, hashedFiles } from './model-hash.ts';

const SERVER = fileURLToPath(new URL('..', import.meta.url));
const MACHINE = [
  `import { a, type Pte } from '../kernel/pte.ts';`,
  `import { b } from './oracle.ts';`,
  'export const m = a + b;\n',
].join('\n');

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mmrace-model-'));
  for (const folder of ['machine', 'kernel']) mkdirSync(join(root, folder));
  write('machine/machine.ts', MACHINE);
  write('machine/oracle.ts', `export const b = 'a  // b';\n`);
  write('kernel/pte.ts', `import type { Word } from './word.ts';\nexport const a: Word = 1;\n`);
  write('kernel/word.ts', 'export type Word = number;\n');
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function write(path: string, text: string): void {
  writeFileSync(join(root, path), text);
}

function hash(folder = root): string {
  return closureHash([join(folder, 'machine/machine.ts')]);
}

test('the same sources have the same hash wherever they stand', () => {
  const copy = `${root}-copy`;
  cpSync(root, copy, { recursive: true });
  assert.equal(hash(copy), hash());
  rmSync(copy, { recursive: true });
});

test('what is imported counts, word for word', () => {
  const hashes = new Set([hash()]);
  for (const changed of [`'a  // c'`, `'a // b'`, `"a  // b"`]) {
    write('machine/oracle.ts', `export const b = ${changed};\n`);
    hashes.add(hash());
  }
  write('kernel/pte.ts', 'export const a = 2;\n');
  hashes.add(hash());
  assert.equal(hashes.size, 5);
});

test('an import that leads elsewhere is a change', () => {
  const before = hash();
  write('machine/other.ts', `import { b as c } from './oracle.ts';\nexport const b = c + 1;\n`);
  write('machine/machine.ts', MACHINE.replace('./oracle.ts', './other.ts'));
  assert.notEqual(hash(), before);
});

test('comments, blank lines, line ends and types of other files do not count', () => {
  const before = hash();
  write('machine/oracle.ts', `/** A remark. */\r\n\r\nexport const b = 'a  // b'; // another\r\n`);
  write('kernel/word.ts', 'export type Word = bigint;\n');
  write('kernel/close-codes.ts', 'export const code = 1;\n');
  assert.equal(hash(), before);
});

test('a file that moves, and imports in another order, do not count', () => {
  const before = hash();
  mkdirSync(join(root, 'abi'));
  renameSync(join(root, 'kernel/pte.ts'), join(root, 'abi/entry.ts'));
  const moved = [
    `import { b } from './oracle.ts';`,
    `import {\n  a,\n  type Pte,\n} from '../abi/entry.ts';`,
    'export const m = a + b;\n',
  ];
  write('machine/machine.ts', moved.join('\n'));
  assert.equal(hash(), before);
});

test('files that import each other have a hash', () => {
  write('kernel/pte.ts', `import { m } from '../machine/machine.ts';\nexport const a = () => m;\n`);
  const before = hash();
  write('machine/machine.ts', `${MACHINE}export const n = 1;\n`);
  assert.notEqual(hash(), before);
});

test('recordings are of kernel, patches and machine, and of nothing that carries or shows them', () => {
  const files = hashedFiles(SERVER, 'machine');
  const of = (part: string) => files.filter((file) => file.includes(part)).length;
  assert.ok(of('kernel/') > 50 && of('patches/') > 5 && of('oracles') > 5, files.join('\n'));
  for (const foreign of ['close-codes', 'http-api', 'hello', 'drivers/', 'harness', '.test.']) {
    assert.equal(of(foreign), 0, foreign);
  }
});

test('schedules are of the drivers and of the scenario, too', () => {
  const files = hashedFiles(SERVER, 'schedules');
  const lacking = hashedFiles(SERVER, 'machine').filter((file) => !files.includes(file));
  assert.deepEqual(lacking, []);
  for (const part of ['dmirror/dmirror-fault.ts', 'skip-retry.ts', 'compile-op.ts']) {
    assert.ok(
      files.some((file) => file.endsWith(part)),
      part,
    );
  }
});
