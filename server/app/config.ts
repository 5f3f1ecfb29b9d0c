/** What can be set from outside: MMRACE_* variables, read once by main.ts. */
import { DURABILITY_MODES, type DurabilityMode } from '../journal/durability.ts';
import type { Keep } from '../journal/file-recorder.ts';
import { GRACE_MS, HEARTBEAT_MS, LEASE_MS } from '../protocol/limits.ts';

export interface ServerConfig {
  /** MMRACE_HOST. */
  readonly host: string;
  /** MMRACE_PUBLIC_HOST: names under which clients reach the server, with commas between them. */
  readonly publicHosts: readonly string[];
  /**
   * MMRACE_TOKEN: a file with the token that is needed to open labs, start runs or present. 'by-host': one of its own
   * making, unless only this machine reaches `host`.
   */
  readonly tokenFile: string | 'none' | 'by-host';
  /** MMRACE_PORT. 0 takes any free one. */
  readonly port: number;
  /** MMRACE_LEASE_MS: how long a question of the kernel's may stay without an answer. */
  readonly leaseMs: number;
  /** MMRACE_GRACE_MS: how long a lost session can be resumed. */
  readonly graceMs: number;
  /** MMRACE_HEARTBEAT_MS: between two pings. */
  readonly heartbeatMs: number;
  /** MMRACE_DRAIN_MS: how long clients have to leave when the server ends. */
  readonly drainMs: number;
  /** MMRACE_RECORD: the directory for journals. */
  readonly recordTo: string | 'nowhere';
  /** MMRACE_RESTORE: whether labs of an earlier server are opened again from `recordTo`, and kept for a later one. */
  readonly restore: 'restored' | 'new';
  /** MMRACE_DURABILITY: when what is recorded has to be on the disk; see journal/durability.ts. */
  readonly durability: DurabilityMode;
  /** MMRACE_CHECKPOINT_EVERY: entries of a recording between two checkpoints, about. */
  readonly checkpointEvery: number;
  /**
   * MMRACE_KEEP, in MiB: bytes of a recording that are kept at least; what no restore needs beyond may be removed. In
   * Redis it is removed, unless that is said.
   */
  readonly keep: Keep;
  /** MMRACE_REDIS: where labs are kept, and shared with other servers: `redis://127.0.0.1:6379`. */
  readonly redis: string | 'nowhere';
  /** MMRACE_REDIS_PREFIX: how all keys begin there. Servers of one prefix share their labs. */
  readonly redisPrefix: string;
  /** MMRACE_OWNER_LEASE_MS: how long after its last sign of life the labs of a server are taken over. */
  readonly ownerLeaseMs: number;
  /** MMRACE_ADDRESS: `http://` where clients of other servers are sent to. 'own': host and port. */
  readonly address: string | 'own';
  /** 'for-good': no other server comes in its place, so clients need not wait for one. */
  readonly ends: 'for-now' | 'for-good';
  /** MMRACE_UNKNOWN_LABS: whether a hello with `create` opens a lab that is unknown. */
  readonly unknownLabs: 'on-demand' | 'refused';
  /** MMRACE_LOG: a level of pino. */
  readonly logLevel: LogLevel;
  /** MMRACE_LOG_FORM: 'auto' is 'human' where stderr is a terminal, else 'json'. */
  readonly logForm: LogForm;
}

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_FORMS = ['auto', 'human', 'json'] as const;
export type LogForm = (typeof LOG_FORMS)[number];

export const DEFAULT_CONFIG: ServerConfig = {
  host: '127.0.0.1',
  publicHosts: [],
  tokenFile: 'by-host',
  port: 7070,
  leaseMs: LEASE_MS,
  graceMs: GRACE_MS,
  heartbeatMs: HEARTBEAT_MS,
  drainMs: 2_000,
  recordTo: 'nowhere',
  restore: 'new',
  durability: 'batch',
  checkpointEvery: 4_000,
  keep: 'all',
  redis: 'nowhere',
  redisPrefix: 'mmrace',
  ownerLeaseMs: 3_000,
  address: 'own',
  ends: 'for-now',
  unknownLabs: 'on-demand',
  logLevel: 'info',
  logForm: 'auto',
};

/** `MMRACE_PORT: expected a whole number from 0 to 65535, found "x"` */
export class ConfigError extends Error {
  constructor(variable: string, bound: string, found: string) {
    super(`${variable}: expected ${bound}, found ${JSON.stringify(found)}`);
    this.name = 'ConfigError';
  }
}

interface Environment {
  readonly [variable: string]: string | undefined;
}

export const MIB = 1_024 * 1_024;
export const KEEP_MIB_MAX = 1_000_000;
/** Shorter than that, a server that is busy for a moment would lose its labs. */
export const OWNER_LEASE_MS_MIN = 500;
export const A_DAY_MS = 24 * 60 * 60 * 1000;

/** Throws: ConfigError. */
export function configFrom(environment: Environment): ServerConfig {
  const known = DEFAULT_CONFIG;
  return {
    host: environment.MMRACE_HOST ?? known.host,
    publicHosts: environment.MMRACE_PUBLIC_HOST?.split(',').filter((one) => one !== '') ?? [],
    tokenFile: environment.MMRACE_TOKEN ?? known.tokenFile,
    port: whole(environment, 'MMRACE_PORT', { least: 0, most: 65_535 }, known.port),
    leaseMs: millis(environment, 'MMRACE_LEASE_MS', known.leaseMs),
    graceMs: millis(environment, 'MMRACE_GRACE_MS', known.graceMs),
    heartbeatMs: millis(environment, 'MMRACE_HEARTBEAT_MS', known.heartbeatMs),
    drainMs: millis(environment, 'MMRACE_DRAIN_MS', known.drainMs),
    recordTo: environment.MMRACE_RECORD ?? known.recordTo,
    restore: oneOf(environment, 'MMRACE_RESTORE', ['restored', 'new'], known.restore),
    durability: oneOf(environment, 'MMRACE_DURABILITY', DURABILITY_MODES, known.durability),
    checkpointEvery: whole(
      environment,
      'MMRACE_CHECKPOINT_EVERY',
      { least: 1, most: 1_000_000_000 },
      known.checkpointEvery,
    ),
    keep:
      environment.MMRACE_KEEP === 'all' || environment.MMRACE_KEEP === undefined
        ? known.keep
        : whole(environment, 'MMRACE_KEEP', { least: 1, most: KEEP_MIB_MAX }, 1) * MIB,
    redis: environment.MMRACE_REDIS ?? known.redis,
    redisPrefix: environment.MMRACE_REDIS_PREFIX ?? known.redisPrefix,
    ownerLeaseMs: whole(
      environment,
      'MMRACE_OWNER_LEASE_MS',
      { least: OWNER_LEASE_MS_MIN, most: A_DAY_MS },
      known.ownerLeaseMs,
    ),
    address: environment.MMRACE_ADDRESS ?? known.address,
    ends: known.ends,
    unknownLabs: oneOf(
      environment,
      'MMRACE_UNKNOWN_LABS',
      ['on-demand', 'refused'],
      known.unknownLabs,
    ),
    logLevel: oneOf(environment, 'MMRACE_LOG', LOG_LEVELS, known.logLevel),
    logForm: oneOf(environment, 'MMRACE_LOG_FORM', LOG_FORMS, known.logForm),
  };
}

function millis(environment: Environment, variable: string, known: number): number {
  return whole(environment, variable, { least: 1, most: A_DAY_MS }, known);
}

function whole(
  environment: Environment,
  variable: string,
  { least, most }: { readonly least: number; readonly most: number },
  known: number,
): number {
  const text = environment[variable];
  if (text === undefined) return known;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new ConfigError(variable, `a whole number from ${least} to ${most}`, text);
}

function oneOf<Word extends string>(
  environment: Environment,
  variable: string,
  words: readonly Word[],
  known: Word,
): Word {
  const text = environment[variable];
  if (text === undefined) return known;
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw new ConfigError(variable, `one of ${words.join(', ')}`, text);
}
