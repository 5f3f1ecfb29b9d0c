/** Wires the floors to a server that listens: for main.ts, for the command line, and for tests of whole processes. */
import { existsSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Logger } from 'pino';
import { Gateway } from '../gateway/gateway.ts';
import { buildApp, WEBSOCKET_PATH } from '../http/app.ts';
import type { Readiness } from '../http/readiness.ts';
import { removeLabFile, writeLabFile } from '../journal/lab-file.ts';
import { machineHash, scheduleHash } from '../journal/model-hash.ts';
import { JournalError } from '../journal/read-journal.ts';
import { fileRecorder } from '../journal/recorder.ts';
import type { LabOptions } from '../live/lab.ts';
import { Labs, type LabsOptions } from '../live/labs.ts';
import type { MachineFactory } from '../live/machine-port.ts';
import { newLiveMachine } from '../live/new-live-machine.ts';
import type { HelloResult } from '../protocol/hello.ts';
import { Runs } from '../verify/runs/runs.ts';

import type { ServerConfig } from './config.ts';
import { newLog } from './log.ts';
import { recordingProblem } from './recording-problem.ts';
import { type RestoreOptions, restoreLabs } from './restore-labs.ts';
import {
  listenFailure,
  nowhereToRestoreFrom,
  recordingFailure,
  restoringFailure,
} from './start-failure.ts';

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
  /** The files that labs are recorded into, one for each machine, oldest first. Empty without recordTo. */
  readonly recordings: readonly string[];
  /** Tells the clients, waits for them for drainMs at most, closes recordings and sockets. */
  stop(): Promise<void>;
}

/**
 * `factory` makes the machines of its labs: for whoever wants to keep hold of them.
 *
 * Rejects: StartFailure where the address or the folder for recordings cannot be used.
 */
export async function startServer(
  config: ServerConfig,
  factory: MachineFactory = newLiveMachine,
): Promise<RunningServer> {
  const log = newLog(config);
  const serverFolder = fileURLToPath(new URL('..', import.meta.url));
  const model = modelOf(serverFolder);
  const readiness: Readiness = {
    state: 'ready',
    recordingProblem: () => recordingProblem(config.recordTo),
  };
  const clock = () => performance.now();
  const recordings: string[] = [];
  const labs = new Labs({
    factory,
    leaseMs: config.leaseMs,
    clock,
    record: config.recordTo === 'nowhere' ? 'none' : recordTo(config.recordTo, model, recordings),
    onBug: (lab, bug) => log.error({ lab, err: bug }, 'a lab has failed and is closed'),
    ...(keepsLabs(config) ? labKeeper(config.recordTo) : {}),
  });
  openLabs(config, labs, model, log);
  const gateway = new Gateway({
    labs,
    clock,
    model,
    unknownLabs: config.unknownLabs,
    graceMs: config.graceMs,
    heartbeatMs: config.heartbeatMs,
    onWelcomed: (lab, actor, role, session) =>
      log.info({ lab, actor, role, session }, 'a client has said hello'),
    onRefused: (lab, actor, request, { code, path, bound }) =>
      log.debug({ lab, actor, request, code, path, bound }, 'a frame was refused'),
    onClosed: (lab, actor, why) => log.info({ lab, actor, why }, 'a session is over'),
    onBug: (bug) => log.error({ err: bug }, 'a connection has failed and is closed'),
  });
  const runs = new Runs({
    // Worked out when a run begins, not while the server starts.
    get modelHash() {
      return scheduleHash(serverFolder);
    },
    onFailure: (run, error) => log.error({ run, err: error }, 'a run has thrown'),
  });
  const app = buildApp({ gateway, labs, runs, readiness, model, log });
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    gateway.close();
    labs.close();
    throw listenFailure(config, error);
  }
  const { port } = app.server.address() as AddressInfo;
  const authority = config.host.includes(':')
    ? `[${config.host}]:${port}`
    : `${config.host}:${port}`;

  async function stop(): Promise<void> {
    readiness.state = 'going';
    gateway.announceGoing(goingWords(config));
    const end = clock() + config.drainMs;
    while (gateway.connections > 0 && clock() < end) await pause(DRAIN_LOOK_MS);
    gateway.close();
    labs.close();
    gateway.terminate();
    await runs.close();
    await app.close();
  }

  return {
    port,
    url: `http://${authority}`,
    webSocketUrl: `ws://${authority}${WEBSOCKET_PATH}`,
    labs,
    gateway,
    model,
    recordings,
    stop,
  };
}

/** What clients are told of the end: when to come back, and to what. */
function goingWords(config: ServerConfig): string {
  const labs = keepsLabs(config) ? 'Its labs are kept' : 'Its labs end with it';
  return `The server was told to end. ${labs}; connect again at the same address in a few seconds.`;
}

function keepsLabs({ recordTo: to, restore }: ServerConfig): boolean {
  return restore === 'restored' && to !== 'nowhere';
}

/** Writes down how to open each lab again. */
function labKeeper(directory: string): Pick<LabsOptions, 'opened' | 'over'> {
  return {
    opened: (lab, stay) => {
      const { name, joinCode, presenter, config, scene } = lab;
      const { token: presenterToken } = presenter;
      const { scenario, setup, seats, todo } = scene;
      const begun = { scenario, setup, seats: [...seats], todo: [...todo] };
      writeLabFile(directory, { name, joinCode, presenterToken, stay, config, ...begun });
    },
    over: ({ name }) => removeLabFile(directory, name),
  };
}

/** Those of an earlier server, if they are to be restored, and the one that is always open. */
function openLabs(
  config: ServerConfig,
  labs: Labs,
  model: HelloResult['model'],
  log: Logger,
): void {
  const { recordTo: directory } = config;
  try {
    if (config.restore === 'restored' && directory === 'nowhere') throw nowhereToRestoreFrom();
    if (keepsLabs(config) && existsSync(directory)) {
      const onRestored: RestoreOptions['onRestored'] = (lab, state, why) =>
        log.info({ lab, state, why }, 'a lab is restored');
      restoreLabs({ directory, labs, model, onRestored });
    }
    labs.open(DEMO_LAB, { patch: 'stock' }, 'kept');
  } catch (error) {
    labs.close();
    if (error instanceof JournalError) throw restoringFailure(error);
    throw recordingFailure(directory, error);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Adds the path of each file that it opens to `recordings`. */
function recordTo(
  directory: string,
  model: HelloResult['model'],
  recordings: string[],
): LabOptions['record'] {
  const began = new Date().toISOString().replaceAll(/[:.]/g, '-').replace('Z', '');
  return (lab, config) => {
    const stamp = `${began}-${process.pid}-${recordings.length + 1}`;
    const recorder = fileRecorder({ directory, model, stamp }, lab, config);
    recordings.push(recorder.path);
    return recorder;
  };
}

/** The version that package.json names, and the hash of the machine in `serverFolder`. */
export function modelOf(serverFolder: string): HelloResult['model'] {
  return { hash: machineHash(serverFolder), version: versionAbove(serverFolder) };
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
