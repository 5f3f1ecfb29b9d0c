import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newTaskContext } from '../../task/context.ts';
import { describeObject } from '../../task/object-id.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import { KernelBug } from '../../vocabulary/invariant.ts';
import { pageOfU64, ZERO_CONTENTS } from '../../vocabulary/page-contents.ts';
import type { RuleId } from '../../vocabulary/rules.ts';
import {
  addDeviceFrames,
  addMapcount,
  allocFrame,
  clearFlag,
  contentsOf,
  DEVICE_PFN_BASE,
  dropReferences,
  type Frames,
  frameExists,
  framesInUse,
  freeFrame,
  getPage,
  hasFlag,
  isDevicePfn,
  mapcount,
  mappingOf,
  maybeDmaPinned,
  newFrames,
  PAGE_ANON,
  PAGE_DIRTY,
  PAGE_LOCKED,
  PIN_BIAS,
  refcount,
  removeDeviceFrames,
  setContents,
  setFlag,
  setMapping,
  takeIntoUse,
  ZERO_PFN,
} from './frames.ts';

function frameZones(systemPages: number, devicePages: number): Frames {
  return newFrames(systemPages, devicePages, newTaskContext());
}

function alloc(frames: Frames): Pfn {
  const pfn = allocFrame(frames);
  return pfn === 'none' ? assert.fail('memory is used up') : pfn;
}

function breaks(rule: RuleId, act: () => void): void {
  assert.throws(act, (error) => error instanceof KernelBug && error.rule === rule);
}

test('a frame starts with one reference, no mapping and zeros', () => {
  const frames = frameZones(4, 0);
  const pfn = alloc(frames);
  assert.deepEqual([refcount(frames, pfn), mapcount(frames, pfn)], [1, 0]);
  assert.equal(contentsOf(frames, pfn), ZERO_CONTENTS);
  assert.notEqual(pfn, ZERO_PFN);
});

test('the frame that was freed last is handed out first, clean', () => {
  const frames = frameZones(8, 0);
  const [a, b, c] = [alloc(frames), alloc(frames), alloc(frames)];
  setContents(frames, b, pageOfU64(5n));
  setFlag(frames, b, PAGE_DIRTY | PAGE_ANON);
  setMapping(frames, b, 7, 9);
  for (const pfn of [a, b]) {
    dropReferences(frames, pfn, 1);
    freeFrame(frames, pfn);
  }
  assert.deepEqual([alloc(frames), alloc(frames)], [b, a]);
  assert.deepEqual([hasFlag(frames, b, PAGE_DIRTY), contentsOf(frames, b)], [false, ZERO_CONTENTS]);
  assert.deepEqual(mappingOf(frames, b), { id: 0, index: 0 });
  assert.ok(alloc(frames) > c);
});

test('memory grows up to its limit and keeps every column while it grows', () => {
  const frames = frameZones(1_000, 0);
  const all: Pfn[] = [];
  for (let index = 0; index < 1_000; index += 1) {
    const pfn = alloc(frames);
    all.push(pfn);
    getPage(frames, pfn, index);
    addMapcount(frames, pfn, 1);
    setFlag(frames, pfn, index % 2 === 0 ? PAGE_ANON : PAGE_LOCKED);
    setMapping(frames, pfn, index, 2 ** 34 + index);
  }
  assert.equal(allocFrame(frames), 'none');
  assert.equal(new Set(all).size, 1_000);
  for (const [index, pfn] of all.entries()) {
    assert.deepEqual([refcount(frames, pfn), mapcount(frames, pfn)], [1 + index, 1]);
    assert.deepEqual(mappingOf(frames, pfn), { id: index, index: 2 ** 34 + index });
    assert.equal(hasFlag(frames, pfn, PAGE_ANON), index % 2 === 0);
  }
  assert.deepEqual([...framesInUse(frames)], all);
});

test('device memory is added in pieces, not in use yet, and is told from system memory', () => {
  const frames = frameZones(4, 100);
  const first = addDeviceFrames(frames, 60);
  const second = addDeviceFrames(frames, 40);
  assert.ok(first !== 'none' && second !== 'none');
  assert.equal(second, first + 60);
  assert.equal(addDeviceFrames(frames, 1), 'none');
  assert.ok(isDevicePfn(first) && !isDevicePfn(alloc(frames)));
  assert.equal(refcount(frames, first), 0);
  takeIntoUse(frames, second);
  assert.deepEqual([...framesInUse(frames)].slice(1), [second]);
  dropReferences(frames, second, 1);
  freeFrame(frames, second);
  // A device hands its frames out itself.
  assert.ok(!isDevicePfn(alloc(frames)));
});

test('frames exist once they were handed out; the zero page always does', () => {
  const frames = frameZones(4, 4);
  const pfn = alloc(frames);
  assert.ok(frameExists(frames, pfn) && frameExists(frames, ZERO_PFN));
  assert.ok(!frameExists(frames, (pfn + 1) as Pfn));
  dropReferences(frames, pfn, 1);
  freeFrame(frames, pfn);
  assert.ok(frameExists(frames, pfn));
});

test('[FR1] a frame is freed once', () => {
  const frames = frameZones(4, 0);
  const pfn = alloc(frames);
  dropReferences(frames, pfn, 1);
  freeFrame(frames, pfn);
  breaks('FR1', () => freeFrame(frames, pfn));
});

test('[FR2] a frame that is mapped is not freed', () => {
  const frames = frameZones(4, 0);
  const pfn = alloc(frames);
  addMapcount(frames, pfn, 1);
  breaks('FR2', () => freeFrame(frames, pfn));
  addMapcount(frames, pfn, -1);
  freeFrame(frames, pfn);
});

test('[FR3] a reference is taken only on a frame that has one, and no more are dropped than there are', () => {
  const frames = frameZones(4, 4);
  const pfn = alloc(frames);
  getPage(frames, pfn, 2);
  assert.equal(dropReferences(frames, pfn, 2), 1);
  breaks('FR3', () => dropReferences(frames, pfn, 2));
  assert.equal(dropReferences(frames, pfn, 1), 0);
  breaks('FR3', () => getPage(frames, pfn, 1));
  breaks('FR3', () => dropReferences(frames, pfn, 1));
  const device = addDeviceFrames(frames, 1);
  assert.ok(device !== 'none');
  breaks('FR3', () => getPage(frames, device, 1));
});

test('[FR4] a mapcount never falls below zero', () => {
  const frames = frameZones(4, 0);
  const pfn = alloc(frames);
  addMapcount(frames, pfn, 1);
  addMapcount(frames, pfn, -1);
  breaks('FR4', () => addMapcount(frames, pfn, -1));
});

/** What `act` tells an explorer, object and mode. */
function told(frames: Frames, act: () => void): string[] {
  const { context } = frames;
  context.footprint = [];
  act();
  const touches = context.footprint;
  context.footprint = 'off';
  return touches.map(({ object, mode }) => `${mode} ${describeObject(object)}`);
}

test('an explorer is told of each look and each change', () => {
  const frames = frameZones(4, 0);
  const pfn = alloc(frames);
  const at = `0x${pfn.toString(16)}`;
  getPage(frames, pfn, 3);
  assert.deepEqual(
    told(frames, () => setFlag(frames, pfn, PAGE_DIRTY)),
    [`raise page(8, ${at})`],
  );
  assert.deepEqual(
    told(frames, () => getPage(frames, pfn, 1)),
    [`add page(0, ${at})`],
  );
  assert.deepEqual(
    told(frames, () => addMapcount(frames, pfn, 1)),
    [`add page(1, ${at})`],
  );
  assert.deepEqual(
    told(frames, () => refcount(frames, pfn)),
    [`read page(0, ${at})`],
  );
});

test('the last two references do not commute: the last one frees the page', () => {
  const frames = frameZones(4, 0);
  const pfn = alloc(frames);
  const at = `0x${pfn.toString(16)}`;
  getPage(frames, pfn, 2);
  assert.deepEqual(
    told(frames, () => dropReferences(frames, pfn, 1)),
    [`add page(0, ${at})`],
  );
  assert.deepEqual(
    told(frames, () => dropReferences(frames, pfn, 1)),
    [`write page(0, ${at})`],
  );
  assert.deepEqual(
    told(frames, () => dropReferences(frames, pfn, 1)),
    [`write page(0, ${at})`],
  );
});

test('frames are as good as each other, until one is the last', () => {
  const frames = frameZones(2, 0);
  const allocator = (touches: string[]) => touches.filter((one) => one.includes('allocator'));
  assert.deepEqual(allocator(told(frames, () => alloc(frames))), ['lower allocator(0, 0x0)']);
  assert.deepEqual(allocator(told(frames, () => alloc(frames))), ['write allocator(0, 0x0)']);
  assert.deepEqual(allocator(told(frames, () => allocFrame(frames))), ['write allocator(0, 0x0)']);
});

test('the zero page is not counted', () => {
  const frames = frameZones(4, 0);
  getPage(frames, ZERO_PFN, 1);
  assert.equal(refcount(frames, ZERO_PFN), 0);
});

test('a page counts as pinned from one pin on, whatever else refers to it', () => {
  const frames = frameZones(4, 0);
  const pfn = alloc(frames);
  getPage(frames, pfn, 3);
  assert.ok(!maybeDmaPinned(frames, pfn));
  getPage(frames, pfn, PIN_BIAS);
  assert.ok(maybeDmaPinned(frames, pfn));
});

test('flags are set and cleared one by one', () => {
  const frames = frameZones(4, 0);
  const pfn = alloc(frames);
  setFlag(frames, pfn, PAGE_DIRTY | PAGE_ANON);
  clearFlag(frames, pfn, PAGE_DIRTY);
  assert.deepEqual(
    [hasFlag(frames, pfn, PAGE_DIRTY), hasFlag(frames, pfn, PAGE_ANON)],
    [false, true],
  );
});

test('a page of zeros is not stored', () => {
  const frames = frameZones(4, 0);
  const pfn = alloc(frames);
  setContents(frames, pfn, pageOfU64(5n));
  assert.deepEqual(contentsOf(frames, pfn), pageOfU64(5n));
  setContents(frames, pfn, pageOfU64(0n));
  assert.equal(frames.contents.size, 0);
});

test('allocating and freeing in any order never hands out a frame that is in use', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { maxLength: 200, size: 'max' }), (choices) => {
      const frames = frameZones(40, 0);
      const live: Pfn[] = [];
      for (const choice of choices) {
        if (choice < 3) {
          const pfn = allocFrame(frames);
          assert.equal(pfn === 'none', live.length === 40);
          if (pfn === 'none') continue;
          assert.ok(!live.includes(pfn));
          live.push(pfn);
        } else {
          const [pfn] = live.splice(choice % Math.max(1, live.length), 1);
          if (pfn === undefined) continue;
          dropReferences(frames, pfn, 1);
          freeFrame(frames, pfn);
        }
      }
      assert.deepEqual(
        [...framesInUse(frames)],
        live.slice().sort((a, b) => a - b),
      );
    }),
    { numRuns: 100, seed: 1 },
  );
});

test('device memory that is given back is handed out again, and never twice', () => {
  const limit = 64;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 20 })), { maxLength: 60 }),
      (moves) => {
        const frames = newFrames(1, limit, newTaskContext());
        const taken: { first: number; count: number }[] = [];
        for (const [adds, size] of moves) {
          if (!adds) {
            const [gone] = taken.splice(size % Math.max(1, taken.length), 1);
            if (gone !== undefined) removeDeviceFrames(frames, gone.first as Pfn, gone.count);
            continue;
          }
          const first = addDeviceFrames(frames, size);
          if (first === 'none') continue;
          for (const other of taken) {
            assert.ok(first + size <= other.first || other.first + other.count <= first);
          }
          assert.ok(first >= DEVICE_PFN_BASE && first + size <= DEVICE_PFN_BASE + limit);
          taken.push({ first, count: size });
        }
        for (const { first, count } of taken) removeDeviceFrames(frames, first as Pfn, count);
        assert.deepEqual([frames.deviceHoles, frames.device.used], [[], 0]);
      },
    ),
  );
});
