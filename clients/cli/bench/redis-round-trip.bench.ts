/**
 * A validated page fault where the lab is kept in Redis, in a folder, and nowhere, in turn in the same run: what is
 * written before anybody hears of it costs the server CPU time.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OwnRedis, WITHOUT_REDIS } from '../../../server/cluster/redis-server.fixture.ts';
import {
  against,
  type Bench,
  type Effort,
  type Measurement,
  repetitions,
} from '../../../server/tidy/benchmark.ts';
import { openCpuPeer, openDevicePeer } from './lab-peer.ts';
import { keepGoing, type Peer } from './peer.ts';
import { spawnServer } from './server-process.ts';
import { type BenchSide, type Load, measureSide } from './side.ts';

/** Server CPU of a fault with Redis against that of one without. */
const RATIO_AT_MOST = 1.3;

const LOADS: readonly Load[] = [
  { connections: 1, inFlight: 1 },
  { connections: 1, inFlight: 64 },
  { connections: 64, inFlight: 8 },
];

async function compare(load: Load, effort: Effort): Promise<Measurement[]> {
  if (WITHOUT_REDIS !== false) throw new Error(WITHOUT_REDIS);
  const { count, ms } = repetitions(effort);
  const folder = mkdtempSync(join(tmpdir(), 'mmrace-bench-'));
  const redis = await OwnRedis.start();
  const kept = { MMRACE_RECORD: folder, MMRACE_RESTORE: 'restored', MMRACE_DURABILITY: 'each' };
  const sides: BenchSide[] = [];
  const peers: Peer[] = [];
  try {
    const places = { nowhere: {}, folder: kept, redis: { MMRACE_REDIS: redis.url } };
    for (const [name, environment] of Object.entries(places)) {
      const server = await spawnServer('lab-server.ts', environment);
      const side: BenchSide = { name, server, peers: [], rate: [], cpu: [] };
      sides.push(side);
      peers.push(await openCpuPeer(server.url));
      const names = Array.from({ length: load.connections }, (_, at) => `dev${at}`);
      const devices = await Promise.all(names.map((one) => openDevicePeer(server.url, one)));
      peers.push(...devices);
      sides[sides.length - 1] = { ...side, peers: devices };
    }
    for (const side of sides) await keepGoing(side.peers, load.inFlight, ms);
    for (let turn = 0; turn < count; turn += 1) {
      for (const side of sides) await measureSide(side, load, ms);
    }
    return report(sides);
  } finally {
    for (const peer of peers) peer.close();
    for (const { server } of sides) server.stop();
    await redis.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(sides: readonly BenchSide[]): Measurement[] {
  const cpuOf = (wanted: string) => sides.find(({ name }) => name === wanted)?.cpu ?? [];
  return [
    ...sides.flatMap(({ name, rate, cpu }): Measurement[] => [
      { name: `${name}: round trips`, unit: '1/s', values: rate },
      { name: `${name}: server CPU a round trip`, unit: 'us', values: cpu },
    ]),
    against('server CPU, redis against folder', cpuOf('redis'), cpuOf('folder')),
    {
      ...against('server CPU, redis against nowhere', cpuOf('redis'), cpuOf('nowhere')),
      atMost: RATIO_AT_MOST,
    },
  ];
}

export const benches: readonly Bench[] = LOADS.map((load) => ({
  name: `faults with Redis, ${load.connections} x ${load.inFlight} in flight`,
  run: (effort) => compare(load, effort),
}));
