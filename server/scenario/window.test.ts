import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../abi/event.ts';
import { type CompiledWindow, watchWindow } from './window.ts';

const HELD: CompiledWindow = [
  [{ event: 'pte', function: 'any', by: 'cpu0', page: 'any', to: 'any', result: 'any' }],
];
const FAULT = { kind: 'callback', function: 'migrate_to_ram', device: 'gpu0', actor: 'cpu0' };
const CALLED = {
  kind: 'callback-return',
  function: 'migrate_to_ram',
  device: 'gpu0',
  actor: 'cpu0',
};
const ENTRY = { kind: 'pte', actor: 'gpu0' };

function entered(far: readonly string[], events: readonly object[]): boolean {
  const window = watchWindow(HELD, new Set(far));
  for (const event of events) window.see(event as Event);
  return window.entered();
}

test('what a far device does while it serves a fault is done for the CPU that waits', () => {
  assert.equal(entered(['gpu0'], [FAULT, ENTRY]), true);
  assert.equal(entered(['gpu0'], [ENTRY]), false);
  assert.equal(entered(['gpu0'], [FAULT, CALLED, ENTRY]), false);
  // A near driver serves the fault in the task of the CPU: what its own threads do is their own.
  assert.equal(entered([], [FAULT, ENTRY]), false);
});
