import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerAddresses } from './server-addresses.ts';

test('a client with one server asks that one again and again', () => {
  const addresses = new ServerAddresses('ws://a');
  addresses.failed();
  assert.deepEqual([addresses.next, addresses.several], ['ws://a', false]);
});

test('the server that took the hello is tried first, then those that it named, then it again', () => {
  const addresses = new ServerAddresses('ws://a');
  addresses.greeted(['ws://b', 'ws://c']);
  const tried = [0, 1, 2, 3].map(() => {
    const { next } = addresses;
    addresses.failed();
    return next;
  });
  assert.deepEqual(tried, ['ws://a', 'ws://b', 'ws://c', 'ws://a']);
});

test('where a server sends a client it goes next, and it forgets neither the others nor the one that was given', () => {
  const addresses = new ServerAddresses('ws://a');
  addresses.greeted(['ws://b']);
  addresses.movedTo('ws://c');
  assert.equal(addresses.next, 'ws://c');
  addresses.greeted(['ws://d']);
  addresses.failed();
  assert.equal(addresses.next, 'ws://a');
  addresses.failed();
  assert.equal(addresses.next, 'ws://d');
});
