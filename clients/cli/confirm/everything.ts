/** Every scenario that ships, with each patch that breaks it, and every finding. */
import { basename } from 'node:path';
import { DRIVER_CHANGE } from '../../../server/realkernel/build-kernel.ts';
import type { Confirmation, Tally } from '../../../server/realkernel/confirm.ts';
import type { Confirmed } from '../../../server/report/confirmed.ts';
import {
  shippedFindings,
  shippedScenario,
  shippedScenarioNames,
} from '../../../server/scenario/shipped-scenarios.ts';
import { UsageError } from '../failure.ts';
import { type Asked, askedSchedules } from './asked-schedules.ts';

/** A word and a patch for confirm. */
interface Question {
  readonly word: string;
  readonly patch: string;
}

export function allQuestions(): Question[] {
  const scenarios = shippedScenarioNames().flatMap((name) => {
    const scenario = shippedScenario(name);
    const expected = scenario === 'none' ? {} : (scenario.expect.patches ?? {});
    const broken = Object.entries(expected).filter(
      ([id, verdict]) => id !== 'stock' && verdict === 'broken',
    );
    return [{ word: name, patch: 'stock' }, ...broken.map(([patch]) => ({ word: name, patch }))];
  });
  return [...scenarios, ...shippedFindings().map((word) => ({ word, patch: 'stock' }))];
}

/** One row for each schedule; one with the reason where there is none to play. `linux`: as `uname -r` has it. */
export async function rowsOf(
  { word, patch }: Question,
  { on, linux }: { readonly on: string; readonly linux: string },
  play: (asked: Asked) => Promise<Confirmation>,
): Promise<Confirmed[]> {
  const question = basename(word, '.json');
  const shared = { linux, driver: DRIVER_CHANGE, question, kernel: on };
  let all: readonly Asked[];
  try {
    all = await askedSchedules(word, { patch, on });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const nothing = { played: 'nothing', model: '', linuxDid: '', control: '' } as const;
    return [{ ...shared, patch, ...nothing, outcome: 'nothing to play' }];
  }
  const rows: Confirmed[] = [];
  for (const asked of all) rows.push({ ...shared, ...rowOf(asked, await play(asked)) });
  return rows;
}

function rowOf(
  { patch, says, failure }: Asked,
  confirmation: Confirmation,
): Omit<Confirmed, 'linux' | 'driver' | 'question' | 'kernel'> {
  const { outcome } = confirmation;
  const asFound = says === 'fails';
  const shared = {
    patch,
    played: asFound ? 'as found' : 'on stock',
    model: asFound ? failure : 'harmless',
    outcome,
  } as const;
  if (outcome === 'not re-enactable') {
    return { ...shared, linuxDid: confirmation.what, control: '' };
  }
  const { schedule, control } = confirmation;
  return {
    ...shared,
    linuxDid: outcome === 'not confirmed' ? confirmation.why : tallyCell(schedule),
    control: control === 'none' ? '' : `${tallyCell(control)} (${control.order})`,
  };
}

function tallyCell({ runs, stale, crashed, kept }: Tally): string {
  const parts = [
    ...(stale > 0 ? [`stale in ${stale}`] : []),
    ...(crashed > 0 ? [`crashed in ${crashed}`] : []),
  ];
  const how = kept === 'none' ? '' : `, each kept from it: ${kept.split(':')[0]}`;
  return `${parts.join(', ') || 'clean'} of ${runs}${how}`;
}
