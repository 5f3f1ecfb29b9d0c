/** Clients that stop reading cost a bounded amount of memory, and nobody else anything. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { CLOSE_CODES } from '../protocol/close-codes.ts';
import { OBSERVER_BACKLOG_BYTES_MAX, OUTBOX_BYTES_MAX } from '../protocol/limits.ts';
import type { PageContents } from '../vocabulary/page-contents.ts';
import { type Harness, joined, startHarness } from './gateway.fixture.ts';

/** What stands around the text of a batch. */
const FRAMING_BYTES = 1_024;

let harness: Harness;

beforeEach(async () => {
  harness = await startHarness();
});

afterEach(async () => {
  await harness.close();
});

const PAGE: PageContents = new Uint8Array(4096).fill(1);

test('an actor that stops reading is closed with a documented code, within the bound', async () => {
  const slow = await joined(harness, 'device', 'slow');
  const other = await joined(harness, 'device', 'other');
  slow.stopReading();
  const machine = harness.machine();
  machine.pages = Array.from({ length: 512 }, () => PAGE);
  machine.silent.add('dma_read');
  slow.send({ id: 1, method: 'dma_read', params: { targets: [{ page: 0, pfn: 1 }] } });
  await other.ask(1, 'mmap_read_lock');
  const request = machine.accepted.find(({ kind }) => kind === 'request');
  assert.ok(request?.kind === 'request');
  // Two megabytes an answer: the socket takes some, then they wait, then there are too many.
  for (let sent = 0; sent < 64; sent += 1) {
    machine.answer(request);
    assert.ok(slowestBacklog() <= OUTBOX_BYTES_MAX);
    await new Promise(setImmediate);
  }
  assert.deepEqual((await other.ask(2, 'mmap_read_unlock')).result, {});
  slow.readOn();
  assert.deepEqual(await slow.closed, { code: CLOSE_CODES['too-slow'].code, reason: 'too-slow' });
  assert.deepEqual((await other.ask(3, 'mmap_read_lock')).result, {});
});

test('an observer that stops reading misses batches and then gets a snapshot', async () => {
  harness.labs.open('test', { patch: 'stock' }, 'kept');
  const slow = await joined(harness, 'observer', 'slow');
  const quick = await joined(harness, 'observer', 'quick');
  await joined(harness, 'device', 'a');
  assert.equal((await quick.next()).params.events[0].text, 'attach');
  const machine = harness.machine();
  slow.stopReading();
  let last = 0;
  const text = 'x'.repeat(64 * 1024);
  for (let sent = 0; sent < 400; sent += 1) {
    machine.note(text, 'a');
    harness.pass(0);
    const frame = await quick.next();
    assert.equal(frame.method, 'events');
    last = frame.params.events.at(-1).n;
    assert.ok(slowestBacklog() <= OBSERVER_BACKLOG_BYTES_MAX + FRAMING_BYTES);
  }
  slow.readOn();
  const seen: (string | undefined)[] = [];
  for (;;) {
    const frame = await slow.next();
    seen.push(frame.method);
    if (frame.method === 'snapshot') {
      assert.equal(frame.params.n, last);
      break;
    }
    // Once it has read everything, the next look at the clock sends the snapshot.
    while (slowestBacklog() > 0) await new Promise(setImmediate);
    harness.pass(0);
  }
  assert.ok(seen.length < 400);
  machine.note('afterwards', 'a');
  harness.pass(0);
  assert.deepEqual(
    (await slow.next()).params.events.map(({ n }: { n: number }) => n),
    [last + 1],
  );
});

function slowestBacklog(): number {
  return harness.gateway.bytesWaiting;
}
