import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { readTraces, TraceError } from './read-traces.ts';

const SAMPLES = fileURLToPath(new URL('samples', import.meta.url));
let folder = '';
let good = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'traces-'));
  good = await readFile(join(SAMPLES, 'access.jsonl'), 'utf8');
});
after(() => rm(folder, { recursive: true }));

async function idsOf(paths: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for await (const { program } of readTraces(paths)) ids.push(program.id);
  return ids;
}

async function written(name: string, content: string | Uint8Array): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

async function refusal(path: string): Promise<{ line: number; text: string }> {
  try {
    await idsOf([path]);
  } catch (error) {
    assert.ok(error instanceof TraceError, String(error));
    assert.equal(error.file, path);
    return { line: error.line, text: error.message };
  }
  return assert.fail('the file was accepted');
}

test('a folder gives the programs of its files in the order of their names', async () => {
  assert.deepEqual(await idsOf([SAMPLES]), [
    'sample-cpu-and-mirror',
    'sample-permissions-and-holes',
    'sample-migrate-and-fault-back',
    'sample-exclusive',
  ]);
});

test('packed and plain files, and several paths, read alike', async () => {
  const plain = await written('plain.jsonl', good);
  const packed = await written('packed.jsonl.gz', gzipSync(good));
  const ids = await idsOf([plain]);
  assert.equal(ids.length, 2);
  assert.deepEqual(await idsOf([packed, plain]), [...ids, ...ids]);
});

test('a last line without its newline is a line', async () => {
  assert.equal((await idsOf([await written('open-end.jsonl', good.trimEnd())])).length, 2);
});

test('a malformed line is refused with file, line, path and what was expected', async () => {
  const file = await written(
    'bad.jsonl',
    `${good}{"id":"x","set":"s","seed":0,"ops":[{"op":"fly"}]}\n`,
  );
  const { line, text } = await refusal(file);
  assert.equal(line, 3);
  assert.ok(text.startsWith(`${file}:3: ops[0].op: expected one of load, `), text);
});

test('an empty line between programs is refused', async () => {
  const file = await written('gap.jsonl', good.replace('\n', '\n\n'));
  assert.equal((await refusal(file)).line, 2);
});

test('truncated gzip data is refused at the line where it ends', async () => {
  const packed = gzipSync(good.repeat(50));
  const half = await written('half.jsonl.gz', packed.subarray(0, packed.length - 10));
  const { line, text } = await refusal(half);
  assert.match(text, /truncated/);
  assert.ok(line >= 1 && line <= 101);
});

test('what is no gzip data is refused, whatever its name says', async () => {
  const { line, text } = await refusal(await written('plain.jsonl.gz', good));
  assert.equal(line, 1);
  assert.match(text, /expected gzip data/);
});

test('bytes that are no UTF-8 are refused', async () => {
  assert.match(
    (await refusal(await written('latin.jsonl', new Uint8Array([0x7b, 0xe9, 0x0a])))).text,
    /expected UTF-8 text/,
  );
});

test('an empty file, a missing file, a foreign name and an empty folder are refused', async () => {
  assert.match((await refusal(await written('none.jsonl', ''))).text, /at least one program/);
  assert.match((await refusal(join(folder, 'absent.jsonl'))).text, /cannot be read: ENOENT/);
  assert.match((await refusal(await written('trace.txt', good))).text, /ends in \.jsonl/);
  const empty = await mkdtemp(join(folder, 'empty-'));
  assert.match((await refusal(empty)).text, /expected a folder with/);
});
