import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventDigest } from '../journal/event-digest.ts';
import { recorderFrom } from '../journal/recorder.ts';
import type { Inbound } from '../machine/remote/inbound.ts';
import { MachineHost } from './machine-host.ts';
import { newLiveMachine } from './new-live-machine.ts';

const ADDRESS = '0x100200000';

function request(id: number, method: string, params: object): Inbound {
  return { kind: 'request', actor: 'cpu0', id, method, params, contents: [] };
}

test('what led a restored machine to where it was is no work of its first turn', () => {
  const lines: string[] = [];
  const host = new MachineHost({
    factory: newLiveMachine,
    config: { patch: 'stock' },
    generation: 0,
    record: 'none',
    begins: 'restored',
    outbound: () => undefined,
    event: () => undefined,
    idle: () => undefined,
    onBug: (bug) => assert.fail(bug as Error),
  });
  host.replay({ kind: 'attach', actor: 'cpu0', role: 'cpu' });
  const area = { address: ADDRESS, pages: 1, prot: 'rw', kind: 'anon-private' };
  host.replay(request(1, 'mmap', area));
  for (let id = 2; id < 1_000; id += 1) host.replay(request(id, 'load', { address: ADDRESS }));
  host.continueWith(
    recorderFrom((line) => lines.push(line), { n: 1_000, digest: new EventDigest() }),
  );
  host.accept(request(1_000, 'load', { address: ADDRESS }));
  assert.equal(host.busy, false);
  assert.equal(lines.length, 2, 'the entry, and that it is settled');
  host.close();
});
