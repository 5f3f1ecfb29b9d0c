import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { test } from 'node:test';
import { startHttp } from './http.fixture.ts';

test('a lab whose recording cannot be opened is refused with 507, and is not there', async () => {
  const http = await startHttp({
    // As a folder does that is gone: what the system throws, and no words of ours.
    record: () => {
      openSync('/nowhere/at/all', 'wx');
      return assert.fail();
    },
  });
  const { status, body } = await http.post('/api/labs', { name: 'new' });
  assert.deepEqual(
    [status, body.error.code, body.error.errno],
    [507, 'insufficient-storage', 'ENOSPC'],
  );
  assert.equal((await http.get('/api/labs/new')).status, 404);
  assert.equal((await http.get('/healthz')).status, 200);
  await http.close();
});
