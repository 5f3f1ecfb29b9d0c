/** A lab is busy for longer than its memory of events reaches, and is asked what happened before. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Event } from '../abi/event.ts';
import { RawClient } from '../gateway/gateway.fixture.ts';
import { EVENTS_KEPT_MAX } from '../machine/event-log.ts';
import { DEFAULT_CONFIG, type ServerConfig } from './config.ts';
import { type RunningServer, startServer } from './start-server.ts';

const AREA = { address: '0x100200000', pages: 1 };

let directory: string;
let server: RunningServer;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mmrace-history-'));
});

afterEach(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

async function begins(config: Partial<ServerConfig>): Promise<void> {
  const recorded = { recordTo: directory, restore: 'restored' } as const;
  server = await startServer({
    ...DEFAULT_CONFIG,
    port: 0,
    drainMs: 1,
    logLevel: 'silent',
    ...recorded,
    ...config,
  });
}

/** Every event of the lab as it was told, until there are `enough`. */
async function busy(enough: () => boolean): Promise<Event[]> {
  const lab = server.labs.find('demo');
  assert.ok(lab !== 'none');
  const told: Event[] = [...(lab.eventsAfter(0) as readonly Event[])];
  lab.observe({
    backlog: () => 0,
    sendText: (method, params) => {
      if (method === 'events') told.push(...JSON.parse(params).events);
    },
    ended: () => undefined,
  });
  const cpu = await new RawClient(server.webSocketUrl).opened();
  await cpu.hello('cpu', 'cpu0', { lab: 'demo' });
  await cpu.ask(1, 'mmap', { ...AREA, prot: 'rw', kind: 'anon-private' });
  for (let id = 2; !enough(); id += 2) {
    await cpu.ask(id, 'store', { address: AREA.address, value: `0x${id.toString(16)}` });
    await cpu.ask(id + 1, 'madvise', { ...AREA, advice: 'DONTNEED' });
  }
  cpu.socket.terminate();
  return told;
}

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly body: any;
}

async function history(query: string): Promise<Answer> {
  const answer = await fetch(`${server.url}/api/labs/demo/history?${query}`);
  return { status: answer.status, body: await answer.json() };
}

test('events that are forgotten are read from the recording, as they were told', async () => {
  await begins({ checkpointEvery: 500 });
  const lab = server.labs.find('demo');
  assert.ok(lab !== 'none');
  const told = await busy(() => lab.feed.n > 3 * EVENTS_KEPT_MAX);
  assert.equal(lab.eventsAfter(0), 'too-old');
  const last = lab.feed.n;
  const places = [1, 2, EVENTS_KEPT_MAX, Math.floor(last / 2), last - 5];
  const answers = await Promise.all(places.map((from) => history(`from=${from}&count=100`)));
  for (const [at, from] of places.entries()) {
    const { status, body } = answers[at] as Answer;
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(body.events, told.slice(from - 1, from + 99), `from ${from}`);
  }
  assert.deepEqual((await history(`from=${last + 50}`)).body.events, []);
  assert.equal((await history('')).body.events.length, EVENTS_KEPT_MAX);
});

test('what --keep has removed, and what was never recorded, is said', async () => {
  await begins({ checkpointEvery: 40, keep: 30_000 });
  const lab = server.labs.find('demo');
  assert.ok(lab !== 'none');
  let removed: Answer = { status: 0, body: {} };
  const look = async () => {
    removed = await history('from=1&count=1');
  };
  await busy(() => lab.feed.n > 3 * EVENTS_KEPT_MAX);
  await look();
  assert.deepEqual([removed.status, removed.body.error?.code], [410, 'events-removed']);
  await server.stop();
  await begins({ recordTo: 'nowhere', restore: 'new' });
  const other = server.labs.find('demo');
  assert.ok(other !== 'none');
  await busy(() => other.feed.n > 2 * EVENTS_KEPT_MAX);
  await look();
  assert.deepEqual([removed.status, removed.body.error?.code], [404, 'not-recorded']);
});
