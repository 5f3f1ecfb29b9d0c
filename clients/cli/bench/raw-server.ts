/**
 * What we measure ourselves against: the package ws with nothing behind it. Each request is parsed and answered
 * with an object of the size of a real answer; `fan_out` asks every other connection one question and answers
 * when all have.
 */
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { serveBench } from './server-process.ts';

interface RawFrame {
  readonly id: number;
  readonly method?: string;
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
const members = new Set<WebSocket>();
let nextQuestion = 1;
let seq = 1;
/** Answers still missing, and what to do when there is none. */
const waiting = new Map<number, () => void>();

server.on('connection', (socket) => {
  members.add(socket);
  socket.on('close', () => members.delete(socket));
  socket.on('message', (data) => {
    const frame: RawFrame = JSON.parse(String(data));
    if (frame.method === undefined) answered(frame.id);
    else if (frame.method === 'fan_out') fanOut(socket, frame.id);
    else {
      seq += 1;
      const result = { seq: 2, pfns: [67] };
      socket.send(JSON.stringify({ jsonrpc: '2.0', seq, id: frame.id, result }));
    }
  });
});

function answered(id: number): void {
  const done = waiting.get(id);
  waiting.delete(id);
  done?.();
}

function fanOut(asker: WebSocket, id: number): void {
  const asked = [...members].filter((member) => member !== asker);
  let missing = asked.length;
  for (const member of asked) {
    const question = nextQuestion++;
    waiting.set(question, () => {
      missing -= 1;
      if (missing > 0) return;
      seq += 1;
      asker.send(JSON.stringify({ jsonrpc: '2.0', seq, id, result: {} }));
    });
    seq += 1;
    member.send(JSON.stringify(invalidateFrame(question)));
  }
}

/** As long as the invalidate of a real lab. */
function invalidateFrame(id: number): object {
  return {
    jsonrpc: '2.0',
    seq,
    id,
    method: 'invalidate',
    params: {
      subscription: 1_001,
      mm: 0,
      range: { first: 1_048_576, end: 1_048_577 },
      event: 'clear',
      owner: 'none',
      blocking: 'blockable',
      seq: 3,
    },
  };
}

server.on('listening', () => {
  const { port } = server.address() as AddressInfo;
  serveBench(`ws://127.0.0.1:${port}/ws`);
});
