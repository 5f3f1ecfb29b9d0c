import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joined } from '../gateway/gateway.fixture.ts';
import { startHttp } from './http.fixture.ts';

const ADDRESS = '0x100200000';

test('a lab says which kernel functions its clients have reached, and which yield points met', async () => {
  const http = await startHttp();
  try {
    await http.post('/api/labs', { name: 'test' });
    const before = (await http.get('/api/labs/test/coverage')).body;
    assert.deepEqual([before.functions, before.pairs], [[], 0]);
    const cpu = await joined(http.gateway, 'cpu', 'cpu0');
    await cpu.ask(1, 'mmap', { address: ADDRESS, pages: 1, prot: 'rw', kind: 'anon-private' });
    await cpu.ask(2, 'store', { address: ADDRESS, value: '0x7' });
    const { functions, pairs, behind } = (await http.get('/api/labs/test/coverage')).body;
    assert.ok(functions.includes('doAnonymousPage'), functions.join());
    assert.ok(!functions.includes('mremapTo'));
    assert.equal(Object.values<string[]>(behind).flat().length, pairs);
    assert.equal((await http.get('/api/labs/none/coverage')).status, 404);
  } finally {
    await http.close();
  }
});
