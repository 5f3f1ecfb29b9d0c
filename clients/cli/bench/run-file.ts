/**
 * The process that runs one benchmark file: `run-file.ts FILE EFFORT`. A process of its own, because what ran
 * before leaves its mark on heap and compiler. Sends one message for each bench.
 */
import { pathToFileURL } from 'node:url';
import type { Bench, Effort, Measurement } from '../../../server/tidy/benchmark.ts';

export interface BenchMessage {
  readonly bench: string;
  readonly measurements: readonly Measurement[];
}

const [path, effort] = process.argv.slice(2) as [string, Effort];
const { benches }: { benches?: readonly Bench[] } = await import(pathToFileURL(path).href);
if (benches === undefined) throw new Error(`${path} exports no benches`);
for (const bench of benches) {
  const measurements = await bench.run(effort);
  const message: BenchMessage = { bench: bench.name, measurements };
  process.send?.(message);
}
process.disconnect?.();
