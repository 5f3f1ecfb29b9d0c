import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageIndex, pageRange, virtualAddress } from '../../server/vocabulary/address.ts';
import { CpuClient } from './cpu-client.ts';
import { HandServer } from './hand-moved-server.fixture.ts';

function started() {
  const server = new HandServer();
  const client = new CpuClient({
    url: 'ws://test/ws',
    lab: 'test',
    name: 'cpu0',
    socket: server.socket,
    cpu: ({ api }) =>
      function* () {
        const loaded = yield* api.load(virtualAddress(0x1000));
        return loaded.kind === 'done' ? { value: String(loaded.value) } : { signal: loaded.signal };
      },
  });
  server.greet();
  return { server, client };
}

test('an access is a request with a hexadecimal address; its value or its signal comes back', async () => {
  const { server, client } = started();
  const load = client.run('load', client.api.load(virtualAddress(0x2008)));
  const request = server.frame();
  assert.deepEqual([request.method, request.params], ['load', { address: '0x2008' }]);
  server.answer(request, { value: '0xff' });
  assert.deepEqual(await load, { kind: 'done', value: 255n });
  const store = client.run('store', client.api.store(virtualAddress(0x2008), 16n));
  const second = server.frame();
  assert.deepEqual(second.params, { address: '0x2008', value: '0x10' });
  server.answer(second, { signal: 'SIGBUS' });
  assert.deepEqual(await store, { kind: 'signal', signal: 'SIGBUS' });
});

test('a system call is a request with address and pages; its errno comes back', async () => {
  const { server, client } = started();
  const range = pageRange(pageIndex(2), pageIndex(5));
  const mapped = client.run('mmap', client.api.mmap({ range, prot: 'rw', kind: 'anon-private' }));
  const request = server.frame();
  assert.deepEqual(request.params, {
    address: '0x2000',
    pages: 3,
    prot: 'rw',
    kind: 'anon-private',
  });
  server.send({ id: request.id, error: { code: -1, message: 'no', data: { errno: 'EEXIST' } } });
  assert.deepEqual(await mapped, { ok: false, errno: 'EEXIST' });
});

test('a conductor performs, holds and goes on, as with devices', () => {
  const { server } = started();
  server.send({ id: 'c1', method: 'hold', params: { after: 'load' } });
  server.send({ id: 'c2', method: 'perform', params: { verb: 'any' } });
  const [, load] = server.frames();
  assert.ok(load !== undefined);
  server.answer(load, { value: '0x1' });
  assert.equal(server.frame().method, 'held');
  server.send({ id: 'c3', method: 'go', params: {} });
  const [, performed] = server.frames();
  assert.deepEqual(performed?.result, { value: '1' });
});

test('the kernel asks a CPU nothing: such a question gets an errno', () => {
  const { server } = started();
  server.send({ id: 9, method: 'release', params: {} });
  assert.equal(server.frame().error?.data?.errno, 'EINVAL');
});
