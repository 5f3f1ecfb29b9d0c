/** Merging and splitting, against a model that knows of each page only by itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MappingKind, Prot } from '../../abi/cpu-api.ts';
import { contains, pagesFrom } from '../../vocabulary/address.ts';
import type { Result } from '../../vocabulary/errno.ts';
import {
  assertAtRest,
  at,
  BASE,
  cpuApi,
  inUse,
  type KernelWorld,
  load,
  mapped,
  newKernelWorld,
  run,
  store,
} from '../kernel-world.fixture.ts';
import { linearIndex, vmaLookup, vmasIn } from './vma.ts';

function shown(world: KernelWorld): string[] {
  return world.mm.vmas.map(({ first, end, prot }) => `${first - BASE}-${end - BASE} ${prot}`);
}

test('a mapping that continues its neighbour with the same rights becomes one with it', () => {
  const world = newKernelWorld();
  mapped(world, 2);
  mapped(world, 2, { first: at(4) });
  assert.deepEqual(shown(world), ['0-2 rw', '4-6 rw']);
  mapped(world, 2, { first: at(2) });
  assert.deepEqual(shown(world), ['0-6 rw']);
  mapped(world, 2, { first: at(6), prot: 'r' });
  assert.deepEqual(shown(world), ['0-6 rw', '6-8 r']);
});

test('mprotect in the middle splits in three, and back again it is one', () => {
  const world = newKernelWorld();
  mapped(world, 6);
  run(world, cpuApi(world).mprotect(pagesFrom(at(2), 2), 'r'));
  assert.deepEqual(shown(world), ['0-2 rw', '2-4 r', '4-6 rw']);
  run(world, cpuApi(world).mprotect(pagesFrom(at(2), 2), 'rw'));
  assert.deepEqual(shown(world), ['0-6 rw']);
});

test('mprotect next to a mapping with those rights moves the boundary', () => {
  const world = newKernelWorld();
  mapped(world, 6);
  run(world, cpuApi(world).mprotect(pagesFrom(at(0), 2), 'r'));
  run(world, cpuApi(world).mprotect(pagesFrom(at(2), 1), 'r'));
  assert.deepEqual(shown(world), ['0-3 r', '3-6 rw']);
  run(world, cpuApi(world).mprotect(pagesFrom(at(1), 2), 'rw'));
  assert.deepEqual(shown(world), ['0-1 r', '1-6 rw']);
});

test('munmap inside a mapping leaves both ends, each with its pages', () => {
  const world = newKernelWorld();
  mapped(world, 6);
  for (let page = 0; page < 6; page += 1) store(world, at(page), BigInt(page + 1));
  run(world, cpuApi(world).munmap(pagesFrom(at(2), 2)));
  assert.deepEqual(shown(world), ['0-2 rw', '4-6 rw']);
  assert.deepEqual(
    [load(world, at(1)), load(world, at(2)), load(world, at(4))],
    [2n, 'SIGSEGV', 5n],
  );
  assert.equal(inUse(world), 4);
});

test('parts of one file join only where their offsets continue each other', () => {
  const world = newKernelWorld();
  const range = pagesFrom(BASE, 2);
  const cpu = cpuApi(world);
  run(world, cpu.mmap({ range, prot: 'rw', kind: 'anon-shared' }));
  // Another shared anonymous mapping is another file.
  run(world, cpu.mmap({ range: pagesFrom(at(2), 2), prot: 'rw', kind: 'anon-shared' }));
  assert.deepEqual(shown(world), ['0-2 rw', '2-4 rw']);
  run(world, cpu.munmap(pagesFrom(at(1), 1)));
  assert.deepEqual(shown(world), ['0-1 rw', '2-4 rw']);
});

/** What is known of one page: its rights, and what it holds. */
interface ModelPage {
  prot: Prot;
  readonly kind: MappingKind;
  value: bigint;
}

const PAGES = 16;
const span = fc
  .tuple(fc.nat(PAGES - 1), fc.integer({ min: 1, max: 6 }))
  .map(([first, pages]) => ({ first, pages: Math.min(pages, PAGES - first) }));
const anyProt: fc.Arbitrary<Prot> = fc.constantFrom('none', 'r', 'rw', 'rw');

type Call =
  | { readonly call: 'mmap'; readonly span: Span; readonly prot: Prot; readonly kind: MappingKind }
  | { readonly call: 'munmap' | 'dontneed'; readonly span: Span }
  | { readonly call: 'mprotect'; readonly span: Span; readonly prot: Prot }
  | { readonly call: 'mremap'; readonly span: Span; readonly to: number }
  | { readonly call: 'store'; readonly page: number };
interface Span {
  readonly first: number;
  readonly pages: number;
}

const anyCall: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      call: fc.constant('mmap' as const),
      span,
      prot: anyProt,
      kind: fc.constantFrom<MappingKind>('anon-private', 'anon-private', 'anon-shared'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ call: fc.constantFrom('munmap', 'dontneed'), span }) },
  {
    weight: 4,
    arbitrary: fc.record({ call: fc.constant('mprotect' as const), span, prot: anyProt }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ call: fc.constant('mremap' as const), span, to: fc.nat(PAGES - 6) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ call: fc.constant('store' as const), page: fc.nat(PAGES - 1) }),
  },
);

/** The pages of the model after `call`, and the answer that it must get. */
function expected(model: (ModelPage | 'none')[], call: Call, value: bigint): string {
  if (call.call === 'store') {
    const page = model[call.page] ?? 'none';
    if (page === 'none' || page.prot !== 'rw') return 'SIGSEGV';
    page.value = value;
    return 'done';
  }
  const { first, pages } = call.span;
  const inside = model.slice(first, first + pages);
  switch (call.call) {
    case 'mmap':
      if (inside.some((page) => page !== 'none')) return 'EEXIST';
      for (let page = first; page < first + pages; page += 1) {
        model[page] = { prot: call.prot, kind: call.kind, value: 0n };
      }
      return 'OK';
    case 'munmap':
      model.fill('none', first, first + pages);
      return 'OK';
    case 'dontneed':
      // Shared memory stays in its file.
      for (const page of inside) {
        if (page !== 'none' && page.kind === 'anon-private') page.value = 0n;
      }
      return inside.includes('none') ? 'ENOMEM' : 'OK';
    case 'mprotect': {
      const hole = inside.indexOf('none');
      const done = hole < 0 ? inside : inside.slice(0, hole);
      for (const page of done) if (page !== 'none') page.prot = call.prot;
      return hole < 0 ? 'OK' : 'ENOMEM';
    }
    case 'mremap':
      return assert.fail('see remapped()');
  }
}

function perform(world: KernelWorld, call: Call, value: bigint): string {
  const cpu = cpuApi(world);
  if (call.call === 'store') return store(world, at(call.page), value);
  const range = pagesFrom(at(call.span.first), call.span.pages);
  const answered = (result: Result<void>) => (result.ok ? 'OK' : result.errno);
  switch (call.call) {
    case 'mmap':
      return answered(run(world, cpu.mmap({ range, prot: call.prot, kind: call.kind })));
    case 'munmap':
      return answered(run(world, cpu.munmap(range)));
    case 'dontneed':
      return answered(run(world, cpu.madvise(range, 'DONTNEED')));
    case 'mprotect':
      return answered(run(world, cpu.mprotect(range, call.prot)));
    case 'mremap':
      return answered(run(world, cpu.mremap(range, at(call.to))));
  }
}

/**
 * mremap in the model. Whether the source is one mapping the model does not know, so it follows the answer: EFAULT
 * comes after the target was taken away, unless nothing is mapped at the source.
 */
function remapped(
  model: (ModelPage | 'none')[],
  call: Extract<Call, { call: 'mremap' }>,
  answer: string,
): void {
  const { first, pages } = call.span;
  const moved = model.slice(first, first + pages);
  const overlap = first < call.to + pages && call.to < first + pages;
  if (moved[0] === 'none' || overlap) {
    assert.equal(answer, moved[0] === 'none' ? 'EFAULT' : 'EINVAL');
    return;
  }
  model.fill('none', call.to, call.to + pages);
  if (answer === 'EFAULT') return;
  assert.equal(answer, 'OK');
  assert.ok(!moved.includes('none'));
  model.fill('none', first, first + pages);
  for (const [index, page] of moved.entries()) model[call.to + index] = page;
}

function assertSame(world: KernelWorld, model: readonly (ModelPage | 'none')[]): void {
  const { vmas } = world.mm;
  for (const [index, vma] of vmas.entries()) {
    assert.ok(vma.first < vma.end, 'no empty mapping');
    const before = vmas[index - 1];
    assert.ok(before === undefined || before.end <= vma.first, 'sorted, without overlap');
    if (vma.file !== 'none') assert.ok(vma.file.vmas.includes(vma), 'known to its file');
    if (vma.anonVma !== 'none') assert.ok(vma.chain.includes(vma.anonVma), 'known to its anon_vma');
    for (const anonVma of vma.chain) assert.ok(anonVma.vmas.includes(vma));
  }
  for (const [index, page] of model.entries()) {
    const vma = vmaLookup(vmas, at(index));
    if (page === 'none') {
      assert.equal(vma, 'none', `page ${index}`);
      continue;
    }
    assert.ok(vma !== 'none', `page ${index}`);
    assert.deepEqual([vma.prot, vma.kind], [page.prot, page.kind], `page ${index}`);
    const seen = load(world, at(index));
    assert.equal(seen, page.prot === 'none' ? 'SIGSEGV' : page.value, `page ${index}`);
  }
}

test('any program of calls leaves each page with the rights and the value that it should have', () => {
  let remaps = 0;
  fc.assert(
    fc.property(fc.array(anyCall, { maxLength: 30, size: 'max' }), (calls) => {
      const world = newKernelWorld();
      const model: (ModelPage | 'none')[] = new Array(PAGES).fill('none');
      const first = { call: 'mmap', span: { first: 2, pages: 8 }, prot: 'rw' } as const;
      for (const [index, call] of [
        { ...first, kind: 'anon-private' } as const,
        ...calls,
      ].entries()) {
        const value = BigInt(index + 1);
        const answer = perform(world, call, value);
        if (call.call === 'mremap') {
          remapped(model, call, answer);
          if (answer === 'OK') remaps += 1;
        } else assert.equal(answer, expected(model, call, value), call.call);
      }
      assertSame(world, model);
      assertAtRest(world);
      run(world, cpuApi(world).munmap(pagesFrom(BASE, PAGES)));
      assert.equal(world.mm.vmas.length, 0);
      const cached = [...world.kernel.files.values()].reduce((n, { pages }) => n + pages.size, 0);
      assert.equal(inUse(world), cached);
    }),
    { numRuns: 200, seed: 7 },
  );
  assert.ok(remaps > 100, `${remaps} remaps are too few to tell`);
});

test('looking up finds what covers a page, and all that overlap a range', () => {
  const world = newKernelWorld();
  mapped(world, 2);
  mapped(world, 2, { first: at(4), prot: 'r' });
  const { vmas } = world.mm;
  assert.equal(vmaLookup(vmas, at(2)), 'none');
  assert.equal(vmasIn(vmas, pagesFrom(at(1), 4)).length, 2);
  assert.equal(vmasIn(vmas, pagesFrom(at(2), 2)).length, 0);
  for (const vma of vmas) {
    assert.ok(contains(vma, vma.first));
    assert.equal(linearIndex(vma, vma.first), vma.pgoff);
  }
});
