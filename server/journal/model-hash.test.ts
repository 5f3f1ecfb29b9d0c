import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { MODEL_FOLDERS, modelFiles, modelHash } from './model-hash.ts';

let root: string;
let server: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mmrace-model-'));
  server = join(root, 'server');
  for (const folder of MODEL_FOLDERS) mkdirSync(join(server, folder), { recursive: true });
  mkdirSync(join(server, 'kernel', 'memory'));
  writeFileSync(join(server, 'kernel', 'memory', 'pte.ts'), 'export const a = 1;\n');
  writeFileSync(join(server, 'task', 'task.ts'), 'export const b = 2;\n');
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

test('the same sources have the same hash wherever they stand', () => {
  const copy = join(root, 'elsewhere');
  cpSync(server, copy, { recursive: true });
  assert.equal(modelHash(copy), modelHash(server));
  assert.deepEqual(modelFiles(server), ['kernel/memory/pte.ts', 'task/task.ts']);
});

test('a changed, added or renamed source has another hash', () => {
  const hashes = new Set([modelHash(server)]);
  writeFileSync(join(server, 'task', 'task.ts'), 'export const b = 3;\n');
  hashes.add(modelHash(server));
  writeFileSync(join(server, 'task', 'lock.ts'), '');
  hashes.add(modelHash(server));
  rmSync(join(server, 'task', 'lock.ts'));
  writeFileSync(join(server, 'task', 'rwsem.ts'), '');
  hashes.add(modelHash(server));
  assert.equal(hashes.size, 4);
});

test('tests, other floors and line ends do not count', () => {
  const before = modelHash(server);
  writeFileSync(join(server, 'task', 'task.test.ts'), 'x');
  mkdirSync(join(server, 'gateway'));
  writeFileSync(join(server, 'gateway', 'gateway.ts'), 'x');
  writeFileSync(join(server, 'task', 'task.ts'), 'export const b = 2;\r\n');
  assert.equal(modelHash(server), before);
});
