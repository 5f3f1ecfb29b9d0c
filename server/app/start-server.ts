/** Wires the floors to a server that listens: for main.ts, for the command line, and for tests of whole processes. */

import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyBaseLogger } from 'fastify';
import { Gateway } from '../gateway/gateway.ts';
import { buildApp } from '../http/app.ts';
import { labCoverage } from '../http/lab-coverage.ts';
import type { Readiness } from '../http/readiness.ts';
import { type Durability, newDurability } from '../journal/durability.ts';
import { folderStore, readStoredLab } from '../journal/folder-store.ts';
import { keptLabs } from '../journal/lab-file.ts';
import { machineHash, scheduleHash } from '../journal/model-hash.ts';
import type { Lab } from '../live/lab.ts';
import { Labs, type LabsOptions, STOCK_MACHINE, tickMs } from '../live/labs.ts';
import type { MachineFactory } from '../live/machine-port.ts';
import { newLiveMachine } from '../live/new-live-machine.ts';
import { steadyClock } from '../live/steady-clock.ts';
import type { HelloResult } from '../protocol/hello.ts';
import { webSocketAddress } from '../protocol/server-address.ts';
import { Runs } from '../verify/runs/runs.ts';
import { newCampaignShelf } from './campaign-shelf.ts';
import { Checkpoints, type CheckpointsOptions } from './checkpoints.ts';
import type { ServerConfig } from './config.ts';
import { newLog } from './log.ts';
import { newOlderEvents } from './older-events.ts';
import { recordingProblem } from './recording-problem.ts';
import { Recordings } from './recordings.ts';
import { Restoring } from './restoring.ts';
import { ownCodeHere, serverToken } from './server-token.ts';
import { openSharedLabs, type SharedLabs } from './shared-labs.ts';
import {
  listenFailure,
  nowhereToRestoreFrom,
  recordingFailure,
  redisConflict,
} from './start-failure.ts';

/** The lab that is always open. */
export const DEMO_LAB = 'demo';
/** Entries of a recording between two checkpoints where labs are shared, and milliseconds at least. */
const SHARED_CHECKPOINT_EVERY = 1_000;
const SHARED_CHECKPOINT_MS = 1_000;
/** Of servers that share labs. */
const HEARTBEATS_PER_GRACE = 6;
/** Milliseconds between two looks at who is still connected while the server ends. */
const DRAIN_LOOK_MS = 20;

export interface RunningServer {
  readonly port: number;
  /** `http://127.0.0.1:7070` */
  readonly url: string;
  /** `ws://127.0.0.1:7070/ws` */
  readonly webSocketUrl: string;
  /** What opens labs, starts runs and lists what is open. */
  readonly token: string | 'none';
  readonly labs: Labs;
  readonly gateway: Gateway;
  readonly model: HelloResult['model'];
  /** The files that labs are recorded into, one for each machine, oldest first. Empty without recordTo. */
  readonly recordings: readonly string[];
  /** Resolves when the labs of an earlier server are where they were, or damaged. */
  readonly restored: Promise<void>;
  /** Notifies the clients, waits for them for drainMs at most, closes recordings and sockets. */
  stop(): Promise<void>;
}

/**
 * `factory` makes the machines of its labs: for a caller that keeps hold of them.
 *
 * Rejects: StartFailure where the address or the folder for recordings cannot be used. Labs of an earlier server are
 * restored while it listens already.
 */
export async function startServer(
  config: ServerConfig,
  factory: MachineFactory = newLiveMachine,
): Promise<RunningServer> {
  const token = serverToken(config);
  const { log, dropped } = newLog(config);
  const serverFolder = fileURLToPath(new URL('..', import.meta.url));
  const model = modelOf(serverFolder);
  const readiness: Readiness = {
    state: 'ready',
    recordingProblem: async () =>
      shared === 'none' ? recordingProblem(config.recordTo) : shared.stalled(),
  };
  const clock = steadyClock(() => performance.now(), tickMs(config.leaseMs));
  const durability = newDurability(config.durability, (error) =>
    log.fatal(
      { err: error },
      'what is recorded does not reach the disk: nothing is answered any more',
    ),
  );
  const shared = await sharedLabs(config, model, log, token);
  const recordings =
    shared === 'none'
      ? openRecordings(config, model, durability)
      : new Recordings({ store: shared.store, labs: 'kept' });
  const safety = shared === 'none' ? durability : shared.commits;
  const { recordTo: directory, keep } = config;
  const readKept = (lab: string) => readStoredLab({ directory, model, durability, keep }, lab);
  const again = (failed: Lab): void => {
    if (shared !== 'none') shared.again(failed);
    else restoring.again(failed.name, () => readKept(failed.name));
  };
  const labs = new Labs({
    factory,
    leaseMs: config.leaseMs,
    clock,
    record:
      recordings === 'none'
        ? 'none'
        : (lab, machine, generation) => recordings.record(lab, machine, generation),
    onBug: (lab, bug) => log.error({ lab, err: bug }, 'a lab has failed and is closed'),
    ended: (lab) => {
      const { functions, points, pairs } = labCoverage(lab);
      // Of a server that cannot even listen, say.
      if (points === 0) return;
      const reached = { functions: functions.length, points, pairs };
      log.info({ lab: lab.name, reached }, 'a lab has ended');
    },
    ...(recordings === 'none' ? {} : keeperOf(recordings)),
    ...(keepsLabs(config) ? { again } : {}),
    ...(shared === 'none' ? {} : { stalled: () => shared.stalled() }),
  });
  // The app, which knows, is made after the gateway.
  let shedding = () => false;
  const gateway = new Gateway({
    labs,
    clock,
    model,
    unknownLabs: config.unknownLabs,
    joinBy: token === 'none' ? 'name' : 'code',
    underPressure: () => shedding(),
    durability: safety,
    ...(shared === 'none' ? {} : { elsewhere: shared }),
    graceMs: config.graceMs,
    heartbeatMs: heartbeatMs(config),
    onWelcomed: (lab, actor, role, session) =>
      log.info({ lab, actor, role, session }, 'a client has said hello'),
    onRefused: (lab, actor, request, { code, path, bound }) =>
      log.debug({ lab, actor, request, code, path, bound }, 'a frame was refused'),
    onClosed: (lab, actor, why) => log.info({ lab, actor, why }, 'a session is over'),
    onBug: (bug) => log.error({ err: bug }, 'a connection has failed and is closed'),
  });
  const restoring = new Restoring({
    model,
    labs,
    goesOn: (lab, stay, recorder) => {
      if (recordings !== 'none') recordings.goesOn(lab, stay, recorder);
    },
    newLink: (lab) => (name, role, saved) => gateway.restored(lab, name, role, saved),
    onRestored: (lab, state, why) => {
      if (state === 'damaged') log.error({ lab, why }, 'a lab is damaged');
      else log.info({ lab, why }, 'a lab is restored');
    },
    onUnusable: (lab, why) => log.warn({ lab, why }, 'a checkpoint cannot be used: from the log'),
  });
  const checkpoints =
    recordings === 'none' || !keepsLabs(config)
      ? 'none'
      : new Checkpoints({
          labs,
          model,
          recorderOf: (lab) => recordings.recorderOf(lab),
          ...checkpointing(config),
          onWritten: (lab, recording, bytes) =>
            log.info({ lab, recording, bytes }, 'a checkpoint is written'),
          onFailed: (lab, error) => log.warn({ lab, err: error }, 'a checkpoint cannot be written'),
        });
  try {
    if (shared === 'none') {
      if (keepsLabs(config))
        for (const name of keptLabs(directory)) restoring.find(name, () => readKept(name));
      labs.open(DEMO_LAB, STOCK_MACHINE, 'kept');
    }
  } catch (error) {
    gateway.close();
    labs.close();
    if (recordings !== 'none') recordings.close();
    throw recordingFailure(config.recordTo, error);
  }
  const runs = new Runs({
    // Worked out when a run begins, not while the server starts.
    get modelHash() {
      return scheduleHash(serverFolder);
    },
    onFailure: (run, error) => log.error({ run, err: error }, 'a run has thrown'),
  });
  // Those in Redis are not read back.
  const history = newOlderEvents(shared === 'none' ? recordings : 'none', model);
  const hostNames = [config.host, ...config.publicHosts];
  const campaigns = newCampaignShelf(config);
  const app = buildApp({
    gateway,
    labs,
    runs,
    readiness,
    model,
    hostNames,
    log,
    logDropped: dropped,
    ownCode: ownCodeHere(config.host, token),
    ...(token === 'none' ? {} : { token }),
    history,
    durability: safety,
    ...(shared === 'none' ? {} : { elsewhere: shared }),
    ...(campaigns === 'none' ? {} : { campaigns }),
  });
  shedding = () => app.isUnderPressure();
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    gateway.close();
    labs.close();
    if (recordings !== 'none') recordings.close();
    throw listenFailure(config, error);
  }
  const restored = restoring.lead();
  const { port } = app.server.address() as AddressInfo;
  const authority = config.host.includes(':')
    ? `[${config.host}]:${port}`
    : `${config.host}:${port}`;

  const url = `http://${authority}`;
  if (shared !== 'none') {
    await shared.begin({ labs, gateway, restoring, address: addressOf(config, url) });
    const { state } = await shared.find(DEMO_LAB, 'create');
    if (state === 'here') labs.open(DEMO_LAB, STOCK_MACHINE, 'kept');
  }

  async function stop(): Promise<void> {
    readiness.state = 'going';
    restoring.stop();
    if (checkpoints !== 'none') await checkpoints.close();
    const sessions = keepsLabs(config) ? 'kept' : 'over';
    const forGood = config.ends === 'for-good' ? { forGood: true } : {};
    const why = goingWords(config);
    gateway.announceGoing({ why, resumable: sessions === 'kept', ...forGood });
    // Sessions that are kept do not end; those that are not may be ended by their clients.
    const end = clock() + (sessions === 'kept' ? 0 : config.drainMs);
    while (gateway.connections > 0 && clock() < end) await pause(DRAIN_LOOK_MS);
    // With its labs closed first, nothing of the end of a session is recorded.
    if (sessions === 'kept') labs.close();
    gateway.close();
    labs.close();
    await restored;
    if (campaigns !== 'none') await campaigns.close();
    if (shared !== 'none') await shared.end();
    gateway.terminate();
    await runs.close();
    await history.close();
    // A request that is half sent, or an answer that is not read, is waited for no longer than that.
    const late = setTimeout(() => app.server.closeAllConnections(), config.drainMs);
    await app.close();
    clearTimeout(late);
    if (recordings !== 'none') recordings.close();
  }

  return {
    port,
    url,
    webSocketUrl: webSocketAddress(url),
    token,
    labs,
    gateway,
    model,
    recordings: recordings === 'none' ? [] : recordings.paths,
    restored,
    stop,
  };
}

/**
 * A server that stands still closes no connection, so its clients notice by its silence, within three heartbeats.
 * Until then the grace of their sessions runs where another server has them.
 */
function heartbeatMs({ redis, heartbeatMs: said, graceMs }: ServerConfig): number {
  return redis === 'nowhere' ? said : Math.min(said, Math.ceil(graceMs / HEARTBEATS_PER_GRACE));
}

/** Where others wait for a lab that has lost its server, what is replayed is about what was done in the last second. */
function checkpointing({
  redis,
  checkpointEvery: every,
}: ServerConfig): Pick<CheckpointsOptions, 'every' | 'leastMs'> {
  if (redis === 'nowhere') return { every, leastMs: 0 };
  return { every: Math.min(every, SHARED_CHECKPOINT_EVERY), leastMs: SHARED_CHECKPOINT_MS };
}

/** What clients are told of the end: when to come back, and to what. */
function goingWords(config: ServerConfig): string {
  if (config.ends === 'for-good') return 'The server was told to end.';
  if (config.redis !== 'nowhere') {
    return 'The server was told to end. Another has its labs in a moment; connect again there, or here.';
  }
  const labs = keepsLabs(config) ? 'Its labs are kept' : 'Its labs end with it';
  return `The server was told to end. ${labs}; connect again at the same address in a few seconds.`;
}

function keeperOf(
  recordings: Recordings,
): Pick<LabsOptions, 'opened' | 'recorded' | 'renewed' | 'over'> {
  return {
    opened: (lab, stay) => recordings.opened(lab, stay),
    recorded: (lab, count) => recordings.entriesOf(lab, count),
    renewed: (lab) => recordings.renewed(lab),
    over: (lab) => recordings.over(lab),
  };
}

function keepsLabs({ recordTo: to, restore, redis }: ServerConfig): boolean {
  if (redis !== 'nowhere') return true;
  return restore === 'restored' && to !== 'nowhere';
}

/** Rejects as startServer(). */
async function sharedLabs(
  config: ServerConfig,
  model: HelloResult['model'],
  log: FastifyBaseLogger,
  token: string | 'none',
): Promise<SharedLabs | 'none'> {
  const { redis, recordTo, tokenFile } = config;
  if (redis === 'nowhere') return 'none';
  if (recordTo !== 'nowhere')
    throw redisConflict('--redis keeps what --record would write: choose one of them');
  if (token !== 'none' && tokenFile === 'by-host')
    throw redisConflict('servers that share labs need the same token: name its file with --token');
  return await openSharedLabs(config, model, log, token === 'none' ? 'name' : 'code');
}

/** Where other servers send clients. */
function addressOf({ address }: ServerConfig, own: string): string {
  return address === 'own' ? own : address.replace(/\/$/, '');
}

/** Throws as startServer() rejects. */
function openRecordings(
  config: ServerConfig,
  model: HelloResult['model'],
  durability: Durability,
): Recordings | 'none' {
  const { recordTo: directory, restore } = config;
  if (directory === 'nowhere') {
    if (restore === 'restored') throw nowhereToRestoreFrom();
    return 'none';
  }
  try {
    const labs = keepsLabs(config) ? 'kept' : 'forgotten';
    // Without checkpoints a recording is of use only as a whole.
    const keep = keepsLabs(config) ? config.keep : 'all';
    return new Recordings({ store: folderStore({ directory, model, durability, keep }), labs });
  } catch (error) {
    throw recordingFailure(directory, error);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

const models = new Map<string, HelloResult['model']>();

/** The version that package.json names, and the hash of the machine in `serverFolder` when first asked for. */
export function modelOf(serverFolder: string): HelloResult['model'] {
  const known = models.get(serverFolder);
  if (known !== undefined) return known;
  const model = { hash: machineHash(serverFolder), version: versionAbove(serverFolder) };
  models.set(serverFolder, model);
  return model;
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
