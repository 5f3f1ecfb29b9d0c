import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_CONFIG } from '../../server/app/config.ts';
import { startServer } from '../../server/app/start-server.ts';
import { connect } from './mmrace.ts';

const QUIET = { ...DEFAULT_CONFIG, drainMs: 0, logLevel: 'silent' } as const;

test('an observer outlives the server: it comes back to the next one, and begins with a snapshot', async () => {
  const first = await startServer({ ...QUIET, port: 0 });
  const snapshots: string[] = [];
  let arrived: () => void = () => undefined;
  const watcher = await connect({
    role: 'observer',
    url: first.webSocketUrl,
    lab: 'demo',
    name: 'watch',
    snapshot: ({ patch }) => {
      snapshots.push(patch);
      arrived();
    },
    events: () => undefined,
  });
  assert.deepEqual(snapshots, ['stock']);
  const again = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  await first.stop();
  const second = await startServer({ ...QUIET, port: first.port });
  await again;
  assert.deepEqual(snapshots, ['stock', 'stock']);
  watcher.close();
  assert.deepEqual(await watcher.closed, { why: 'ended' });
  await second.stop();
});

test('one that shall not come back is over with the connection', async () => {
  const server = await startServer({ ...QUIET, port: 0 });
  const watcher = await connect({
    role: 'observer',
    url: server.webSocketUrl,
    lab: 'demo',
    name: 'watch',
    onLoss: 'give-up',
    snapshot: () => undefined,
    events: () => undefined,
  });
  await server.stop();
  assert.equal((await watcher.closed).why, 'lost');
});
