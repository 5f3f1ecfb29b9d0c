/** npm run fuzz:wire -- [frames] [seed] */
import { fuzzWire } from './wire-fuzz.fixture.ts';

const FRAMES = 1_000_000;

const [frames = FRAMES, seed = 1] = process.argv.slice(2).map(Number);
const { served, clients } = await fuzzWire({ frames, seed });
process.stdout.write(
  `${frames} frames of seed ${seed} from ${clients} clients. Requests that succeeded:\n`,
);
for (const [method, count] of [...served].sort()) process.stdout.write(`  ${method} ${count}\n`);
