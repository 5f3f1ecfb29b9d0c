/**
 * `npm run simulate:campaign`: how far a campaign is from twice the workers, half the time, and why. Durations are
 * those that `--measure` wrote into measured-units.json: processor time of this many shapes, in one thread.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { planScenario } from '../scenario/scenario-plan.ts';
import { askShape } from '../verify/shapes/ask-shape.ts';
import { SHAPE_SIZES, type ShapeSize, scenarioOfShape, shapesOf } from '../verify/shapes/shapes.ts';
import { type SimulatedCampaign, simulate } from './simulation.fixture.ts';

const FILE = new URL('measured-units.json', import.meta.url);
/** Of each size one in so many is measured. */
const MEASURED_EVERY: { readonly [size: number]: number } = { 1: 29, 2: 499, 3: 9_973 };
const EXECUTIONS = 300;
const WORKERS = [1, 2, 10, 30, 100, 300, 1_000];
const BATCHES = [1, 2, 5, 20, 100];

/** Milliseconds of a Redis of its own core for each script, as docs/SCALE.md says; and a network of one building. */
const REDIS: Pick<SimulatedCampaign, 'redisMs' | 'roundTripMs' | 'stragglers'> = {
  redisMs: { take: 0.02, done: 0.035, batch: 0.2 },
  roundTripMs: 0.5,
  stragglers: { share: 0.05, times: 3 },
};

type Measured = Readonly<Record<string, readonly number[]>>;

if (process.argv.includes('--measure')) {
  const measured = Object.fromEntries(SHAPE_SIZES.map((size) => [size, measuredOf(size)]));
  writeFileSync(FILE, `${JSON.stringify(measured)}\n`);
}
const measured = JSON.parse(readFileSync(FILE, 'utf8')) as Measured;
for (const [size, all] of Object.entries(measured)) {
  const mean = all.reduce((sum, ms) => sum + ms, 0) / all.length;
  const most = Math.max(...all);
  print(
    `shapes of ${size}: ${all.length} measured, ${mean.toFixed(0)} ms each, ${most} ms at most`,
  );
}
for (const size of SHAPE_SIZES) {
  const all = measured[size] ?? [];
  const count = [...shapesOf(size)].length;
  print('');
  print(`All ${count} shapes of ${size}: efficiency (share of the time that Redis is busy)`);
  print(['workers', ...BATCHES.map((batch) => `${batch} a batch`)].map(cell).join(''));
  // Neighbours in the catalogue are alike; here they are mixed, as in the queue.
  const units = Array.from({ length: count }, (_, at) => all[(at * 7_919) % all.length] as number);
  for (const workers of WORKERS) {
    const cells = BATCHES.map((batch) => {
      const { efficiency, redisBusy } = simulate({ ...REDIS, units, workers, batch });
      return `${efficiency.toFixed(2)} (${(redisBusy * 100).toFixed(0)} %)`;
    });
    print([String(workers), ...cells].map(cell).join(''));
  }
}

function cell(text: string): string {
  return text.padStart(14);
}

/** Processor time, so that what else the machine does counts for little. */
function measuredOf(size: ShapeSize): number[] {
  const every = MEASURED_EVERY[size] ?? 1;
  return [...shapesOf(size)]
    .filter((_, at) => at % every === 0)
    .map((shape) => {
      const scenario = scenarioOfShape(shape);
      const { choice } = planScenario(scenario, {
        patches: [],
        drivers: new Map(),
        parameters: {},
      });
      const began = process.cpuUsage();
      askShape({ scenario, choice, executions: EXECUTIONS, goOn: () => 'go on' });
      const { user, system } = process.cpuUsage(began);
      return Math.round((user + system) / 1_000);
    });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
