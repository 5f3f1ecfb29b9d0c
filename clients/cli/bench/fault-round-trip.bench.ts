/**
 * A validated page fault over loopback against a bare ws echo of the same size, the two in turn in the same run:
 * throughput here swings with whatever else the machine does, the server's CPU time a round trip does not.
 */
import {
  against,
  type Bench,
  type Effort,
  type Measurement,
  repetitions,
} from '../../../server/tidy/benchmark.ts';
import { openCpuPeer, openDevicePeer } from './lab-peer.ts';
import { keepGoing, type Peer } from './peer.ts';
import { openRawPeer } from './raw-peer.ts';
import { spawnServer } from './server-process.ts';
import { type BenchSide, type Load, measureSide } from './side.ts';

/** Server CPU of a whole validated fault against that of the bare echo. */
const RATIO_AT_MOST = 1.4;

const LOADS: readonly Load[] = [
  { connections: 1, inFlight: 1 },
  { connections: 1, inFlight: 64 },
  { connections: 64, inFlight: 8 },
];

async function compare(load: Load, effort: Effort): Promise<Measurement[]> {
  const { count, ms } = repetitions(effort);
  const servers = await Promise.all([spawnServer('raw-server.ts'), spawnServer('lab-server.ts')]);
  const [rawServer, labServer] = servers;
  const peers: Peer[] = [];
  try {
    const names = Array.from({ length: load.connections }, (_, at) => `dev${at}`);
    const raw = await Promise.all(names.map(() => openRawPeer(rawServer.url, 'fault')));
    peers.push(await openCpuPeer(labServer.url));
    const real = await Promise.all(names.map((name) => openDevicePeer(labServer.url, name)));
    peers.push(...raw, ...real);
    const sides: readonly [BenchSide, BenchSide] = [
      { name: 'raw', server: rawServer, peers: raw, rate: [], cpu: [] },
      { name: 'fault', server: labServer, peers: real, rate: [], cpu: [] },
    ];
    for (const side of sides) await keepGoing(side.peers, load.inFlight, ms);
    for (let turn = 0; turn < count; turn += 1) {
      for (const side of sides) await measureSide(side, load, ms);
    }
    return report(sides);
  } finally {
    for (const peer of peers) peer.close();
    for (const server of servers) server.stop();
  }
}

function report([raw, fault]: readonly [BenchSide, BenchSide]): Measurement[] {
  return [
    ...[raw, fault].flatMap(({ name, rate, cpu }): Measurement[] => [
      { name: `${name}: round trips`, unit: '1/s', values: rate },
      { name: `${name}: server CPU a round trip`, unit: 'us', values: cpu },
    ]),
    against('round trips, raw against fault', raw.rate, fault.rate),
    { ...against('server CPU, fault against raw', fault.cpu, raw.cpu), atMost: RATIO_AT_MOST },
  ];
}

export const benches: readonly Bench[] = LOADS.map((load) => ({
  name: `fault round trips, ${load.connections} x ${load.inFlight} in flight`,
  run: (effort) => compare(load, effort),
}));
