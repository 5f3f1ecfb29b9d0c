import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DEFAULT_CONFIG } from '../../../server/app/config.ts';
import { startServer } from '../../../server/app/start-server.ts';
import { pageIndex, pageRange, virtualAddress } from '../../../server/vocabulary/address.ts';
import { CpuClient } from '../../sdk/cpu-client.ts';
import { EXIT } from '../exit-codes.ts';
import { runMmrace } from '../run-mmrace.fixture.ts';

let folder = '';
let journal = '';

/** One CPU maps and stores, and leaves. */
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mmrace-'));
  const server = await startServer({
    ...DEFAULT_CONFIG,
    port: 0,
    recordTo: folder,
    logLevel: 'silent',
  });
  const cpu = new CpuClient({
    url: server.webSocketUrl,
    lab: 'demo',
    name: 'cpu0',
    cpu: () =>
      function* () {
        return {};
      },
  });
  const range = pageRange(pageIndex(0x100200), pageIndex(0x100201));
  await cpu.run('mmap', cpu.api.mmap({ range, prot: 'rw', kind: 'anon-private' }));
  await cpu.run('store', cpu.api.store(virtualAddress(0x100200000), 7n));
  cpu.close();
  await server.stop();
  const files = await readdir(folder);
  journal = join(folder, files[0] ?? 'none');
});

after(() => rm(folder, { recursive: true }));

test('a recording is executed again and comes to the same', async () => {
  const { code, stdout } = await runMmrace('replay', '--json', journal);
  assert.equal(code, EXIT.OK, stdout);
  const { outcome, closed, events } = JSON.parse(stdout);
  assert.deepEqual([outcome, closed], ['identical', true]);
  assert.ok(events > 4);
});

test('a recording that was changed diverges, and the line is named', async () => {
  const changed = join(folder, 'changed.jsonl');
  const text = await readFile(journal, 'utf8');
  assert.ok(text.includes('"value":"0x7"'));
  await writeFile(changed, text.replace('"value":"0x7"', '"value":"0x8"'));
  const damaged = await runMmrace('replay', changed);
  assert.equal(damaged.code, EXIT.USAGE);
  assert.match(damaged.stderr, /changed\.jsonl:\d+: sum: expected the sum of this line/);
  // Without its sums nobody can tell, but by what comes of it.
  await writeFile(changed, withoutSums(text).replace('"value":"0x7"', '"value":"0x8"'));
  const { code, stdout } = await runMmrace('replay', changed);
  assert.equal(code, EXIT.BROKEN);
  assert.match(stdout, /changed\.jsonl:\d+: diverged at entry \d+: event log/);
});

function withoutSums(text: string): string {
  return text.replaceAll(/,"sum":"[0-9a-f]{8}"/g, '');
}

test('a recording of another model is refused', async () => {
  const foreign = join(folder, 'foreign.jsonl');
  const text = await readFile(journal, 'utf8');
  await writeFile(
    foreign,
    withoutSums(text).replace(/"hash":"[0-9a-f]+"/, '"hash":"0123456789abcdef"'),
  );
  const { code, stderr } = await runMmrace('replay', foreign);
  assert.equal(code, EXIT.USAGE);
  assert.match(stderr, /recorded by another model/);
});

test('what is no recording is refused with file and line', async () => {
  const other = join(folder, 'other.jsonl');
  await writeFile(other, 'hello\n');
  const { code, stderr } = await runMmrace('replay', other);
  assert.equal(code, EXIT.USAGE);
  assert.ok(stderr.startsWith(`mmrace: ${other}:1: `), stderr);
});
