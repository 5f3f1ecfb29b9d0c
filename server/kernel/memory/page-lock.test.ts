import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newKernelWorld, run } from '../kernel-world.fixture.ts';
import { allocPage, putPage } from './page-references.ts';
import { setPageDirtyLock } from './set-page-dirty-lock.ts';

test('[FR6] a page is marked dirty while a reference keeps it, and not when it is free', () => {
  const world = newKernelWorld();
  const { kernel } = world;
  const pfn = allocPage(kernel);
  assert.ok(pfn !== 'none');
  run(world, setPageDirtyLock(kernel, pfn));
  run(world, putPage(kernel, pfn));
  assert.throws(() => run(world, setPageDirtyLock(kernel, pfn)), /FR6/);
});
