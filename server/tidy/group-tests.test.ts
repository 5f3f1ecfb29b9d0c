import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupsOf } from './group-tests.ts';

const LIGHT = "test('a', () => {});";

function grouped(texts: Readonly<Record<string, string>>): (readonly string[])[] {
  return groupsOf(Object.keys(texts), (path) => texts[path] ?? '').map(({ paths }) => paths);
}

test('files of one folder share a process, and what changes the process has one of its own', () => {
  assert.deepEqual(
    grouped({
      'server/b/two.test.ts': LIGHT,
      'server/b/deep/one.test.ts': LIGHT,
      'server/b/alone.test.ts': "process.env.MMRACE_URL = 'ws://x';",
      'server/c/three.test.ts': LIGHT,
    }),
    [
      ['server/b/alone.test.ts'],
      ['server/c/three.test.ts'],
      ['server/b/deep/one.test.ts', 'server/b/two.test.ts'],
    ],
  );
});

test('however many files there are, each is in one group', () => {
  const paths = Array.from({ length: 40 }, (_, at) => `server/b/${at}.test.ts`);
  const groups = groupsOf(paths, () => LIGHT);
  assert.deepEqual(groups.flatMap((group) => group.paths).toSorted(), paths.toSorted());
  assert.ok(groups.length > 1);
  assert.equal(new Set(groups.map(({ name }) => name)).size, groups.length);
});
