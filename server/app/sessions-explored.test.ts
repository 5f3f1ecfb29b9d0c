/**
 * Sessions and restoring under the project's own scheduler: every order of what may happen, within a bound that
 * docs/SECURITY.md states. In each state what was answered is on the disk, each request was taken once and in order, no
 * session was lost; at each end everything was answered.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everyState } from './every-state.fixture.ts';
import { type Bound, newSessionsWorld } from './sessions-world.fixture.ts';

const QUIET: Bound = { requests: 1, cuts: 0, doubles: 0, deaths: [], death: 'power' };
/** At once, or in the middle of the n-th write from then on: a start and a resume write five lines. */
const DEATHS = [0, 1, 2, 3, 4, 5];

function holds(t: { diagnostic(text: string): void }, bounds: readonly Bound[]): void {
  let [states, ends, resumed] = [0, 0, 0];
  for (const bound of bounds) {
    const found = everyState(newSessionsWorld(bound));
    assert.equal(found.failure, 'none', `${JSON.stringify(bound)}\n${found.way.join('\n')}`);
    states += found.states;
    ends += found.ends;
    resumed += found.windowEntered;
  }
  assert.ok(resumed > 0);
  t.diagnostic(`${states} states, ${ends} ends, in ${resumed} of them with a session resumed`);
}

test('two connections break, anywhere; a frame arrives twice', (t) => {
  holds(t, [
    { ...QUIET, requests: 2, cuts: 2 },
    { ...QUIET, requests: 2, cuts: 1, doubles: 1 },
  ]);
});

for (const death of ['power', 'kill'] as const) {
  test(`the server dies between any two writes, and a connection breaks: ${death}`, (t) => {
    holds(
      t,
      DEATHS.map((writes) => ({ ...QUIET, cuts: 1, deaths: [writes], death })),
    );
  });

  test(`the server dies twice, the second time perhaps as it restores: ${death}`, (t) => {
    const twice = DEATHS.flatMap((first) => DEATHS.map((second) => [first, second]));
    holds(
      t,
      twice.map((deaths) => ({ ...QUIET, deaths, death })),
    );
  });
}

for (const death of ['power', 'kill'] as const) {
  test(`a request takes more than one turn, the client comes back and the server dies: ${death}`, (t) => {
    holds(
      t,
      [0, 1].map((writes) => ({ ...QUIET, long: 1, cuts: 1, deaths: [writes], death })),
    );
  });
}

test('with two requests under way', (t) => {
  holds(t, [{ ...QUIET, requests: 2, cuts: 1, deaths: [2] }]);
});

test('a server that answers before the disk has it, and one that forgets a key, are found', () => {
  const bound = { ...QUIET, requests: 2, cuts: 1, deaths: [1] };
  const hasty = everyState(newSessionsWorld({ ...bound, mutant: 'answers before the disk' }));
  assert.match(JSON.stringify(hasty.failure), /an answer was acknowledged and is lost/);
  const forgets = everyState(newSessionsWorld({ ...bound, mutant: 'forgets a key' }));
  assert.match(JSON.stringify(forgets.failure), /the session is over/);
});
