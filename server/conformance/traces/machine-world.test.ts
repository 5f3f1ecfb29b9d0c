import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DMIRROR_FUNCTIONS } from '../../../clients/drivers/dmirror.ts';
import { type MachineWorldOptions, newMachineWorld } from './machine-world.ts';
import type { TraceProgram } from './parse-program.ts';
import { readTraces } from './read-traces.ts';
import { reportOf } from './report.ts';
import { type ProgramOutcome, runProgram } from './run-program.ts';
import { runTraces } from './run-traces.ts';

const SAMPLES = fileURLToPath(new URL('samples', import.meta.url));

function run(program: TraceProgram, options: MachineWorldOptions): Promise<ProgramOutcome> {
  return runProgram(program, (each) => newMachineWorld(each, options));
}

async function sample(id: string): Promise<TraceProgram> {
  for await (const { program } of readTraces([SAMPLES])) if (program.id === id) return program;
  return assert.fail(`no sample ${id}`);
}

test('the machine agrees with every sample', async () => {
  const report = reportOf(await runTraces([SAMPLES], (program) => newMachineWorld(program)));
  assert.deepEqual(report.firstDifferences, []);
  assert.equal(report.passed, 4);
});

test('a driver that maps nothing after a migration is told apart by its results', async () => {
  const driver = { ...DMIRROR_FUNCTIONS, *mapMigrated() {} };
  const outcome = await run(await sample('sample-migrate-and-fault-back'), { driver });
  assert.ok(outcome.kind === 'failed');
  assert.equal(outcome.name, 'migrate-to-dev');
  assert.deepEqual(outcome.difference, {
    field: 'result.errno',
    expected: 'OK',
    actual: 'ENOENT',
  });
});

test('[OR1] a driver that ignores every invalidation breaks the world', async () => {
  const driver = { ...DMIRROR_FUNCTIONS, ignoresInvalidation: () => true };
  const outcome = await run(await sample('sample-cpu-and-mirror'), { driver });
  assert.ok(outcome.kind === 'failed');
  assert.equal(outcome.name, 'munmap');
  assert.equal(outcome.difference.field, 'world');
  assert.match(outcome.difference.actual, /^\[OR[12]\] dev0 .*maps 0x10020[01]000/);
});
