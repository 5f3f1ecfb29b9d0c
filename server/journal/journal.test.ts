import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { Inbound } from '../machine/remote/inbound.ts';
import { LiveMachine } from '../machine/remote/live-machine.ts';
import { stateDigest } from '../machine/state-digest.ts';
import { NOT_DURABLE } from './durability.ts';
import { EventDigest } from './event-digest.ts';
import { continuedRecorder, fileRecorder, type RecorderOptions } from './file-recorder.ts';
import { JOURNAL_VERSION } from './journal-format.ts';
import { JournalError, journalLines, openJournal, parseJournal } from './read-journal.ts';
import { journalRecorder, type Recorder } from './recorder.ts';
import { type Replayed, type ReplayOptions, replay } from './replay.ts';

const MODEL = { hash: 'abc', version: '0' };
const STOCK: MachineConfig = { patch: 'stock' };

const newMachine: ReplayOptions['newMachine'] = (config, sinks) => {
  const machine = new LiveMachine(config, sinks);
  return {
    accept: (inbound) => machine.accept(inbound),
    digest: () => stateDigest(machine.world),
  };
};

const ADDRESS = { address: '0x100200000', pages: 2 };
const PROGRAM: readonly Inbound[] = [
  { kind: 'attach', actor: 'cpu0', role: 'cpu' },
  { kind: 'attach', actor: 'gpu0', role: 'device' },
  cpu(1, 'mmap', { ...ADDRESS, prot: 'rw', kind: 'anon-private' }),
  cpu(2, 'store', { address: '0x100200000', value: '0x2a' }),
  device(1, 'mmap_read_lock', {}),
  cpu(3, 'munmap', ADDRESS),
  device(2, 'mmap_read_unlock', {}),
  { kind: 'fence', actor: 'gpu0' },
  { kind: 'detach', actor: 'gpu0' },
];

function cpu(id: number, method: string, params: unknown): Inbound {
  return { kind: 'request', actor: 'cpu0', id, method, params, contents: [] };
}

function device(id: number, method: string, params: unknown): Inbound {
  return { kind: 'request', actor: 'gpu0', id, method, params, contents: [] };
}

/** Runs PROGRAM as a lab does, with a recorder beside it. */
function record(recorder: Recorder, config = STOCK): void {
  const machine = newMachine(config, {
    outbound: () => undefined,
    event: (event) => recorder.event(event),
  });
  for (const inbound of PROGRAM) {
    recorder.inbound(inbound);
    machine.accept(inbound);
    recorder.settled();
  }
  recorder.close(machine.digest());
}

function recorded(): string[] {
  const lines: string[] = [];
  const header = {
    format: 'mmrace-journal',
    version: JOURNAL_VERSION,
    model: MODEL,
    lab: 'test',
    config: STOCK,
  } as const;
  record(journalRecorder((line) => lines.push(line), header));
  return lines;
}

function replayed(lines: readonly string[], model = MODEL): Replayed {
  const journal = parseJournal(lines.join(''), 'run.jsonl');
  return replay(journal, { newMachine, model, onEvent: () => undefined });
}

test('a recording is replayed to the identical event log and state', () => {
  const outcome = replayed(recorded());
  assert.ok(outcome.outcome === 'identical');
  assert.equal(outcome.entries, PROGRAM.length);
  assert.equal(outcome.closed, true);
  assert.ok(outcome.events > PROGRAM.length);
});

test('a recording in a file is the same recording, each line with its sum', () => {
  inFolder((options) => {
    const recorder = fileRecorder(options, 'test', STOCK);
    record(recorder);
    const lines = readFileSync(recorder.path, 'utf8').replaceAll(/,"sum":"[0-9a-f]{8}"/g, '');
    assert.equal(lines.replace(',"generation":0', ''), recorded().join(''));
    assert.throws(() => fileRecorder(options, 'test', STOCK), { code: 'EEXIST' });
    const again = replay(openJournal(recorder.path), { newMachine, model: MODEL, onEvent });
    assert.deepEqual(again, replayed(recorded()));
  });
});

function onEvent(): void {}

function inFolder(act: (options: RecorderOptions) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'mmrace-journal-'));
  try {
    act({ directory, model: MODEL, stamp: '1', durability: NOT_DURABLE, keep: 'all' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('a byte that has changed anywhere in a file is seen', () => {
  inFolder((options) => {
    const recorder = fileRecorder(options, 'test', STOCK);
    record(recorder);
    const whole = readFileSync(recorder.path);
    fc.assert(
      fc.property(fc.nat(whole.length - 2), fc.integer({ min: 1, max: 255 }), (at, other) => {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ other;
        writeFileSync(recorder.path, changed);
        assert.throws(() => [...openJournal(recorder.path).entries], JournalError);
      }),
      { numRuns: 300, seed: 3 },
    );
  });
});

test('lines of a file that are lost, doubled or swapped are seen', () => {
  inFolder((options) => {
    const recorder = fileRecorder(options, 'test', STOCK);
    record(recorder);
    const lines = readFileSync(recorder.path, 'utf8').split(/(?<=\n)/);
    const spoilt = [lines.toSpliced(4, 1), lines.toSpliced(4, 0, lines[4] ?? '')];
    spoilt.push(lines.toSpliced(4, 2, lines[5] ?? '', lines[4] ?? ''));
    for (const wrong of spoilt) {
      writeFileSync(recorder.path, wrong.join(''));
      assert.throws(() => [...openJournal(recorder.path).entries], /:[56]: sum: expected/);
    }
  });
});

test('a file that is gone on with is one recording, without what a crash had left at its end', () => {
  inFolder((options) => {
    const recorder = fileRecorder(options, 'test', STOCK);
    record(recorder);
    const whole = readFileSync(recorder.path);
    const lines = [...journalLines(recorder.path)];
    for (const [at, torn] of [4, 9, lines.length - 1].entries()) {
      const before = lines[torn - 1];
      const line = lines[torn];
      assert.ok(before !== undefined && line !== undefined && before.sum !== 'none');
      writeFileSync(recorder.path, whole.subarray(0, before.bytes + 1 + at));
      const read = [...journalLines(recorder.path)];
      assert.equal(read.length, torn);
      const { bytes, sum } = before;
      const soFar = { n: 0, digest: new EventDigest(), line: torn, bytes, sum };
      continuedRecorder(recorder.path, soFar, options).lab({ over: { actor: 'cpu0' } });
      const last = [...journalLines(recorder.path)].at(-1);
      assert.ok(last?.kind === 'lab' && last.line === torn + 1);
    }
  });
});

test('an older recording has no sums, and nothing behind its end', () => {
  const [header = '', ...rest] = recorded();
  const lines = [header.replace(`"version":${JOURNAL_VERSION}`, '"version":2'), ...rest];
  assert.equal(replayed(lines).outcome, 'identical');
  const behind = [...lines, rest.at(-2) ?? ''].join('');
  assert.throws(() => parseJournal(behind, 'run.jsonl'), /: expected nothing after the last line/);
});

test('a replay that differs says at which entry it began to', () => {
  const lines = recorded().map((line) => line.replace('"value":"0x2a"', '"value":"0x2b"'));
  const outcome = replayed(lines);
  assert.ok(outcome.outcome === 'diverged');
  assert.equal(outcome.what, 'event log');
  assert.equal(outcome.n, 4);
  assert.match(lines[outcome.line - 1] ?? '', /"method":"store"/);
});

test('a different final state is told from a different log', () => {
  const lines = recorded().map((line) => line.replace(/"state":"[0-9a-f]+"/, '"state":"0"'));
  const outcome = replayed(lines);
  assert.ok(outcome.outcome === 'diverged');
  assert.deepEqual([outcome.what, outcome.expected], ['final state', '0']);
});

test('a log of another model is refused', () => {
  assert.deepEqual(replayed(recorded(), { ...MODEL, hash: 'abd' }), {
    outcome: 'other-model',
    expected: 'abc',
    actual: 'abd',
  });
});

test('what a crash leaves can be replayed as far as it goes', () => {
  const text = recorded().join('');
  // Within the last inbound line: what came before is whole.
  const cut = text.lastIndexOf('"kind":"detach"');
  const journal = parseJournal(text.slice(0, cut), 'run.jsonl');
  assert.equal(journal.end, 'none');
  assert.equal(journal.entries.length, PROGRAM.length - 1);
  const outcome = replay(journal, { newMachine, model: MODEL, onEvent: () => undefined });
  assert.ok(outcome.outcome === 'identical' && !outcome.closed);
  // After the inbound line, before it settled.
  const unsettled = parseJournal(recorded().slice(0, -2).join(''), 'run.jsonl');
  assert.equal(unsettled.entries.at(-1)?.settled, 'none');
});

const BROKEN: readonly (readonly [string, (lines: string[]) => void, RegExp])[] = [
  ['an empty file', (lines) => lines.splice(0), /^run.jsonl:1: expected a journal/],
  ['no JSON', (lines) => lines.splice(1, 1, 'x\n'), /^run.jsonl:2: expected one JSON object$/],
  ['no header', (lines) => lines.shift(), /^run.jsonl:1: format: expected "mmrace-journal"$/],
  [
    'a newer version',
    (lines) => lines.splice(0, 1, (lines[0] ?? '').replace('"version":3', '"version":4')),
    /^run.jsonl:1: version: expected at most 3/,
  ],
  ['a line lost', (lines) => lines.splice(3, 2), /^run.jsonl:4: n: expected 2, found 3$/],
  ['a line twice', (lines) => lines.splice(3, 0, lines[2] ?? ''), /^run.jsonl:4: n: expected/],
  [
    'params out of bounds',
    (lines) => lines.splice(5, 1, (lines[5] ?? '').replace('"pages":2', '"pages":0')),
    /^run.jsonl:6: inbound.params.pages: expected a whole number from 1/,
  ],
  [
    'an actor that never attached',
    (lines) => lines.splice(5, 1, (lines[5] ?? '').replace('"cpu0"', '"cpu9"')),
    /^run.jsonl:6: inbound.actor: expected an actor that is attached$/,
  ],
];

for (const [what, spoil, message] of BROKEN) {
  test(`a broken journal is refused with file and line: ${what}`, () => {
    const lines = recorded();
    spoil(lines);
    assert.throws(
      () => parseJournal(lines.join(''), 'run.jsonl'),
      (error) => {
        assert.ok(error instanceof JournalError);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}
