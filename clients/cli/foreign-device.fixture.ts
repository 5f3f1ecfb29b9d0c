/** For tests: devices in other languages beside ready-made ones, on a real server, behind a network that breaks. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ServerConfig } from '../../server/app/config.ts';
import type { ClientSpec } from './client-processes.ts';
import { LiveLab } from './live-lab.ts';
import { startLocalServer } from './local-server.ts';

export interface Stage {
  readonly live: LiveLab;
  readonly network: Network;
}

export async function inLab(
  lab: string,
  clients: readonly ClientSpec[],
  play: (stage: Stage) => Promise<void>,
  config: Partial<ServerConfig> = {},
): Promise<void> {
  const quiet = { port: 0, drainMs: 0, logLevel: 'silent' } as const;
  const server = await startLocalServer({ ...quiet, ...config });
  const network = await startNetwork(Number(new URL(server.url).port));
  const live = new LiveLab(server.openLab(lab, { patch: 'stock' }));
  try {
    await live.start({ ...server, webSocketUrl: `ws://127.0.0.1:${network.port}/ws` }, clients);
    await play({ live, network });
  } finally {
    await live.end();
    network.close();
    await server.close();
  }
}

/** Everything between clients and server. */
export interface Network {
  readonly port: number;
  /** How many connections there have been. */
  connections(): number;
  /** Breaks all of them. */
  cut(): void;
  close(): void;
}

async function startNetwork(to: number): Promise<Network> {
  const sockets = new Set<Socket>();
  let count = 0;
  const proxy = createServer((from) => {
    count += 1;
    const onward = connect(to, '127.0.0.1');
    for (const [one, other] of [
      [from, onward],
      [onward, from],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    port: (proxy.address() as AddressInfo).port,
    connections: () => count,
    cut,
    close: () => {
      cut();
      proxy.close();
    },
  };
}

export function healthy(live: LiveLab): void {
  assert.deepEqual(live.machine.world.oracles.violations, []);
}

/** Runs a program to its end. */
export function ended(program: string, args: readonly string[]) {
  return new Promise<{ readonly code: unknown; readonly stderr: string }>((resolve) => {
    execFile(program, args, (error, _stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stderr });
    });
  });
}
