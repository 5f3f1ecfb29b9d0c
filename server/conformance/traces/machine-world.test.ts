import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DMIRROR_FUNCTIONS } from '../../../clients/drivers/dmirror/dmirror.ts';
import type { Kernel, KernelFunctions } from '../../kernel/kernel.ts';
import { hasFlag, PAGE_SWAPCACHE } from '../../kernel/memory/frames.ts';
import type { Mm } from '../../kernel/memory/mm.ts';
import type { MergeWish } from '../../kernel/memory/vma-changes.ts';
import type { Patch } from '../../patches/patch.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import { type MachineWorldOptions, newMachineWorld } from './machine-world.ts';
import type { TraceProgram } from './parse-program.ts';
import { readTraces } from './read-traces.ts';
import { tracesReport } from './report.ts';
import { type ProgramOutcome, runProgram } from './run-program.ts';
import { runTraces } from './run-traces.ts';

const SAMPLES = fileURLToPath(new URL('samples', import.meta.url));
const RECORDED = fileURLToPath(new URL('linux-6.1', import.meta.url));

function run(program: TraceProgram, options: MachineWorldOptions): Promise<ProgramOutcome> {
  return runProgram(program, (each) => newMachineWorld(each, options));
}

async function sample(id: string): Promise<TraceProgram> {
  for await (const { program } of readTraces([SAMPLES])) if (program.id === id) return program;
  return assert.fail(`no sample ${id}`);
}

test('the machine agrees with every sample', async () => {
  const report = tracesReport(await runTraces([SAMPLES], (program) => newMachineWorld(program)));
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

/** Programs that came out otherwise with `patch` than on the recorded 6.1. */
async function differing(overrides: Patch['overrides']): Promise<string[]> {
  const patch = {
    id: 'otherwise',
    provenance: 'this test',
    summary: 'decides otherwise',
    overrides,
  };
  const outcomes = await runTraces([RECORDED], (each) =>
    newMachineWorld(each, { patches: [patch] }),
  );
  return outcomes
    .filter(({ kind }) => kind !== 'passed')
    .map(({ program }) => program.replace('versions-', ''));
}

test('mappings merge, and pages leave the swap cache, as 6.1 was seen to do', async () => {
  assert.deepEqual(await differing(() => ({})), []);
});

test('each rule behind it shows in some recording', async () => {
  const migratesFromCache = () => ({
    *mayMigrateToDevice(k: Kernel, from: Pfn) {
      yield* k.fn.folioFreeSwap(k, from);
      return !hasFlag(k.frames, from, PAGE_SWAPCACHE);
    },
  });
  assert.deepEqual(await differing(migratesFromCache), [
    'swapcache-unused-slot-migrates',
    'swapcache-used-slot-stays',
    'swapcache-child-exits-migrates',
  ]);
  const freedOnAnyUse = () => ({ shouldTryToFreeSwap: () => true });
  assert.deepEqual(await differing(freedOnAnyUse), [
    'swapcache-unused-slot-migrates',
    'swapcache-used-slot-stays',
  ]);
  const lowerFirst = (stock: KernelFunctions) => ({
    *mmapExpand(k: Kernel, mm: Mm, wish: MergeWish) {
      const joined = yield* stock.vmaMerge(k, mm, wish);
      return joined === 'none' ? 'alone' : 'expanded';
    },
  });
  assert.deepEqual(await differing(lowerFirst), [
    'mmap-between-lower-untouched',
    'mmap-between-two-anon-vmas',
    'mmap-between-fault-extent',
    'mmap-between-fault-extent-two-anon-vmas',
  ]);
});
