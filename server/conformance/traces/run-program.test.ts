import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMismatch, parseProgram, type TraceProgram } from './parse-program.ts';
import { reportText, tracesExitCode, tracesReport } from './report.ts';
import { type ConformanceWorld, runProgram } from './run-program.ts';

/** Maps one page; the mapping list stands only in the first record. */
function twoOps(): TraceProgram {
  const state = {
    cpu0: { '0x100200000': '.' },
    dev0: { '0x100200000': '.' },
    dev1: { '0x100200000': '.' },
  };
  const mmap = { op: 'mmap', addr: '0x100200000', pages: 1, prot: 'rw', kind: 'anon-private' };
  const vmas = { cpu0: [['0x100200000', '0x100201000', 'rw-p']] };
  const parsed = parseProgram(
    JSON.stringify({
      id: 'two',
      set: 's',
      seed: 0,
      ops: [
        { ...mmap, result: { errno: 'OK' }, state, vmas },
        { ...mmap, result: { errno: 'EEXIST' }, state },
      ],
    }),
  );
  assert.ok(!isMismatch(parsed));
  return parsed;
}

/** Plays the recorded program back, one changed answer aside. */
function playback(program: TraceProgram, changed: Partial<ConformanceWorld> = {}) {
  let at = -1;
  let ended = 0;
  const step = () => {
    const found = program.steps[at];
    assert.ok(found !== undefined);
    return found;
  };
  const world: ConformanceWorld = {
    perform: () => {
      at += 1;
      return step().result;
    },
    state: () => step().state,
    vmas: () => ({ cpu0: [['0x100200000', '0x100201000', 'rw-p']] }),
    end: () => {
      ended += 1;
    },
    ...changed,
  };
  return { world, endings: () => ended };
}

test('a world that answers as recorded passes, and is ended once', async () => {
  const program = twoOps();
  const { world, endings } = playback(program);
  assert.deepEqual(await runProgram(program, () => world), {
    kind: 'passed',
    program: 'two',
    ops: 2,
  });
  assert.equal(endings(), 1);
});

test('the mapping list of an earlier operation still holds for the later ones', async () => {
  const program = twoOps();
  let looks = 0;
  const { world } = playback(program, {
    vmas: () => {
      looks += 1;
      return { cpu0: looks === 1 ? [['0x100200000', '0x100201000', 'rw-p']] : [] };
    },
  });
  const outcome = await runProgram(program, () => world);
  assert.ok(outcome.kind === 'failed');
  assert.equal(outcome.op, 1);
  assert.equal(outcome.difference.field, 'vmas.cpu0[0]');
});

test('a feature that the world lacks skips the program; a breakdown fails it', async () => {
  const program = twoOps();
  const lacking = playback(program, { perform: () => ({ skipped: 'shared memory' }) });
  const broken = playback(program, {
    state: () => {
      throw new Error('[FR1] a frame is freed once');
    },
  });
  const outcomes = [
    await runProgram(program, () => lacking.world),
    await runProgram(program, () => broken.world),
  ];
  assert.equal(broken.endings(), 1);
  assert.deepEqual(tracesReport(outcomes), {
    programs: 2,
    passed: 0,
    failed: 1,
    skipped: 1,
    ops: 1,
    kernels: {},
    firstDifferences: [
      {
        program: 'two',
        op: 0,
        field: 'world',
        expected: 'an answer',
        actual: '[FR1] a frame is freed once',
      },
    ],
  });
  assert.match(reportText(outcomes), /^0 of 2 programs agree .*1 differ, 1 skipped; 1 operations/);
  assert.match(reportText(outcomes), /1 skipped: shared memory is not modelled/);
});

test('the exit code is 0 only if something passed and nothing differed', async () => {
  const program = twoOps();
  const passed = await runProgram(program, () => playback(program).world);
  const skipped = { kind: 'skipped', program: 'x', ops: 0, feature: 'fork' } as const;
  const failed = {
    kind: 'failed',
    program: 'y',
    ops: 1,
    op: 0,
    name: 'fork',
    difference: { field: 'result.errno', expected: 'OK', actual: 'ENOMEM' },
  } as const;
  assert.equal(tracesExitCode(tracesReport([passed, skipped])), 0);
  assert.equal(tracesExitCode(tracesReport([passed, failed])), 1);
  assert.equal(tracesExitCode(tracesReport([skipped])), 4);
});
