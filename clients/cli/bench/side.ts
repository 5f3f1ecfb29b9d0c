/** What is measured beside its rivals, in turn in the same run. */
import { keepGoing, type Peer } from './peer.ts';
import type { BenchServer } from './server-process.ts';

export interface Load {
  readonly connections: number;
  /** Of each connection. */
  readonly inFlight: number;
}

export interface BenchSide<Name extends string = string> {
  readonly name: Name;
  readonly server: BenchServer;
  readonly peers: readonly Peer[];
  /** Round trips in a second, of each turn. */
  readonly rate: number[];
  /** Microseconds of the server's CPU time for one. */
  readonly cpu: number[];
}

/** One turn of `ms` milliseconds. */
export async function measureSide(side: BenchSide, load: Load, ms: number): Promise<void> {
  const cpuBefore = await side.server.cpuMicros();
  const begun = performance.now();
  const trips = await keepGoing(side.peers, load.inFlight, ms);
  const spent = performance.now() - begun;
  const cpuAfter = await side.server.cpuMicros();
  side.rate.push((trips * 1_000) / spent);
  side.cpu.push((cpuAfter - cpuBefore) / trips);
}
