import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasFlag, PAGE_ANON_EXCLUSIVE, setFlag } from '../../kernel/memory/frames.ts';
import type { Patch } from '../../patches/patch.ts';
import { PATCHES } from '../../patches/patches.ts';
import { readScenario } from '../../scenario/read-scenario.ts';
import { AS_WRITTEN } from '../../scenario/scenario-plan.ts';
import { fail } from '../../vocabulary/errno.ts';
import { askShape } from './ask-shape.ts';
import { SHAPE_MEMORIES } from './shape-memory.ts';
import { SHAPE_SIZES, scenarioOfShape, shapeNamed, shapesOf } from './shapes.ts';

const GO_ON = () => 'go on' as const;

function asked(patch: string, name: string, executions = 300) {
  const found = PATCHES.get(patch);
  const patches = found === undefined ? [] : [found];
  const scenario = scenarioOfShape(shapeNamed(name));
  return askShape({ scenario, choice: { ...AS_WRITTEN, patches }, executions, goOn: GO_ON });
}

test('each shape is there once, and has its operations in the order of the catalogue', () => {
  const shapes = SHAPE_SIZES.flatMap((size) => [...shapesOf(size)]);
  assert.equal(new Set(shapes.map(({ name }) => name)).size, shapes.length);
  for (const { operations } of shapes.slice(0, 5_000)) {
    assert.ok(
      !operations.includes('store') ||
        operations.lastIndexOf('load') <= operations.indexOf('store'),
    );
  }
});

test('a shape is a scenario that a file could hold', () => {
  for (const { name } of [...shapesOf(2)].filter((_, at) => at % 211 === 0)) {
    const read = readScenario(JSON.stringify(scenarioOfShape(shapeNamed(name))), name);
    assert.deepEqual(read.ok ? [] : read.problems, [], name);
  }
});

test('every memory can be set up, and what each operation does alone holds', () => {
  const memories = SHAPE_MEMORIES.map(({ id }) => `${id}:load`);
  const operations = [...shapesOf(1)].filter(({ memory }) => memory === 'cow-device');
  for (const name of [...memories, ...operations.map((one) => one.name)]) {
    const { word, why } = asked('stock', name);
    assert.equal(word, 'holds', `${name}: ${why}`);
  }
});

test('the operations of a name may come in any order', () => {
  assert.equal(shapeNamed('none:store+load').name, 'none:load+store');
});

test('a name that is not in the catalogue is refused', () => {
  assert.throws(() => shapeNamed('cow:load+nothing'), RangeError);
  assert.throws(() => shapeNamed('nowhere:load'), RangeError);
});

test('what threads of a process call that has exited changes nothing elsewhere', () => {
  for (const name of ['cow-moved:child-munmap+child-exit', 'cow-moved:child-dontneed+child-exit']) {
    const { word, why } = asked('stock', name);
    assert.equal(word, 'holds', why);
  }
});

test('what a monitor fills has the rights of its mapping, and no migration fills it instead', () => {
  for (const name of ['missing:mprotect-none', 'missing:migrate', 'missing-read-only:fault-read']) {
    const { word, why } = asked('stock', name);
    assert.equal(word, 'holds', `${name}: ${why}`);
  }
});

test('a memslot that goes is found by invalidations until nothing is mapped through it', () => {
  const { word, why } = asked('stock', 'present:guest-memslot+compact');
  assert.equal(word, 'holds', why);
});

test('what shares the page table of a process, or caches its pages, is cut off when it goes', () => {
  for (const name of [
    'present:exit+ats-read',
    'none:exit+ats-write',
    'present:exit+guest-cached',
  ]) {
    const { word, why } = asked('stock', name);
    assert.equal(word, 'holds', `${name}: ${why}`);
  }
});

test('what UFFDIO_MOVE carries to where the OOM reaper was is not new, and no huge page comes behind it', () => {
  for (const name of ['freed:oom-reap+uffd-move', 'huge-cow:oom-reap+uffd-move']) {
    const { word, why } = asked('stock', name);
    assert.equal(word, 'holds', `${name}: ${why}`);
  }
});

test('a device that brings a page home waits for no invalidation: UFFDIO_MOVE waits in one for the page', () => {
  for (const name of ['device:uffd-move+pin-fast', 'two-device:load+uffd-move']) {
    const { word, why } = asked('stock', name);
    assert.notEqual(word, 'broken', `${name}: ${why}`);
  }
});

test('what a peer has for reading alone is shown, and a device that would write is refused', () => {
  for (const name of ['peer-cow:write', 'peer:migrate', 'peer:fault-read+holder-migrate-to-sys']) {
    const { word, why } = asked('stock', name);
    assert.equal(word, 'holds', `${name}: ${why}`);
  }
});

test('where the OOM reaper was, no thread finds the file again in which it had written', () => {
  const { word, why } = asked('stock', 'file-cow:store+oom-reap');
  assert.equal(word, 'holds', why);
});

test('a device writes through a pin, and what it writes stays in memory', () => {
  for (const name of [
    'pinned:store+pinned-write',
    'pinned:fork+pinned-write',
    'pinned:dontneed+pinned-read',
  ]) {
    const { word, why } = asked('stock', name);
    assert.equal(word, 'holds', `${name}: ${why}`);
  }
  const { word, why } = asked('fork-shares-pinned', 'pinned:fork+pinned-write');
  assert.equal(word, 'broken');
  assert.match(why, /^OR[38]/);
});

/** Of each patch that ships, a small shape in which it appears. */
const FOUND: readonly (readonly [patch: string, shape: string, says: RegExp])[] = [
  ['collapse-without-bracket', 'file-block:collapse', /^OR1/],
  ['collapse-without-ipi', 'file-block:pin-fast+khugepaged', /PT3/],
  ['collect-drops-dirty', 'freed:store-pageout+collect', /^OR3/],
  ['collect-flush-after-unlock', 'was-cow:dontneed+collect', /^OR10/],
  ['collect-misreads-write-bit', 'cow-device:load', /^OR11/],
  ['copy-without-bracket', 'zero-mirrored:store', /^OR1/],
  ['cow-ends-bracket-early', 'zero:store+fault-read', /^OR1/],
  ['device-fault-without-reference', 'device:load+load', /^OR2/],
  ['eagain-without-end', 'present-mirrored:oom-reap+fault-read', /^OR4/],
  ['exclusive-drops-mapcount', 'exclusive:mprotect-none', /^OR4/],
  ['fork-shares-pinned', 'pinned:fork+pin', /^OR8/],
  ['fork-without-bracket', 'cow-device:load', /OR1/],
  ['fork-without-pin-seq', 'present:fork+pin-fast', /^OR[38]/],
  ['free-empties-huge-entry', 'huge:dontneed+free-block', /^OR3/],
  ['insert-ignores-pte-change', 'none:migrate+migrate', /^OR/],
  ['migration-trusts-prot-none', 'present:mprotect-none+compact', /^OR/],
  ['move-ignores-swap-cache', 'swap-cached:uffd-move', /RM2/],
  ['move-looks-at-cache-once', 'swap:store-pageout+uffd-move', /RM2/],
  ['move-looks-outside-lock', 'cow-whole:child-mremap+collect', /^OR3/],
  ['mprotect-without-vma-lock', 'none:store+mprotect-none', /^OR7/],
  ['mremap-flush-late', 'present:mremap', /^OR10/],
  ['mremap-without-rmap-locks', 'cow-moved:child-mremap+collect', /^OR5/],
  ['munmap-downgrades-before-detach', 'present:load+munmap', /VM2|^OR7/],
  ['munmap-without-vma-locks', 'none:store+munmap', /VM2|^OR7/],
  ['remove-second-invalidate', 'none:fault-read+migrate', /^OR1/],
  ['rmap-walk-without-lock', 'cow-split:child-mprotect-none+collect', /^OR7/],
  ['swapin-without-claim', 'swap:load+store-pageout', /^OR3/],
  ['tables-freed-without-grace', 'file-block:pin-fast+munmap', /PT3/],
  ['unuse-without-check', 'swap:dontneed+swapoff', /SW1/],
  ['validity-is-boolean', 'none:store+fault-read', /^OR1/],
  ['vma-freed-without-grace', 'none:store+mremap', /VM1/],
  ['vma-lock-ignores-detached', 'none:store+mremap', /VM2/],
];

/** Not known to be found by a shape of two operations: a scenario has them, which scenarios.test.ts asks. */
const WITHOUT_SHAPE = new Set([
  'anon-vma-under-vma-lock',
  'collect-takes-any-owner',
  'device-fault-ignores-failure',
  'device-fault-reference-before-lock',
  'exclusive-fault-without-reference',
  'foreign-private-page-is-error',
  'fork-without-vma-locks',
  'huge-walk-without-sync',
  'insert-checks-stability-early',
  'invalidate-trusts-earlier-look',
  'list-before-tree',
  'mremap-leaves-new-vma-unlocked',
  'notify-after-unlock',
  'range-fault-shows-any-private',
  'reclaim-flushes-in-batch',
  'reclaim-writes-before-flush',
  'register-skips-mapping-locks',
  'remove-waits-unlocked',
  'remove-without-waiting',
  'reuse-by-mapcount',
  'secondary-flush-at-end',
  'split-misreads-migration-entry',
  'split-unlocks-without-flush',
  'unregister-without-grace',
]);

test('every patch that ships is found by a shape of two operations, or is in the list of those that are not', () => {
  assert.deepEqual(
    FOUND.map(([patch]) => patch),
    [...PATCHES.keys()].filter((patch) => !WITHOUT_SHAPE.has(patch)).sort(),
  );
  for (const [patch, name, says] of FOUND) {
    const { word, why, called } = asked(patch, name);
    assert.equal(word, 'broken', `${patch} in ${name}: ${why}`);
    assert.match(why, says);
    assert.ok(called.length > 0);
  }
});

test('[FR5] a page that a migration has isolated meanwhile is not isolated once more', () => {
  const { word, why } = asked('stock', 'cow-last-frame:child-pageout+collect');
  assert.equal(word, 'holds', why);
});

test('a fork that has no frame for the copy of a pinned page fails: no child reads zeros', () => {
  const { word, why, called } = asked('stock', 'last-frame:fork+pin');
  assert.equal(word, 'holds', why);
  assert.ok(called.includes('copyPresentPage'));
});

test('[OR3] DONTNEED does not find a mapping that munmap() has taken out of the list: what is there stays', () => {
  assert.equal(asked('stock', 'read-only:munmap+dontneed').word, 'holds');
  assert.equal(asked('stock', 'cow-mirrored:child-munmap+child-dontneed').word, 'holds');
});

test('threads of one actor answer into one register: what one may be told is no mistake of the other', () => {
  const { word, why } = asked('stock', 'cow-moved:child-load+child-mremap');
  assert.equal(word, 'holds', why);
});

test('a budget that is too small is unknown, and says so', () => {
  const { word, why } = asked('stock', 'none:fault-write+exclusive', 40);
  assert.equal(word, 'unknown');
  assert.match(why, /budget/);
});

test('what of a patch was called is told, and nothing where nothing was', () => {
  assert.deepEqual(asked('swapin-without-claim', 'swap:load').called, ['swapcachePrepare']);
  assert.deepEqual(asked('swapin-without-claim', 'none:load').called, []);
  assert.ok(asked('stock', 'swap:load').called.includes('swapcachePrepare'));
});

test('a client that is refused although the place is free is found; where it is taken, it is no mistake', () => {
  const refuses: Patch = {
    id: 'refuses',
    provenance: 'a test',
    summary: 'faults of devices fail',
    overrides: () => ({
      *hmmRangeFault() {
        return fail('EFAULT');
      },
    }),
  };
  const words = ['none:fault-read', 'none:exit+fault-read', 'last-frame:fault-read'].map((name) => {
    const scenario = scenarioOfShape(shapeNamed(name));
    const choice = { ...AS_WRITTEN, patches: [refuses] };
    return askShape({ scenario, choice, executions: 300, goOn: GO_ON }).word;
  });
  assert.deepEqual(words, ['broken', 'holds', 'holds']);
});

test('[OR12] who asks a device for its page holds mmap_lock', () => {
  const asksWithoutLock: Patch = {
    id: 'asks-without-lock',
    provenance: 'a test',
    summary: 'a fault under the lock of a mapping calls migrate_to_ram()',
    overrides: (stock) => ({
      doSwapPage: (k, { lock: _, ...request }, seen) => stock.doSwapPage(k, request, seen),
    }),
  };
  const scenario = scenarioOfShape(shapeNamed('device:load'));
  const choice = { ...AS_WRITTEN, patches: [asksWithoutLock] };
  assert.match(askShape({ scenario, choice, executions: 300, goOn: GO_ON }).why, /^OR12/);
});

test('[OR11] at rest no page that two processes map is marked as the one of one of them', () => {
  const keepsTheMark: Patch = {
    id: 'keeps-the-mark',
    provenance: 'a test',
    summary: 'fork() leaves PageAnonExclusive',
    overrides: (stock) => ({
      pageTryDupAnonRmap(k, parent, pfn) {
        const marked = hasFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE);
        const done = stock.pageTryDupAnonRmap(k, parent, pfn);
        if (marked) setFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE);
        return done;
      },
    }),
  };
  const scenario = scenarioOfShape(shapeNamed('present:fork'));
  const choice = { ...AS_WRITTEN, patches: [keepsTheMark] };
  assert.match(askShape({ scenario, choice, executions: 300, goOn: GO_ON }).why, /^OR11/);
});

test('with a frame for one of two pages the other stays where it was', () => {
  const { actors, machine } = scenarioOfShape(shapeNamed('few-frames:load+migrate'));
  assert.equal(machine?.devicePages, 1);
  assert.equal(actors.find(({ kind }) => kind === 'device')?.memoryPages, 1);
  assert.equal(asked('stock', 'few-frames:migrate').word, 'holds');
});
