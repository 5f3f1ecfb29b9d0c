/** Real clients, over the SDK, in the lab `bench`. */
import { WebSocket } from 'ws';
import { type CallAnswer, Connection } from '../../sdk/connection.ts';
import type { SocketFactory, SocketLike } from '../../sdk/web-socket.ts';
import type { Peer } from './peer.ts';

const LAB = 'bench';
const PAGE = 0x100000;
const PAGE_ADDRESS = '0x100000000';
const RANGE = { first: PAGE, end: PAGE + 1 };

/** The package ws on our side too, so that both sides of a comparison pay the same for it. */
const socket: SocketFactory = (url, subprotocol) =>
  new WebSocket(url, subprotocol, { perMessageDeflate: false }) as unknown as SocketLike;

async function join(url: string, role: 'device' | 'cpu', name: string): Promise<Connection> {
  const connection: Connection = new Connection(
    { url, lab: LAB, role, name, create: 'if-unknown', socket },
    {
      asked: ({ id, params }) => {
        const { seq } = params as { readonly seq?: number };
        connection.answer(id, { result: 'done', invalidate_seq: seq ?? 0 });
      },
      notified: () => undefined,
      settled: () => undefined,
      complained: ({ code }) => {
        throw new Error(`the server complains: ${code}`);
      },
    },
  );
  await connection.greeted;
  return connection;
}

function granted(answer: CallAnswer): unknown {
  if (answer.ok) return answer.result;
  throw new Error(`refused: ${JSON.stringify(answer.refusal)}`);
}

/** A CPU that maps the page which everybody is about, and on each round trip throws it away. */
export async function openCpuPeer(url: string): Promise<Peer> {
  const cpu = await join(url, 'cpu', 'cpu0');
  const region = { address: PAGE_ADDRESS, pages: 1 };
  granted(await cpu.call('mmap', { ...region, prot: 'rw', kind: 'anon-private' }));
  granted(await cpu.call('store', { address: PAGE_ADDRESS, value: '0x2a' }));
  return {
    roundTrip: (done) => {
      cpu.request('madvise', { ...region, advice: 'DONTNEED' }, [], (answer) => {
        granted(answer);
        done();
      });
    },
    close: () => cpu.close(),
  };
}

/** A device that mirrors the page; one validated fault a round trip. */
export async function openDevicePeer(url: string, name: string): Promise<Peer> {
  const device = await join(url, 'device', name);
  const inserted = granted(await device.call('mmu_interval_notifier_insert', { range: RANGE })) as {
    readonly subscription: number;
    readonly invalidate_seq: number;
  };
  const fault = {
    subscription: inserted.subscription,
    invalidate_seq: inserted.invalidate_seq,
    range: RANGE,
    default_flags: 'fault',
  };
  return {
    roundTrip: (done) => {
      device.request('hmm_range_fault_unlocked', fault, [], (answer) => {
        granted(answer);
        done();
      });
    },
    close: () => device.close(),
  };
}
