import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../abi/event.ts';
import { EVENT_BATCH_MAX, OBSERVER_BACKLOG_BYTES_MAX } from '../protocol/limits.ts';
import { EventFeed, type Observer } from './event-feed.ts';

function event(n: number): Event {
  return { n, actor: 'a', task: 't', kind: 'note', text: '' };
}

class Watcher implements Observer {
  endings = 0;
  readonly batches: number[][] = [];
  readonly snapshots: number[] = [];
  waiting = 0;

  backlog(): number {
    return this.waiting;
  }

  ended(): void {
    this.endings += 1;
  }

  sendText(method: 'events' | 'snapshot', params: string): void {
    const told = JSON.parse(params);
    if (method === 'snapshot') this.snapshots.push(told.n);
    else this.batches.push(told.events.map(({ n }: Event) => n));
  }
}

function startFeed(): EventFeed {
  const snapshot = () => ({
    lab: 'test',
    n: feed.n,
    kernel: '6.1',
    patch: 'stock',
    actors: [],
    ptes: [],
    mirrors: [],
    vmas: [],
  });
  const feed: EventFeed = new EventFeed(snapshot, (thrown) => assert.fail(String(thrown)));
  return feed;
}

test('an observer sees every event after its snapshot, once and in order', () => {
  const feed = startFeed();
  feed.push(event(1));
  const early = new Watcher();
  assert.equal(feed.add(early).n, 1);
  feed.push(event(2));
  const late = new Watcher();
  assert.equal(feed.add(late).n, 2);
  feed.push(event(3));
  feed.flush();
  assert.deepEqual(early.batches, [[2], [3]]);
  assert.deepEqual(late.batches, [[3]]);
});

test('a burst goes out in batches of bounded size', () => {
  const feed = startFeed();
  const watcher = new Watcher();
  feed.add(watcher);
  for (let n = 1; n <= EVENT_BATCH_MAX + 1; n += 1) feed.push(event(n));
  assert.deepEqual(
    watcher.batches.map(({ length }) => length),
    [EVENT_BATCH_MAX],
  );
  feed.flush();
  assert.deepEqual(watcher.batches.at(1), [EVENT_BATCH_MAX + 1]);
});

test('an observer that is behind gets a snapshot once it has read all, and no event before', () => {
  const feed = startFeed();
  const slow = new Watcher();
  feed.add(slow);
  slow.waiting = OBSERVER_BACKLOG_BYTES_MAX + 1;
  feed.push(event(1));
  feed.flush();
  slow.waiting = 1;
  feed.push(event(2));
  feed.flush();
  assert.deepEqual([slow.batches, slow.snapshots], [[], []]);
  slow.waiting = 0;
  feed.push(event(3));
  feed.flush();
  assert.deepEqual([slow.batches, slow.snapshots], [[], [3]]);
  feed.push(event(4));
  feed.flush();
  assert.deepEqual(slow.batches, [[4]]);
});

test('after a restart everybody begins with a snapshot', () => {
  const feed = startFeed();
  const watcher = new Watcher();
  feed.add(watcher);
  feed.push(event(1));
  feed.restart();
  feed.push(event(1));
  feed.flush();
  assert.deepEqual([watcher.batches, watcher.snapshots], [[[1]], [1]]);
});

test('events without observers are counted and forgotten', () => {
  const feed = startFeed();
  feed.push(event(5));
  assert.equal(feed.n, 5);
  const watcher = new Watcher();
  feed.add(watcher);
  feed.remove(watcher);
  feed.push(event(6));
  feed.flush();
  assert.deepEqual(watcher.batches, []);
});
