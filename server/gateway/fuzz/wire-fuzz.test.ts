import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzWire } from './wire-fuzz.fixture.ts';

const FRAMES = 20_000;
/** Calls that only succeed if others did before: noise alone does not get there. */
const DEEP = [
  'migrate_vma_finalize',
  'hmm_range_fault',
  'make_device_exclusive_range',
  'dma_write',
  'unpin',
  'fork',
];

test('clients that say anything end no lab, and a bystander is served as ever', async () => {
  const { served, clients } = await fuzzWire({ frames: FRAMES, seed: 14 });
  for (const method of DEEP) assert.ok(served.has(method), `${method} never succeeded`);
  assert.ok(clients > 100, `${clients} clients`);
});
