/**
 * One page mirrored by many devices is thrown away: a question to each and an answer from each before the CPU's
 * call returns. Against a bare ws server that does the same with frames of the same size.
 */
import {
  against,
  type Bench,
  type Effort,
  type Measurement,
  repetitions,
} from '../../../server/tidy/benchmark.ts';
import { openCpuPeer, openDevicePeer } from './lab-peer.ts';
import { oneByOne, type Peer } from './peer.ts';
import { openRawMember, openRawPeer } from './raw-peer.ts';
import { type BenchServer, spawnServer } from './server-process.ts';

const RATIO_AT_MOST = 1.4;
/** Connections opened at a time: more would overflow the listen queue. */
const OPENED_AT_ONCE = 50;

interface Side {
  readonly server: BenchServer;
  readonly asker: Peer;
  readonly wait: number[];
  readonly cpu: number[];
}

async function openMany(
  count: number,
  open: (name: string) => Promise<{ close(): void }>,
): Promise<{ close(): void }[]> {
  const opened: { close(): void }[] = [];
  while (opened.length < count) {
    const first = opened.length;
    const some = Math.min(OPENED_AT_ONCE, count - first);
    const names = Array.from({ length: some }, (_, at) => `dev${first + at}`);
    opened.push(...(await Promise.all(names.map(open))));
  }
  return opened;
}

async function measure(side: Side, devices: number, ms: number): Promise<void> {
  const cpuBefore = await side.server.cpuMicros();
  const begun = performance.now();
  const rounds = await oneByOne(side.asker, ms);
  const spent = performance.now() - begun;
  const cpuAfter = await side.server.cpuMicros();
  side.wait.push((spent * 1_000) / rounds);
  side.cpu.push((cpuAfter - cpuBefore) / (rounds * devices));
}

async function compare(devices: number, effort: Effort): Promise<Measurement[]> {
  const { count, ms } = repetitions(effort);
  const servers = await Promise.all([spawnServer('raw-server.ts'), spawnServer('lab-server.ts')]);
  const [rawServer, labServer] = servers;
  const opened: { close(): void }[] = [];
  try {
    const rawAsker = await openRawPeer(rawServer.url, 'fan_out');
    const cpu = await openCpuPeer(labServer.url);
    opened.push(rawAsker, cpu);
    opened.push(...(await openMany(devices, () => openRawMember(rawServer.url))));
    opened.push(...(await openMany(devices, (name) => openDevicePeer(labServer.url, name))));
    const sides: readonly [Side, Side] = [
      { server: rawServer, asker: rawAsker, wait: [], cpu: [] },
      { server: labServer, asker: cpu, wait: [], cpu: [] },
    ];
    for (const side of sides) await oneByOne(side.asker, ms);
    for (let turn = 0; turn < count; turn += 1) {
      for (const side of sides) await measure(side, devices, ms);
    }
    return report(sides);
  } finally {
    for (const each of opened) each.close();
    for (const server of servers) server.stop();
  }
}

function report([raw, real]: readonly [Side, Side]): Measurement[] {
  return [
    { name: 'raw: until all have answered', unit: 'us', values: raw.wait },
    { name: 'raw: server CPU a question and answer', unit: 'us', values: raw.cpu },
    { name: 'madvise: until all have answered', unit: 'us', values: real.wait },
    { name: 'madvise: server CPU a question and answer', unit: 'us', values: real.cpu },
    against('until all have answered, madvise against raw', real.wait, raw.wait),
    {
      ...against('server CPU, madvise against raw', real.cpu, raw.cpu),
      atMost: RATIO_AT_MOST,
    },
  ];
}

export const benches: readonly Bench[] = [10, 100, 1_000].map((devices) => ({
  name: `invalidation of a page mirrored by ${devices} devices`,
  run: (effort) => compare(devices, effort),
}));
