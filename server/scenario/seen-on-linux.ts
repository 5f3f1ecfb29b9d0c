/** What a real kernel has said of a question, by scenarios/confirmed.jsonl, which `mmrace confirm --all` writes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jointName } from '../patches/joint-name.ts';
import type { Confirmed } from '../report/confirmed.ts';
import { seenText } from '../report/confirmed.ts';
import type { ScenarioPlan } from './scenario-plan.ts';
import { shippedFolder, shippedScenario } from './shipped-scenarios.ts';

export const CONFIRMED_FILE = 'confirmed.jsonl';

/** A sentence for each schedule that Linux has confirmed; none of a question that is not as it ships. */
export function seenOnLinux({ scenario, kernel, choice }: ScenarioPlan): string[] {
  const { drivers, parameters, patches } = choice;
  if (drivers.size > 0 || Object.keys(parameters).length > 0) return [];
  if (patches.some(({ file }) => file !== undefined)) return [];
  const patch = jointName(patches.map(({ id }) => id));
  return confirmed()
    .filter((row) => row.outcome === 'confirmed' && row.question === scenario.name)
    .filter((row) => row.kernel === kernel)
    .filter((row) => (row.played === 'on stock' ? patch === 'stock' : row.patch === patch))
    .filter(() => JSON.stringify(shippedScenario(scenario.name)) === JSON.stringify(scenario))
    .map(seenText);
}

let known: readonly Confirmed[] | undefined;

/** Read once: it does not change while a process runs. */
function confirmed(): readonly Confirmed[] {
  known ??= readConfirmed();
  return known;
}

function readConfirmed(): readonly Confirmed[] {
  const folder = shippedFolder();
  if (folder === 'none') return [];
  const file = join(folder, CONFIRMED_FILE);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line): Confirmed => JSON.parse(line));
}
