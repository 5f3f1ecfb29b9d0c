/**
 * The seed race from command start to verdict, against SPIN from source to verdict, in turn: `holds` on the stock
 * kernel, and how soon the patch is found to break it. SPIN checks a sketch, the explorer the kernel that also runs.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  against,
  type Bench,
  type Effort,
  type Measurement,
} from '../../../server/tidy/benchmark.ts';
import { EXIT } from '../exit-codes.ts';
import { type SeedSize, spinHolds, spinIsThere } from './spin/spin-peer.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const SCENARIO = fileURLToPath(new URL('../../../scenarios/seed-zero-page.yaml', import.meta.url));
const PATCH = 'remove-second-invalidate';

/** What SPIN can do in seconds. Five devices with two migrators take it three minutes and 6 GB. */
const AGAINST_SPIN: readonly SeedSize[] = [
  { devices: 2, migrators: 1 },
  { devices: 3, migrators: 1 },
  { devices: 4, migrators: 1 },
  { devices: 4, migrators: 2 },
  { devices: 5, migrators: 1 },
];
const ALONE: readonly SeedSize[] = [
  { devices: 5, migrators: 2 },
  { devices: 8, migrators: 1 },
];
const BROKEN_DEVICES = [2, 5, 8];
/** Microseconds from command start in which the patch must be found to break it. */
const BROKEN_MAX = 500_000;

function repetitionsOf(effort: Effort): number {
  return effort === 'full' ? 3 : 1;
}

function sizesOf(effort: Effort, sizes: readonly SeedSize[]): readonly SeedSize[] {
  return effort === 'full' ? sizes : sizes.slice(0, 1);
}

/** Microseconds from command start to its end. Throws: an Error if the verdict is another. */
function mmrace(size: SeedSize, patch: string, expected: number): number {
  const parameters = ['--devices', `${size.devices}`, '--migrators', `${size.migrators}`];
  const begun = performance.now();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [MAIN, 'explore', SCENARIO, ...parameters, '--patch', patch, '--json'],
    { encoding: 'utf8' },
  );
  const spent = (performance.now() - begun) * 1_000;
  if (status !== expected) throw new Error(`exit ${status}: ${stdout}${stderr}`);
  return spent;
}

function nameOf({ devices, migrators }: SeedSize): string {
  return `N=${devices} M=${migrators}`;
}

function holds(effort: Effort): Measurement[] {
  const peer = spinIsThere();
  if (peer === 'missing') {
    console.log('SPIN or gcc is not installed (apt-get install spin gcc): the explorer alone');
  }
  const count = repetitionsOf(effort);
  const measurements: Measurement[] = [];
  for (const size of sizesOf(effort, AGAINST_SPIN)) {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let at = 0; at < count; at += 1) {
      if (peer === 'there') theirs.push(spinHolds(size));
      ours.push(mmrace(size, 'stock', EXIT.OK));
    }
    measurements.push({ name: `${nameOf(size)}: mmrace`, unit: 'us', values: ours });
    if (peer === 'missing') continue;
    const ratio = against(`${nameOf(size)}: against SPIN`, ours, theirs);
    measurements.push(
      { name: `${nameOf(size)}: SPIN`, unit: 'us', values: theirs },
      { ...ratio, atMost: 1 },
    );
  }
  for (const size of sizesOf(effort, ALONE)) {
    const values = Array.from({ length: count }, () => mmrace(size, 'stock', EXIT.OK));
    measurements.push({ name: `${nameOf(size)}: mmrace alone`, unit: 'us', values });
  }
  return measurements;
}

function broken(effort: Effort): Measurement[] {
  return BROKEN_DEVICES.map((devices) => {
    const size = { devices, migrators: 1 };
    const values = Array.from({ length: repetitionsOf(effort) }, () =>
      mmrace(size, PATCH, EXIT.BROKEN),
    );
    return { name: `${nameOf(size)}: until broken`, unit: 'us', values, atMost: BROKEN_MAX };
  });
}

export const benches: readonly Bench[] = [
  { name: 'the seed race from command start: holds, against SPIN', run: holds },
  { name: 'the seed race without the second invalidation, from command start', run: broken },
];
