/** Wires the floors to a server that listens: for main.ts, for the command line, and for tests of whole processes. */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { ServerConfig } from './config.ts';
import { Gateway } from './gateway/gateway.ts';
import { buildApp, type Readiness, WEBSOCKET_PATH } from './http/app.ts';
import { modelHash } from './journal/model-hash.ts';
import { fileRecorder } from './journal/recorder.ts';
import { Labs } from './live/labs.ts';
import { newLiveMachine } from './live/new-live-machine.ts';
import type { HelloResult } from './protocol/hello.ts';

/** The lab that is always open. */
export const DEMO_LAB = 'demo';
/** Milliseconds between two looks at who is still connected while the server ends. */
const DRAIN_LOOK_MS = 20;

export interface RunningServer {
  readonly port: number;
  /** `http://127.0.0.1:7070` */
  readonly url: string;
  /** `ws://127.0.0.1:7070/ws` */
  readonly webSocketUrl: string;
  readonly labs: Labs;
  readonly gateway: Gateway;
  readonly model: HelloResult['model'];
  /** Tells the clients, waits for them for drainMs at most, closes recordings and sockets. */
  stop(): Promise<void>;
}

/** Rejects with what the network or the file system throws. */
export async function startServer(config: ServerConfig): Promise<RunningServer> {
  const log = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  const model = modelOf(dirname(fileURLToPath(import.meta.url)));
  const readiness: Readiness = { state: 'ready' };
  const clock = () => performance.now();
  const labs = new Labs({
    factory: newLiveMachine,
    leaseMs: config.leaseMs,
    clock,
    record: config.recordTo === 'nowhere' ? 'none' : recordTo(config.recordTo, model),
    onBug: (lab, bug) => log.error({ lab, err: bug }, 'the machine of a lab has thrown'),
  });
  labs.open(DEMO_LAB, { patch: 'stock' }, 'kept');
  const gateway = new Gateway({
    labs,
    clock,
    model,
    unknownLabs: config.unknownLabs,
    graceMs: config.graceMs,
    heartbeatMs: config.heartbeatMs,
    onClosed: (lab, actor, why) => log.info({ lab, actor, why }, 'a session is over'),
  });
  const app = buildApp({ gateway, labs, readiness, model, log });
  await app.listen({ host: config.host, port: config.port });
  const { port } = app.server.address() as AddressInfo;
  const authority = config.host.includes(':')
    ? `[${config.host}]:${port}`
    : `${config.host}:${port}`;

  async function stop(): Promise<void> {
    readiness.state = 'going';
    gateway.announceGoing('The server was told to end.');
    const end = clock() + config.drainMs;
    while (gateway.connections > 0 && clock() < end) await pause(DRAIN_LOOK_MS);
    gateway.close();
    labs.close();
    gateway.terminate();
    await app.close();
  }

  return {
    port,
    url: `http://${authority}`,
    webSocketUrl: `ws://${authority}${WEBSOCKET_PATH}`,
    labs,
    gateway,
    model,
    stop,
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function recordTo(directory: string, model: HelloResult['model']) {
  let count = 0;
  const began = new Date().toISOString().replaceAll(':', '-').replace(/\..*/, '');
  return (lab: string, config: Parameters<typeof fileRecorder>[2]) => {
    count += 1;
    return fileRecorder(
      { directory, model, stamp: `${began}-${process.pid}-${count}` },
      lab,
      config,
    );
  };
}

/** The version that package.json names, and the hash of the sources in `serverFolder`. */
export function modelOf(serverFolder: string): HelloResult['model'] {
  return { hash: modelHash(serverFolder), version: versionAbove(serverFolder) };
}

/** The sources stand one folder below package.json, the build two. */
function versionAbove(folder: string): string {
  for (const above of ['..', '../..']) {
    try {
      return JSON.parse(readFileSync(join(folder, above, 'package.json'), 'utf8')).version;
    } catch {
      // Not there: one further up.
    }
  }
  return 'unknown';
}
