/**
 * Everything that can be set for more than one command at once, as data: in the environment, in a file of the folder,
 * and by a flag of the commands that use it.
 */
import { Type } from 'typebox';
import { name as nameOfActor, strict, word } from '../../../server/abi/scalars.ts';
import {
  A_DAY_MS,
  DEFAULT_CONFIG,
  KEEP_MIB_MAX,
  LOG_FORMS,
  LOG_LEVELS,
  OWNER_LEASE_MS_MIN,
} from '../../../server/app/config.ts';
import { DURABILITY_MODES } from '../../../server/journal/durability.ts';
import { DEFAULT_LAB, DEFAULT_URL } from '../../agents/agent-process.ts';

export interface Setting {
  /** In the file. */
  readonly key: string;
  /** In the environment. */
  readonly variable: string;
  /** Of the commands that use it; 'none' if there is no flag. */
  readonly flag: string;
  readonly schema: Type.TSchema;
  /** The default; 'none' if nothing is. */
  readonly fallback: string | number;
  /** Completes "sets ...". */
  readonly what: string;
}

const millis = Type.Integer({
  minimum: 1,
  maximum: A_DAY_MS,
  description: `a whole number of milliseconds from 1 to ${A_DAY_MS}`,
});
const words = (description: string) => Type.String({ minLength: 1, description });
const known = DEFAULT_CONFIG;

export const SETTINGS: readonly Setting[] = [
  {
    key: 'url',
    variable: 'MMRACE_URL',
    flag: '--url',
    schema: Type.String({
      pattern: '^wss?://',
      description: 'an address such as ws://127.0.0.1:7070/ws',
    }),
    fallback: DEFAULT_URL,
    what: 'the server that clients connect to',
  },
  {
    key: 'lab',
    variable: 'MMRACE_LAB',
    flag: '--lab',
    schema: nameOfActor,
    fallback: DEFAULT_LAB,
    what: 'the lab that clients join: its name or its join code',
  },
  {
    key: 'name',
    variable: 'MMRACE_NAME',
    flag: '--name',
    schema: nameOfActor,
    fallback: 'none',
    what: 'the name of the actor (dev0 and cpu0 otherwise)',
  },
  {
    key: 'host',
    variable: 'MMRACE_HOST',
    flag: '--host',
    schema: words('an address of this machine'),
    fallback: known.host,
    what: 'the address that a server listens on',
  },
  {
    key: 'publicHost',
    variable: 'MMRACE_PUBLIC_HOST',
    flag: '--public-host',
    schema: words('names of hosts, with commas between them'),
    fallback: 'none',
    what: 'names, beside localhost and addresses, under which clients reach a server',
  },
  {
    key: 'token',
    variable: 'MMRACE_TOKEN',
    flag: '--token',
    schema: words('a file, or none'),
    fallback: known.tokenFile,
    what: 'the file with the token of a server that is not for everybody; by-host: its own where others reach it',
  },
  {
    key: 'port',
    variable: 'MMRACE_PORT',
    flag: '--port',
    schema: Type.Integer({
      minimum: 0,
      maximum: 65_535,
      description: 'a whole number from 0 to 65535',
    }),
    fallback: known.port,
    what: 'the port that a server listens on, 0 for any',
  },
  {
    key: 'record',
    variable: 'MMRACE_RECORD',
    flag: '--record',
    schema: words('a folder'),
    fallback: known.recordTo,
    what: 'the folder that a server records its labs into',
  },
  {
    key: 'restore',
    variable: 'MMRACE_RESTORE',
    flag: '--restore',
    schema: word('restored', 'new'),
    fallback: known.restore,
    what: 'whether labs of an earlier server are opened again from the folder of recordings',
  },
  {
    key: 'durability',
    variable: 'MMRACE_DURABILITY',
    flag: '--durability',
    schema: word(...DURABILITY_MODES),
    fallback: known.durability,
    what: 'when a recording is on the disk: as the system likes, within 50 ms, or before answers',
  },
  {
    key: 'checkpointEvery',
    variable: 'MMRACE_CHECKPOINT_EVERY',
    flag: 'none',
    schema: Type.Integer({
      minimum: 1,
      maximum: 1_000_000_000,
      description: 'a whole number from 1',
    }),
    fallback: known.checkpointEvery,
    what: 'entries of a recording between two checkpoints, where a later server begins',
  },
  {
    key: 'keep',
    variable: 'MMRACE_KEEP',
    flag: '--keep',
    schema: Type.Integer({
      minimum: 1,
      maximum: KEEP_MIB_MAX,
      description: `a whole number of MiB from 1 to ${KEEP_MIB_MAX}`,
    }),
    fallback: known.keep,
    what: 'MiB of a recording that are kept at least, if its beginning may be removed',
  },
  {
    key: 'redis',
    variable: 'MMRACE_REDIS',
    flag: '--redis',
    schema: Type.String({
      pattern: '^(rediss?://.+|nowhere)$',
      description: 'an address such as redis://127.0.0.1:6379',
    }),
    fallback: known.redis,
    what: 'the Redis in which a server keeps its labs, and shares them with others',
  },
  {
    key: 'redisPrefix',
    variable: 'MMRACE_REDIS_PREFIX',
    flag: 'none',
    schema: words('how keys begin'),
    fallback: known.redisPrefix,
    what: 'how all keys begin there; servers of one prefix share their labs',
  },
  {
    key: 'ownerLeaseMs',
    variable: 'MMRACE_OWNER_LEASE_MS',
    flag: 'none',
    schema: Type.Integer({
      minimum: OWNER_LEASE_MS_MIN,
      maximum: A_DAY_MS,
      description: `milliseconds, a whole number from ${OWNER_LEASE_MS_MIN} to ${A_DAY_MS}`,
    }),
    fallback: known.ownerLeaseMs,
    what: 'how long after its last sign of life the labs of a server are taken over',
  },
  {
    key: 'address',
    variable: 'MMRACE_ADDRESS',
    flag: '--address',
    schema: Type.String({
      pattern: '^(https?://.+|own)$',
      description: 'an address such as http://10.0.0.2:7070',
    }),
    fallback: known.address,
    what: 'where clients of other servers are sent to; own: host and port',
  },
  {
    key: 'leaseMs',
    variable: 'MMRACE_LEASE_MS',
    flag: '--lease-ms',
    schema: millis,
    fallback: known.leaseMs,
    what: 'how long a device may keep the kernel waiting',
  },
  {
    key: 'graceMs',
    variable: 'MMRACE_GRACE_MS',
    flag: '--grace-ms',
    schema: millis,
    fallback: known.graceMs,
    what: 'how long a lost session can be resumed',
  },
  {
    key: 'heartbeatMs',
    variable: 'MMRACE_HEARTBEAT_MS',
    flag: '--heartbeat-ms',
    schema: millis,
    fallback: known.heartbeatMs,
    what: 'the time between two pings',
  },
  {
    key: 'drainMs',
    variable: 'MMRACE_DRAIN_MS',
    flag: 'none',
    schema: millis,
    fallback: known.drainMs,
    what: 'how long clients have to leave when a server ends',
  },
  {
    key: 'unknownLabs',
    variable: 'MMRACE_UNKNOWN_LABS',
    flag: 'none',
    schema: word('on-demand', 'refused'),
    fallback: known.unknownLabs,
    what: 'whether a device or a CPU that says so (--new) opens a lab of a name that is unknown',
  },
  {
    key: 'log',
    variable: 'MMRACE_LOG',
    flag: 'none',
    schema: word(...LOG_LEVELS),
    fallback: known.logLevel,
    what: 'how much a server logs',
  },
  {
    key: 'logForm',
    variable: 'MMRACE_LOG_FORM',
    flag: '--log',
    schema: word(...LOG_FORMS),
    fallback: known.logForm,
    what: 'the form of its log: sentences, JSON lines, or as fits where it goes',
  },
];

interface ServerAddress {
  readonly host: string | number | undefined;
  readonly port: string | number | undefined;
}

/**
 * Where clients find the server of this machine that listens there: on loopback if it listens on all addresses, and on
 * the usual port if it takes any.
 */
export function clientUrl({ host = known.host, port = known.port }: ServerAddress): string {
  const everywhere = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host];
  const reached = String(everywhere ?? host);
  return `ws://${reached.includes(':') ? `[${reached}]` : reached}:${Number(port) || known.port}/ws`;
}

/** Of the file as a whole. */
export const CONFIG_FILE_SCHEMA = strict(
  Object.fromEntries(SETTINGS.map(({ key, schema }) => [key, Type.Optional(schema)])),
);
