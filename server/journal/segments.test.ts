/** A recording in several files is read as one, and its beginning can be removed. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { NOT_DURABLE } from './durability.ts';
import { EventDigest } from './event-digest.ts';
import { continuedRecorder, fileRecorder, type Keep } from './file-recorder.ts';
import type { KeptRecorder } from './kept-recorder.ts';
import { JournalError, journalLines, journalLinesBehind } from './read-journal.ts';
import { segmentsOf } from './segments.ts';

const KEEP = 4_000;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mmrace-segments-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function begun(keep: Keep): KeptRecorder {
  const model = { hash: 'abc', version: '0' };
  const options = { directory, model, stamp: `${keep}`, durability: NOT_DURABLE, keep };
  return fileRecorder(options, 'room', { patch: 'stock' });
}

function grow(recorder: KeptRecorder, lines: number): void {
  for (let line = 0; line < lines; line += 1) recorder.lab({ slow: { actor: 'cpu0', ms: line } });
}

/** What `before` has written is on the disk; nothing of it is lost. */
function goneOn(before: KeptRecorder, place = before.position()): KeptRecorder {
  const { n, line, bytes, sum } = place;
  const soFar = { n, line, bytes, sum, digest: new EventDigest() };
  return continuedRecorder(before.path, soFar, { durability: NOT_DURABLE, keep: KEEP });
}

test('several files have what one would have, and say the same', () => {
  const one = begun('all');
  const several = begun(KEEP);
  for (const recorder of [one, several]) grow(recorder, 200);
  const segments = segmentsOf(several.path);
  assert.ok(segments.length > 5);
  const text = segments.map(({ path }) => readFileSync(path, 'utf8')).join('');
  assert.equal(text, readFileSync(one.path, 'utf8'));
  assert.deepEqual([...journalLines(several.path)], [...journalLines(one.path)]);
  assert.deepEqual(readdirSync(directory).filter((file) => file.endsWith('.jsonl')).length, 2);
});

test('a later recorder goes on in the last file, wherever the one before was stopped', () => {
  for (let lines = 20; lines < 40; lines += 1) {
    const first = begun(KEEP);
    grow(first, lines);
    const last = segmentsOf(first.path).at(-1);
    assert.ok(last !== undefined);
    // As a process leaves it that was killed as it began the next file, or a line of it.
    writeFileSync(`${first.path}.${first.length.bytes}`, lines % 2 === 0 ? '' : '{"torn');
    const second = goneOn(first);
    grow(second, 30);
    assert.equal([...journalLines(first.path)].length, 1 + lines + 30);
    rmSync(directory, { recursive: true });
    directory = mkdtempSync(join(tmpdir(), 'mmrace-segments-'));
  }
});

test('what is written behind a place that is gone back to is cut off, over several files', () => {
  const first = begun(KEEP);
  grow(first, 10);
  const place = first.position();
  grow(first, 100);
  const second = goneOn(first, place);
  grow(second, 5);
  assert.equal([...journalLines(first.path)].length, 16);
});

test('files are removed that no checkpoint begins in, as far as enough is kept', () => {
  const recorder = begun(KEEP);
  grow(recorder, 300);
  const { n, line, bytes, sum } = recorder.position();
  const place = { n, line, bytes, sum, roles: [] };
  grow(recorder, 20);
  recorder.forgetBefore(2_000);
  const half = segmentsOf(recorder.path);
  assert.ok((half[1]?.from ?? 0) < 2_000 && (half[2]?.from ?? 0) >= 2_000);
  recorder.forgetBefore(bytes);
  const left = segmentsOf(recorder.path);
  const kept = left.slice(1).reduce((sizes, { path }) => sizes + statSync(path).size, 0);
  assert.ok(kept >= KEEP && kept < 2 * KEEP, `${kept} bytes`);
  // Behind a place that is kept all is there; from the beginning it is not, and says so.
  assert.equal([...journalLinesBehind(recorder.path, place)].length, 20);
  assert.equal([...journalLines(recorder.path).take(1)][0]?.kind, 'header');
  assert.throws(
    () => [...journalLines(recorder.path)],
    (error) => error instanceof JournalError && /have been removed: see --keep/.test(error.message),
  );
  grow(recorder, 1);
  assert.equal([...journalLinesBehind(recorder.path, place)].length, 21);
});

test('where all is kept nothing is removed', () => {
  const recorder = begun('all');
  grow(recorder, 300);
  recorder.forgetBefore(recorder.length.bytes);
  assert.equal([...journalLines(recorder.path)].length, 301);
});
