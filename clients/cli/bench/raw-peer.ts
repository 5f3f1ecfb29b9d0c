import { WebSocket } from 'ws';
import type { Peer } from './peer.ts';

/** A bare ws connection that sends frames of the size of a range fault, or asks for a fan-out. */
export async function openRawPeer(url: string, method: 'fault' | 'fan_out'): Promise<Peer> {
  const socket = await openSocket(url);
  const waiting = new Map<number, () => void>();
  let id = 0;
  socket.on('message', (data) => {
    const frame: { readonly id: number } = JSON.parse(String(data));
    const done = waiting.get(frame.id);
    waiting.delete(frame.id);
    done?.();
  });
  return {
    roundTrip: (done) => {
      id += 1;
      waiting.set(id, done);
      socket.send(JSON.stringify(method === 'fault' ? faultFrame(id) : bareFrame(id)));
    },
    close: () => socket.close(),
  };
}

/** A bare ws connection that answers every question at once. */
export async function openRawMember(url: string): Promise<{ close(): void }> {
  const socket = await openSocket(url);
  let seq = 0;
  socket.on('message', (data) => {
    const { id }: { readonly id: number } = JSON.parse(String(data));
    seq += 1;
    const result = { result: 'done', invalidate_seq: 3 };
    socket.send(JSON.stringify({ jsonrpc: '2.0', seq, id, result }));
  });
  return { close: () => socket.close() };
}

function openSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** As long as a real hmm_range_fault_unlocked. */
function faultFrame(id: number): object {
  return {
    jsonrpc: '2.0',
    seq: id,
    id,
    method: 'hmm_range_fault_unlocked',
    params: {
      subscription: 1_001,
      invalidate_seq: 0,
      range: { first: 1_048_576, end: 1_048_577 },
      default_flags: 'fault',
    },
  };
}

function bareFrame(id: number): object {
  return {
    jsonrpc: '2.0',
    seq: id,
    id,
    method: 'fan_out',
    params: { address: '0x100000000', pages: 1, advice: 'DONTNEED' },
  };
}
