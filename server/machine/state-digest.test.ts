/** Digests stand in recordings: one that changes unseen makes every recording differ at its end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, openedWorld, pages, store, verb } from './opened-world.fixture.ts';
import { stateDigest } from './state-digest.ts';

test('the digest of a state is pinned, and each step that changes memory or a mirror changes it', () => {
  const opened = openedWorld();
  const seen: string[] = [];
  const note = () => seen.push(stateDigest(opened.world));
  note();
  assert.equal(load(opened), 0n);
  note();
  assert.equal(store(opened, 0x2an), 'done');
  note();
  assert.equal(store(opened, 0x2bn), 'done');
  note();
  assert.equal(verb(opened, 0, { verb: 'read', range: pages(0) }).errno, 'OK');
  note();
  assert.deepEqual(seen, [
    '3632b20e3a86f33b',
    'fade4a4e87ddfcb9',
    '3a9a0374cadb0deb',
    '3d9a082dc9db0c58',
    'ee739c400f38ba31',
  ]);
  assert.equal(new Set(seen).size, seen.length);
});

test('two worlds that came to one state by the same steps have one digest', () => {
  const [a, b] = [openedWorld(), openedWorld()];
  for (const opened of [a, b]) store(opened, 7n, 3);
  assert.equal(stateDigest(a.world), stateDigest(b.world));
});
