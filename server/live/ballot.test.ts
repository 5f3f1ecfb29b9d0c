import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ballot } from './ballot.ts';

const CHOICES = [
  { choice: 'cpu0', words: 'reads 0x0' },
  { choice: 'gpu0', words: 'a sweep begins' },
];

test('each actor has one voice, may think again, and takes it along when it goes', () => {
  const ballot = new Ballot();
  assert.equal(ballot.seen(), 'none');
  ballot.ask('step 1', CHOICES);
  for (const [actor, choice] of [
    ['ada', 'cpu0'],
    ['bob', 'gpu0'],
    ['ada', 'gpu0'],
    ['eve', 'cpu0'],
  ] as const) {
    assert.equal(ballot.say(actor, 1, choice), 'counted');
  }
  ballot.gone('eve');
  assert.deepEqual(ballot.seen(), {
    round: 1,
    about: 'step 1',
    choices: CHOICES,
    counts: { gpu0: 2 },
  });
});

test('a voice for an earlier round, or for what is not asked, does not count', () => {
  const ballot = new Ballot();
  ballot.ask('step 1', CHOICES);
  ballot.ask('step 1', CHOICES);
  assert.equal(ballot.say('ada', 1, 'cpu0'), 'late');
  assert.equal(ballot.say('ada', 2, 'gpu7'), 'late');
  assert.deepEqual(ballot.seen(), { round: 2, about: 'step 1', choices: CHOICES, counts: {} });
  ballot.ask('', []);
  assert.equal(ballot.seen(), 'none');
});
