/**
 * `node clients/web/e2e/record-seed-race.ts`: plays the run sheet of the seed race on a server of its own, on the stock
 * kernel and on the patched one, and writes what happened for the home page.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { recordSeedRace, SEED_RACE_FILE } from './seed-race-recording.ts';

writeFileSync(
  fileURLToPath(new URL(SEED_RACE_FILE, import.meta.url)),
  `${JSON.stringify(await recordSeedRace())}\n`,
);
