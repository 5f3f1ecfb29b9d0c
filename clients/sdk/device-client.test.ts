import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceApi, MirrorEntry } from '../../server/abi/device-api.ts';
import { objectId } from '../../server/task/object-id.ts';
import { type Task, waitUntil } from '../../server/task/task.ts';
import { type PageRange, pageIndex, pageRange, pfn } from '../../server/vocabulary/address.ts';
import { fail, OK, type Result } from '../../server/vocabulary/errno.ts';
import { pageOfU64 } from '../../server/vocabulary/page-contents.ts';
import { type Device, DeviceClient } from './device-client.ts';
import { HandServer, type SeenFrame } from './hand-moved-server.fixture.ts';

const RANGE: PageRange = pageRange(pageIndex(16), pageIndex(18));
const MAPPED: MirrorEntry = { state: 'mapped', pfn: pfn(100), access: 'read' };

/** A driver of a few lines, with a log of what the kernel asked. */
function smallDevice(api: DeviceApi, log: string[], seen: unknown[]): Device {
  return {
    *open() {
      const inserted = yield* api.mmuIntervalNotifierInsert(RANGE);
      if (!inserted.ok) return inserted;
      log.push(`inserted ${inserted.value.id} at ${inserted.value.invalidateSeq}`);
      return OK;
    },
    *perform({ verb }) {
      yield waitUntil('perform', objectId('user', 0, 9), () => true);
      if (verb === 'setup') {
        const setup = yield* api.migrateVmaSetup({
          mm: 0,
          range: RANGE,
          select: 'system',
          faultPage: 'none',
        });
        return { errno: setup.ok ? 'OK' : setup.errno };
      }
      api.mirrorChanged(RANGE.first, MAPPED);
      api.mirrorChanged(pageIndex(17), MAPPED);
      api.zoneDevicePageInit(pfn(7));
      const read = yield* api.dmaRead([{ page: RANGE.first, pfn: pfn(100) }]);
      return { read: read.ok ? read.value.length : read.errno };
    },
    driver: {
      *invalidate(sub, range, seq): Task<'done'> {
        seen.push(sub);
        log.push(`invalidate ${range.event} ${range.range.first}-${range.range.end}`);
        sub.invalidateSeq = seq;
        api.mirrorChanged(range.range.first, { state: 'none' });
        return 'done';
      },
      *migrateToRam(fault): Task<Result<void>> {
        log.push(`migrate_to_ram ${fault.page}`);
        return fail('ENOMEM');
      },
      *pageFree(frame): Task<void> {
        log.push(`page_free ${frame}`);
      },
      *release(): Task<void> {
        log.push('release');
      },
    },
  };
}

function started(device = smallDevice) {
  const server = new HandServer();
  const log: string[] = [];
  const seen: unknown[] = [];
  const client = new DeviceClient({
    url: 'ws://test/ws',
    lab: 'test',
    name: 'dev0',
    socket: server.socket,
    device: ({ api }) => device(api, log, seen),
    fenced: (why) => log.push(`fenced: ${why}`),
  });
  server.greet();
  return { server, client, log, seen };
}

/** The same with two passes: the sequence moves in the first, the entry goes in the second. */
function inPasses(api: DeviceApi, log: string[], seen: unknown[]): Device {
  const device = smallDevice(api, log, seen);
  return {
    ...device,
    driver: {
      ...device.driver,
      *invalidateStart(sub, range, seq) {
        log.push(`start ${seq}`);
        if (range.event === 'release') return 'done';
        sub.invalidateSeq = seq;
        return function* () {
          log.push(`finish ${seq}`);
          api.mirrorChanged(range.range.first, { state: 'none' });
        };
      },
    },
  };
}

function opened(device = smallDevice) {
  const all = started(device);
  all.server.answer(all.server.frame(), { subscription: 3, invalidate_seq: 4 });
  return all;
}

const INVALIDATE = {
  subscription: 3,
  mm: 0,
  range: RANGE,
  event: 'clear',
  owner: 'none',
  blocking: 'blockable',
  seq: 5,
};

function brief(frames: readonly SeenFrame[]): unknown[] {
  return frames.map(({ method, id, result }) => method ?? { id, result });
}

test('a device opens, and what the kernel asks are tasks of the driver', () => {
  const { server, log } = opened();
  server.send({ id: 50, method: 'invalidate', params: INVALIDATE });
  server.send({ id: 51, method: 'migrate_to_ram', params: { mm: 0, page: 16, pfn: 7 } });
  server.send({ method: 'page_free', params: { pfn: 7 } });
  server.send({ id: 52, method: 'release', params: {} });
  assert.deepEqual(log, [
    'inserted 3 at 4',
    'invalidate clear 16-18',
    'migrate_to_ram 16',
    'page_free 7',
    'release',
  ]);
  // What the callback did to the page table is told before its answer.
  assert.deepEqual(brief(server.frames()), [
    'mirror_changed',
    { id: 50, result: { result: 'done', invalidate_seq: 5 } },
    { id: 51, result: { result: 'ENOMEM' } },
    { id: 52, result: {} },
  ]);
});

test('a driver with two passes subscribes as such, and each second pass belongs to its call', () => {
  const { server, log } = started(inPasses);
  const insert = server.frame();
  assert.deepEqual(insert.params, { range: RANGE, passes: 'two' });
  server.answer(insert, { subscription: 3, invalidate_seq: 4 });
  log.length = 0;
  const calls = [7, 8].map((call) => ({ ...INVALIDATE, seq: call, call }));
  const [one, other] = calls;
  const release = { ...INVALIDATE, event: 'release', call: 9 };
  server.send({ id: 50, method: 'invalidate_start', params: one });
  server.send({ id: 51, method: 'invalidate_start', params: other });
  server.send({ id: 52, method: 'invalidate_start', params: release });
  server.send({ id: 53, method: 'invalidate_finish', params: other });
  server.send({ id: 54, method: 'invalidate_finish', params: one });
  assert.deepEqual(log, ['start 7', 'start 8', 'start 5', 'finish 8', 'finish 7']);
  assert.deepEqual(brief(server.frames()), [
    { id: 50, result: { result: 'begun', invalidate_seq: 7 } },
    { id: 51, result: { result: 'begun', invalidate_seq: 8 } },
    { id: 52, result: { result: 'done', invalidate_seq: 8 } },
    'mirror_changed',
    { id: 53, result: { invalidate_seq: 8 } },
    'mirror_changed',
    { id: 54, result: { invalidate_seq: 8 } },
  ]);
});

test('a second pass of what this client did not begin does the whole', () => {
  const { server, log } = opened(inPasses);
  server.send({ id: 50, method: 'invalidate_finish', params: { ...INVALIDATE, call: 7 } });
  assert.equal(log.at(-1), 'invalidate clear 16-18');
  assert.deepEqual(brief(server.frames()), [
    'mirror_changed',
    { id: 50, result: { invalidate_seq: 5 } },
  ]);
});

test('an invalidation that overtakes the answer to the insert is for the same subscription', () => {
  const { server, client, log, seen } = started();
  const insert = server.frame();
  server.send({ id: 50, method: 'invalidate', params: INVALIDATE });
  server.answer(insert, { subscription: 3, invalidate_seq: 4 });
  assert.deepEqual(log, ['invalidate clear 16-18', 'inserted 3 at 5']);
  server.send({ id: 51, method: 'invalidate', params: { ...INVALIDATE, seq: 7 } });
  assert.equal(seen[0], seen[1]);
  client.close();
});

test('neighbours of what is told travel together, in order, before the next request', async () => {
  const { server, client } = opened();
  const performed = client.perform({ verb: 'touch' });
  const frames = server.frames();
  assert.deepEqual(brief(frames), ['mirror_changed', 'zone_device_page_init', 'dma_read']);
  const [changed, , request] = frames;
  assert.ok(changed !== undefined && request !== undefined);
  assert.equal((changed.params as { changes: unknown[] }).changes.length, 2);
  server.answer(request, {}, [pageOfU64(1n)]);
  assert.deepEqual(await performed, { read: 1 });
});

test('a verb that comes before the device is open waits for it', () => {
  const { server } = started();
  const insert = server.frame();
  server.send({ id: 'c1', method: 'perform', params: { verb: 'setup' } });
  assert.deepEqual(brief(server.frames()), []);
  server.answer(insert, { subscription: 3, invalidate_seq: 4 });
  assert.deepEqual(brief(server.frames()), ['migrate_vma_setup']);
});

test('hold stops a verb behind its kernel call; callbacks still run; go lets it end', () => {
  const { server } = opened();
  server.send({ id: 'c1', method: 'hold', params: { after: 'migrate_vma_setup' } });
  server.send({ id: 'c2', method: 'perform', params: { verb: 'setup' } });
  const [armed, setup] = server.frames();
  assert.deepEqual(armed?.result, {});
  assert.ok(setup !== undefined);
  server.answer(setup, { migrate: 1, src: [0, 0] });
  assert.deepEqual(brief(server.frames()), ['held']);
  server.send({ id: 50, method: 'invalidate', params: INVALIDATE });
  assert.deepEqual(brief(server.frames()).at(-1), {
    id: 50,
    result: { result: 'done', invalidate_seq: 5 },
  });
  server.send({ id: 'c3', method: 'go', params: {} });
  assert.deepEqual(brief(server.frames()), [
    { id: 'c3', result: {} },
    { id: 'c2', result: { errno: 'OK' } },
  ]);
});

test('reset is answered first, then a new device opens; the old one is forgotten', () => {
  const { server, log } = opened();
  server.send({ id: 'c1', method: 'perform', params: { verb: 'setup' } });
  const setup = server.frame();
  server.send({ id: 'c2', method: 'reset', params: { lab: 'test' } });
  const [answer, insert] = server.frames();
  assert.deepEqual([answer?.id, insert?.method], ['c2', 'mmu_interval_notifier_insert']);
  server.answer(setup, { migrate: 1, src: [0, 0] });
  assert.deepEqual(brief(server.frames()), []);
  assert.ok(insert !== undefined);
  server.answer(insert, { subscription: 9, invalidate_seq: 2 });
  assert.deepEqual(log, ['inserted 3 at 4', 'inserted 9 at 2']);
});

test('a refusal becomes the errno of the call; nonsense from the server is EPROTO', () => {
  const { server } = opened();
  server.send({ id: 'c1', method: 'perform', params: { verb: 'setup' } });
  const error = { code: -32043, message: 'no', data: { errno: 'EINVAL' } };
  server.send({ id: server.frame().id, error });
  assert.deepEqual(server.frame().result, { errno: 'EINVAL' });
  server.send({ id: 'c2', method: 'perform', params: { verb: 'setup' } });
  server.answer(server.frame(), { migrate: 'first', src: [] });
  assert.deepEqual(server.frame().result, { errno: 'EPROTO' });
});

test('questions that are none are answered with an errno', () => {
  const { server } = opened();
  server.send({ id: 60, method: 'reboot', params: {} });
  server.send({ id: 61, method: 'invalidate', params: { subscription: 3 } });
  const [first, second] = server.frames();
  assert.equal(first?.error?.data?.errno, 'EINVAL');
  assert.equal(second?.error?.data?.errno, 'EINVAL');
});

test('a fenced device comes back to its session and opens again', async () => {
  const { server, log } = opened();
  const back = server.nextConnection();
  server.send({ method: 'fenced', params: { why: 'too slow', remedy: 'come again' } });
  assert.deepEqual(log.at(-1), 'fenced: too slow');
  assert.equal(server.last.closedWith, 4902);
  await back;
  const hello = server.greet({ session: 'resumed', epoch: 2, received: 2, state: 'fenced' });
  assert.equal((hello.params as { resume: { token: string } }).resume.token, 'secret');
  assert.deepEqual(brief(server.frames()), ['mmu_interval_notifier_insert']);
});

test('a fence that the hello told of first is not answered twice', async () => {
  const { server } = opened();
  const back = server.nextConnection();
  server.lose();
  await back;
  server.greet({ session: 'resumed', epoch: 2, received: 2, state: 'fenced' });
  server.send({ method: 'fenced', params: { why: 'too slow', remedy: 'come again' } });
  assert.equal(server.last.closedWith, 'open');
  assert.deepEqual(brief(server.frames()), ['mmu_interval_notifier_insert']);
});
