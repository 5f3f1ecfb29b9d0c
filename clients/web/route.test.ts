import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressOfRoute, parseRoute, type Route } from './route.ts';

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/);
const count = fc.integer({ min: 1, max: 1_000_000 });
const question = fc.record(
  {
    scenario: name,
    patch: name,
    strategy: fc.constantFrom('dpor' as const, 'pct' as const),
    seed: fc.integer({ min: 0, max: 999_999 }),
    budgetSeconds: fc.integer({ min: 1, max: 120 }),
    budgetExecutions: fc.integer({ min: 1, max: 10_000_000 }),
    parameters: fc.dictionary(name, fc.integer({ min: 0, max: 16 }), {
      minKeys: 1,
      maxKeys: 3,
    }),
    driver: fc.array(name, { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: ['scenario'] },
);

const route: fc.Arbitrary<Route> = fc.oneof(
  fc.constant<Route>({ view: 'home' }),
  fc.constant<Route>({ view: 'matrix' }),
  fc.constant<Route>({ view: 'campaigns' }),
  fc.record({ view: fc.constant('campaign' as const), id: name }),
  fc.constant<Route>({ view: 'recording' }),
  fc.record({ view: fc.constant('join' as const), code: name }),
  fc.record({
    view: fc.constant('lab' as const),
    lab: name,
    event: fc.oneof(count, fc.constant('live' as const)),
    hand: fc.constantFrom('on' as const, 'off' as const),
  }),
  fc.record({ view: fc.constantFrom('stage' as const, 'console' as const), lab: name }),
  fc.record({
    view: fc.constant('break' as const),
    level: name,
    moves: fc.stringMatching(/^[a-z]{0,20}$/),
    room: fc.oneof(fc.constant(''), name),
  }),
  fc.record({
    view: fc.constant('step' as const),
    level: name,
    moves: fc.stringMatching(/^[a-z]{0,20}$/),
    at: fc.nat({ max: 99 }),
  }),
  fc.record({ view: fc.constantFrom('device' as const, 'cpu' as const), lab: name, actor: name }),
  fc.record({
    view: fc.constant('run' as const),
    id: name,
    question,
    event: fc.oneof(count, fc.constant('end' as const)),
  }),
);

test('an address leads back to the view that it was made of', () => {
  fc.assert(
    fc.property(route, (each) => {
      // Objects of chance have no prototype; those of the page do.
      assert.deepEqual(parseRoute(addressOfRoute(each)), JSON.parse(JSON.stringify(each)));
    }),
  );
});

test('an address of nothing is nothing, and nonsense in a query is left out', () => {
  assert.equal(parseRoute('/labs/of/old').view, 'unknown');
  assert.equal(parseRoute('/lab/demo/observer/x').view, 'unknown');
  assert.equal(parseRoute('/%E0%A4%A').view, 'unknown');
  assert.deepEqual(parseRoute('/lab/demo?event=-3'), {
    view: 'lab',
    lab: 'demo',
    event: 'live',
    hand: 'on',
  });
  assert.deepEqual(parseRoute('/explore?scenario=a&strategy=magic&p.N=999999'), {
    view: 'explore',
    question: { scenario: 'a' },
  });
});

test('an address has no more of a scenario of one’s own than its name, and asks for no other', () => {
  const question = { scenario: 'mine', text: 'name: mine', preemptions: 2 };
  const address = addressOfRoute({ view: 'run', id: 'r', question, event: 'end' });
  assert.doesNotMatch(address, /text/);
  assert.deepEqual(parseRoute(address), { view: 'run', id: 'r', question: 'none', event: 'end' });
  const shipped = { scenario: 'seed-zero-page', preemptions: 2 };
  const again = parseRoute(addressOfRoute({ view: 'explore', question: shipped }));
  assert.deepEqual(again, { view: 'explore', question: shipped });
});
