/** Programs that were recorded on 6.1.192 and on 6.12.117, and aim at what differs: each kernel does as its own did. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { KernelId } from '../../abi/kernel-ids.ts';
import { KERNELS } from '../../kernel/versions/kernels.ts';
import type { Patch } from '../../patches/patch.ts';
import { newMachineWorld } from './machine-world.ts';
import { readTraces } from './read-traces.ts';
import { runProgram } from './run-program.ts';
import { kernelOfFile } from './trace-machine.ts';

const RECORDED = ['6.1', '6.12'] as const;

function folderOf(kernel: KernelId): string {
  return fileURLToPath(new URL(`samples-by-kernel/linux-${kernel}`, import.meta.url));
}

/** Programs that do not agree. */
async function differing(
  recorded: KernelId,
  version: KernelId,
  patches: readonly Patch[] = [],
): Promise<string[]> {
  const names: string[] = [];
  for await (const { program, file } of readTraces([folderOf(recorded)])) {
    assert.equal(kernelOfFile(file), recorded);
    const outcome = await runProgram(program, (each) =>
      newMachineWorld(each, { version, patches }),
    );
    if (outcome.kind !== 'passed') names.push(program.id);
  }
  return names;
}

for (const kernel of RECORDED) {
  test(`all that was recorded on ${kernel} agrees on ${kernel}`, async () => {
    assert.deepEqual(await differing(kernel, kernel), []);
  });
}

test('what was recorded on one kernel does not agree on the other', async () => {
  assert.equal((await differing('6.1', '6.12')).length, 35);
  assert.equal((await differing('6.12', '6.1')).length, 35);
});

test('mainline does to single calls what 6.12 does', async () => {
  assert.deepEqual(await differing('6.12', 'mainline'), []);
});

/** What shows under no single call: the order of an end and a put, locks, flushes; or has no device that sees it. */
const UNSEEN = new Set([
  'wp_page_copy() ends its bracket before it drops the page that is not mapped any more',
  'a page fault takes the lock of its mapping',
  'mm_take_all_locks() takes the lock of each mapping as well',
  'each flush of the TLBs of CPUs flushes those of devices, and the end of a bracket does not',
  'khugepaged takes page tables of a file away under i_mmap_rwsem and the PTE lock alone',
  'userfaultfd moves pages from one place to another (UFFDIO_MOVE)',
  'migrate_pages() unmaps all pages, flushes the TLBs once, and moves them then',
]);

for (const { summary, overrides } of KERNELS['6.12'].changes.filter(
  (change) => !UNSEEN.has(change.summary),
)) {
  test(`without it some recording of 6.12 differs: ${summary}`, async () => {
    const only = KERNELS['6.12'].changes.filter((change) => change.overrides !== overrides);
    const others: Patch[] = only.map((change) => ({
      id: change.summary,
      provenance: change.commit,
      summary: change.summary,
      overrides: change.overrides,
    }));
    assert.notDeepEqual(await differing('6.12', '6.1', others), []);
  });
}

test('a folder says which kernel recorded its files, the last one of several', () => {
  assert.equal(kernelOfFile('/data/linux-6.12/anon.jsonl.gz'), '6.12');
  assert.equal(kernelOfFile('/data/linux-6.12/linux-6.1-versions/versions.jsonl'), '6.1');
  assert.equal(kernelOfFile('C:\\linux-6.1\\a.jsonl'), '6.1');
  for (const file of [
    'traces/a.jsonl',
    'linux-6.18/a.jsonl',
    'linux-6.12.117/a.jsonl',
    'my-linux-6.1x/a',
  ]) {
    assert.equal(kernelOfFile(file), 'not said', file);
  }
});
