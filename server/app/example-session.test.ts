/** The session that docs/PROTOCOL.md shows, played against a server: every frame of the server is as it says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { EXAMPLE_SESSION, type ExampleFrame } from '../documents/example-session.ts';
import { decodeBinaryFrame } from '../protocol/binary-frame.ts';
import { SUBPROTOCOL } from '../protocol/limits.ts';
import { readU64 } from '../vocabulary/page-contents.ts';
import { DEFAULT_CONFIG } from './config.ts';
import { startServer } from './start-server.ts';

/** What texts in angle brackets stand for in this run. */
type Values = Map<string, unknown>;

class Peer {
  readonly #socket: WebSocket;
  readonly #frames: { readonly frame: unknown; readonly pages: readonly string[] }[] = [];
  #arrived: () => void = () => undefined;

  constructor(url: string) {
    this.#socket = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false });
    this.#socket.on('message', (data, isBinary) => {
      this.#frames.push(isBinary ? binary(data as Buffer) : { frame: parsed(data), pages: [] });
      this.#arrived();
    });
  }

  async send(frame: unknown): Promise<void> {
    if (this.#socket.readyState === WebSocket.CONNECTING) {
      await new Promise((resolve) => this.#socket.once('open', resolve));
    }
    this.#socket.send(JSON.stringify(frame));
  }

  async next() {
    while (this.#frames.length === 0) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    return this.#frames.shift();
  }

  close(): void {
    this.#socket.close(1000);
  }
}

function parsed(data: unknown): unknown {
  return JSON.parse(String(data));
}

function binary(data: Buffer) {
  const decoded = decodeBinaryFrame(data);
  assert.ok(!('bound' in decoded));
  const pages = decoded.pages.map((page) => `0x${readU64(page, 0).toString(16)}`);
  return { frame: parsed(decoded.json), pages };
}

/** `shown` with the values of this run in it. */
function filledIn(shown: unknown, values: Values): unknown {
  if (typeof shown === 'string' && shown.startsWith('<')) {
    assert.ok(values.has(shown), `${shown} is not known yet`);
    return values.get(shown);
  }
  if (Array.isArray(shown)) return shown.map((each) => filledIn(each, values));
  if (typeof shown !== 'object' || shown === null) return shown;
  return Object.fromEntries(
    Object.entries(shown).map(([key, value]) => [key, filledIn(value, values)]),
  );
}

/** Learns from `real` what the texts in angle brackets of `shown` stand for. */
function learn(shown: unknown, real: unknown, values: Values): void {
  if (typeof shown === 'string' && shown.startsWith('<')) {
    if (!values.has(shown)) values.set(shown, real);
    if (shown === '<pfn>') values.set('<frame>', Math.floor(Number(real) / 64));
  } else if (typeof shown === 'object' && shown !== null) {
    for (const [key, value] of Object.entries(shown)) {
      learn(value, (real as { readonly [key: string]: unknown } | undefined)?.[key], values);
    }
  }
}

async function play(url: string, session: readonly ExampleFrame[]): Promise<void> {
  const peers = { cpu0: new Peer(url), gpu0: new Peer(url) };
  const values: Values = new Map();
  for (const { client, from, frame, pages = [] } of session) {
    if (from === 'client') {
      await peers[client].send(filledIn(frame, values));
      continue;
    }
    const next = await peers[client].next();
    // Each client has a secret of its own.
    values.delete('<secret>');
    learn(frame, next?.frame, values);
    assert.deepEqual(next, { frame: filledIn(frame, values), pages });
  }
  peers.cpu0.close();
  peers.gpu0.close();
}

test('the session of the document is what happens', async () => {
  const config = { ...DEFAULT_CONFIG, host: '127.0.0.1', port: 0, logLevel: 'silent' } as const;
  const server = await startServer({ ...config, drainMs: 0 });
  try {
    await play(server.webSocketUrl, EXAMPLE_SESSION);
  } finally {
    await server.stop();
  }
});

test('a session that is not is found', async () => {
  const config = { ...DEFAULT_CONFIG, host: '127.0.0.1', port: 0, logLevel: 'silent' } as const;
  const server = await startServer({ ...config, drainMs: 0 });
  const lied = EXAMPLE_SESSION.map((each) =>
    each.pages === undefined ? each : { ...each, pages: ['0x2b'] },
  );
  try {
    await assert.rejects(play(server.webSocketUrl, lied), assert.AssertionError);
  } finally {
    await server.stop();
  }
});
