/** The same client over a real WebSocket, against the gateway. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Harness, startHarness } from '../../server/gateway/gateway.fixture.ts';
import type { Task } from '../../server/task/task.ts';
import { pageIndex, pfn } from '../../server/vocabulary/address.ts';
import { OK, type Result } from '../../server/vocabulary/errno.ts';
import { pageOfU64 } from '../../server/vocabulary/page-contents.ts';
import { connect } from './connect.ts';
import { SessionClosed } from './connection.ts';
import type { Device, DeviceFactory } from './device-client.ts';
import { globalSocket, type SocketFactory, type SocketLike } from './web-socket.ts';

function* idle(): Task<Result<void>> {
  return OK;
}

const idleDevice: DeviceFactory = (): Device => ({
  open: idle,
  *perform({ verb }) {
    return { verb };
  },
  driver: {
    *invalidate() {
      return 'done';
    },
    migrateToRam: idle,
    *pageFree() {},
    *release() {},
  },
});

async function withHarness(body: (harness: Harness) => Promise<void>): Promise<void> {
  const harness = await startHarness();
  harness.labs.open('test', { patch: 'stock' }, 'kept');
  try {
    await body(harness);
  } finally {
    await harness.close();
  }
}

test('pages go there and back as binary frames, and the subprotocol is agreed', () =>
  withHarness(async (harness) => {
    const device = await connect({
      role: 'device',
      url: harness.url,
      lab: 'test',
      name: 'dev0',
      device: idleDevice,
    });
    harness.machine().pages = [pageOfU64(5n), pageOfU64(0n)];
    const targets = [16, 17].map((page) => ({ page: pageIndex(page), pfn: pfn(page) }));
    const read = await device.run('read', device.api.dmaRead(targets));
    assert.deepEqual(read, { ok: true, value: [pageOfU64(5n), pageOfU64(0n)] });
    const written = await device.run(
      'write',
      device.api.dmaWrite(targets, [pageOfU64(1n), pageOfU64(2n)]),
    );
    assert.deepEqual(written, OK);
    const arrived = harness.machine().accepted.findLast((inbound) => inbound.kind === 'request');
    assert.deepEqual(arrived?.contents, [pageOfU64(1n), pageOfU64(2n)]);
    device.close();
    assert.deepEqual(await device.connection.closed, { why: 'ended' });
  }));

test('a device that leaves its name to the lab comes back under the one that it was given', () =>
  withHarness(async (harness) => {
    const device = await connect({
      role: 'device',
      url: harness.url,
      lab: 'test',
      name: 'auto',
      device: idleDevice,
    });
    assert.deepEqual([device.connection.name, device.api.owner], ['dev0', 'dev0']);
    device.connection.comeBack();
    await device.run('lock', device.api.mmapReadLock());
    const { session } = device.connection;
    assert.ok(session !== 'none');
    assert.deepEqual([session.session, session.actor], ['resumed', 'dev0']);
    device.close();
    await device.connection.left;
  }));

test('a connection that breaks is resumed, and a question of the meantime is answered once', () =>
  withHarness(async (harness) => {
    const sockets: SocketLike[] = [];
    const socket: SocketFactory = (url, subprotocol) => {
      const made = globalSocket(url, subprotocol);
      sockets.push(made);
      return made;
    };
    const device = await connect({
      role: 'device',
      url: harness.url,
      lab: 'test',
      name: 'dev0',
      device: idleDevice,
      socket,
    });
    const lab = harness.labs.get('test');
    assert.ok(lab !== 'none');
    sockets[0]?.close(4999, 'test');
    const performed = lab.perform('dev0', { verb: 'hello again' });
    const locked = device.run('lock', device.api.mmapReadLock());
    assert.deepEqual(await performed, { ok: true, result: { verb: 'hello again' } });
    await locked;
    assert.equal(sockets.length, 2);
    const locks = harness
      .machine()
      .accepted.filter(
        (inbound) => inbound.kind === 'request' && inbound.method === 'mmap_read_lock',
      );
    assert.equal(locks.length, 1);
    assert.equal(device.connection.session === 'none' ? 0 : device.connection.session.epoch, 2);
    device.close();
  }));

test('a name that is taken is refused with a sentence', () =>
  withHarness(async (harness) => {
    const options = {
      role: 'device',
      url: harness.url,
      lab: 'test',
      name: 'dev0',
      device: idleDevice,
    } as const;
    const first = await connect(options);
    await assert.rejects(connect(options), (error: unknown) => {
      assert.ok(error instanceof SessionClosed && error.closed.why === 'refused');
      assert.equal(error.closed.refusal.code, 'name-taken');
      return true;
    });
    first.close();
  }));

test('a reset of the lab reaches the device, which opens again', () =>
  withHarness(async (harness) => {
    let opened = 0;
    const device = await connect({
      role: 'device',
      url: harness.url,
      lab: 'test',
      name: 'dev0',
      device: (kernel) => ({
        ...idleDevice(kernel),
        *open() {
          opened += 1;
          yield* kernel.api.mmapReadLock();
          return OK;
        },
      }),
    });
    const lab = harness.labs.get('test');
    assert.ok(lab !== 'none');
    await lab.perform('dev0', { verb: 'first' });
    await lab.renew({ patch: 'stock' });
    assert.deepEqual(await lab.perform('dev0', { verb: 'second' }), {
      ok: true,
      result: { verb: 'second' },
    });
    assert.equal(opened, 2);
    device.close();
  }));

test('an observer starts from a snapshot and sees what happens', () =>
  withHarness(async (harness) => {
    const seen: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const observer = await connect({
      role: 'observer',
      url: harness.url,
      lab: 'test',
      name: 'eye',
      snapshot: ({ lab, n }) => seen.push(`${lab} at ${n}`),
      events: (events) => {
        for (const event of events) if (event.kind === 'note') seen.push(event.text);
        resolve();
      },
    });
    harness.machine().note('something', 'cpu0');
    await promise;
    assert.deepEqual(seen, ['test at 0', 'something']);
    observer.close();
  }));

test('nobody at the address: the connection is unreachable', async () => {
  const options = { role: 'observer', lab: 'test', name: 'eye' } as const;
  const rejected = connect({
    ...options,
    url: 'ws://127.0.0.1:1/ws',
    snapshot: () => undefined,
    events: () => undefined,
  });
  await assert.rejects(rejected, (error: unknown) => {
    assert.ok(error instanceof SessionClosed);
    assert.equal(error.closed.why, 'unreachable');
    return true;
  });
});
