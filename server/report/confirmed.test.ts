import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Confirmed, confirmedDocument, seenText } from './confirmed.ts';

const ROW: Confirmed = {
  linux: '6.12.117',
  driver: 'as it is',
  question: 'a',
  kernel: '6.12',
  patch: 'p',
  played: 'as found',
  model: 'x | y',
  outcome: 'confirmed',
  linuxDid: 'stale in 10 of 10',
  control: '',
};

test('the document counts its rows by kernel, and no cell breaks the table', () => {
  const text = confirmedDocument([
    ROW,
    { ...ROW, outcome: 'not re-enactable', linuxDid: 'one\ntwo' },
    { ...ROW, linux: '6.1.192', played: 'on stock' },
  ]);
  assert.match(text, /## Linux 6\.12\.117\n\n1 confirmed, 0 not confirmed,\n1 cannot be played,/);
  assert.match(text, /## Linux 6\.1\.192\n\n1 confirmed,/);
  assert.match(text, /^\| a \| p \| x \\\| y \| one two \| {2}\| not re-enactable \|$/m);
  assert.match(text, /^\| a \| p, played on stock \|/m);
});

test('what was seen is said of the kernel that it was played on', () => {
  assert.equal(seenText(ROW), 'Seen on Linux 6.12.117: stale in 10 of 10 runs');
  assert.equal(
    seenText({ ...ROW, played: 'on stock', linuxDid: 'clean of 10' }),
    'On Linux 6.12.117: clean of 10 runs of what fails with p',
  );
});
