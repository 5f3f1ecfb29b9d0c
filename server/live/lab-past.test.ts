import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Inbound } from '../machine/remote/inbound.ts';
import { attachedBy, ITEMS_MAX, LabPast, modeBehind, wayBack } from './lab-past.ts';

function request(actor: string, id: number): Inbound {
  return { kind: 'request', actor, id, method: 'load', params: {}, contents: [] };
}

/** Two devices: each asks and is answered, ada first. */
function pastOfTwo(): LabPast {
  const past = new LabPast();
  let events = 0;
  for (const actor of ['ada', 'bob']) past.took({ kind: 'attach', actor, role: 'device' }, events);
  for (const actor of ['ada', 'bob']) {
    past.took(request(actor, 1), events);
    const outcome = { ok: true, result: {} } as const;
    past.sent({ kind: 'response', actor, id: 1, outcome, contents: [] });
    events += 10;
  }
  return past;
}

test('a moment is before each act, and counts what each client has said and heard', () => {
  const seen = pastOfTwo()
    .moments(20)
    .map(({ entries, events, clients }) => {
      return [entries, events, ...[...clients.values()].map(({ said, heard }) => said + heard)];
    });
  assert.deepEqual(seen, [
    [2, 0, 0, 0],
    [3, 10, 2, 0],
    [4, 20, 2, 2],
  ]);
});

test('a client that has done nothing since stays; one that keeps moments goes back to one of them', () => {
  const moments = pastOfTwo().moments(20);
  const [earlier, present] = [moments.slice(0, -1), moments.at(-1)];
  const ada = { name: 'ada', can: 'stay', knows: [{ said: 0, heard: 0 }] } as const;
  const way = wayBack(earlier, present, [
    ada,
    { name: 'bob', can: 'stay', knows: [{ said: 0, heard: 0 }] },
  ]);
  assert.ok(way !== 'none');
  assert.deepEqual([way.at.entries, ...way.ways.values()], [3, 'stays', 'goes back']);

  // In the middle of its verb bob kept no moment: then it is the one before, for both.
  const further = wayBack(earlier, present, [
    ada,
    { name: 'bob', can: 'not stay', knows: [{ said: 7, heard: 7 }] },
  ]);
  assert.equal(further, 'none');
});

test('a client without moments, and one that came later, begin anew', () => {
  const moments = pastOfTwo().moments(20);
  const way = wayBack(moments.slice(0, -1), moments.at(-1), [
    { name: 'bob', can: 'stay', knows: 'none' },
    { name: 'eve', can: 'stay', knows: [{ said: 0, heard: 0 }] },
  ]);
  assert.ok(way !== 'none');
  assert.deepEqual([way.at.entries, ...way.ways.values()], [3, 'begins anew', 'begins anew']);
});

test('of what is long ago only the count is kept, and what each client had said and heard', () => {
  const past = pastOfTwo();
  for (let id = 2; id < ITEMS_MAX; id += 1) past.took(request('ada', id), 20);
  const [first] = past.moments(20);
  assert.ok(first !== undefined && past.forgotten > ITEMS_MAX / 3);
  assert.equal(first.entries, past.forgotten);
  assert.deepEqual(first.clients.get('bob'), { said: 1, heard: 1 });
  assert.deepEqual(first.clients.get('ada'), { said: past.forgotten - 3, heard: 1 });
  assert.equal(past.forgotten + past.remembered.length, ITEMS_MAX + 2);
  assert.deepEqual(past.now(20), past.moments(20).at(-1));
});

test('how it was driven, and who was there, is in what was taken', () => {
  assert.equal(modeBehind([{ kind: 'pause' }, request('ada', 1)]), 'stepped');
  assert.equal(modeBehind([{ kind: 'pause' }, { kind: 'resume' }]), 'running');
  const attached = attachedBy([
    { kind: 'attach', actor: 'ada', role: 'device' },
    { kind: 'attach', actor: 'bob', role: 'device' },
    { kind: 'detach', actor: 'ada' },
  ]);
  assert.deepEqual([...attached], ['bob']);
});
