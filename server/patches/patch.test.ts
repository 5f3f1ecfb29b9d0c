import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STOCK } from '../kernel/stock.ts';
import { STOCK_NAME } from './joint-name.ts';
import { type Patch, patched } from './patch.ts';
import { PATCHES } from './patches.ts';

function counting(id: string, log: string[]): Patch {
  return {
    id,
    provenance: 'a test',
    summary: 'counts munmaps',
    overrides: (inner) => ({
      *munmap(k, mm, range) {
        log.push(id);
        return yield* inner.munmap(k, mm, range);
      },
    }),
  };
}

test('patches nest: the last one is outermost and each sees the kernel below it', () => {
  const log: string[] = [];
  const bottom: Patch = {
    ...counting('bottom', log),
    overrides: () => ({
      *munmap() {
        log.push('bottom');
        return { ok: true, value: undefined };
      },
    }),
  };
  const fn = patched(STOCK, [bottom, counting('middle', log), counting('top', log)]);
  const task = fn.munmap(undefined as never, undefined as never, undefined as never);
  assert.equal(task.next().done, true);
  assert.deepEqual(log, ['top', 'middle', 'bottom']);
});

test('functions that no patch names are the stock ones, and the stock kernel stays as it was', () => {
  const before = { ...STOCK };
  const fn = patched(STOCK, [counting('a', [])]);
  assert.notEqual(fn.munmap, STOCK.munmap);
  assert.deepEqual({ ...fn, munmap: STOCK.munmap }, before);
  assert.deepEqual(STOCK, before);
});

test('every patch that ships has an id of its own, a source, a sentence, and changes something', () => {
  for (const [id, patch] of PATCHES) {
    assert.equal(patch.id, id);
    assert.match(id, /^[a-z0-9]+(?:-[a-z0-9]+)*$/);
    assert.notEqual(id, STOCK_NAME);
    assert.ok(patch.provenance.length > 20 && patch.summary.length > 20, id);
    const overrides = patch.overrides({ ...STOCK });
    const names = Object.keys(overrides) as (keyof typeof STOCK)[];
    assert.ok(names.length > 0, id);
    for (const name of names) {
      assert.ok(name in STOCK, `${id} overrides ${name}`);
      assert.notEqual(overrides[name], STOCK[name]);
    }
  }
});
