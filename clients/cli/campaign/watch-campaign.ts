/** Looks at a campaign until it is over, and says how far it is and what keeps it. */
import { setTimeout as after } from 'node:timers/promises';
import type { CampaignQueues } from '../../../server/campaign/campaign-queues.ts';
import {
  type CampaignLook,
  type Campaigns,
  isFull,
  type WorkerFacts,
} from '../../../server/campaign/campaigns.ts';
import { campaignEstimate, type SeenUnits } from '../../../server/campaign/estimate.ts';
import { counted } from '../../../server/report/lines/counted.ts';
import { BadInput } from '../../../server/vocabulary/bad-input.ts';
import { say } from '../ending.ts';
import { durationText } from '../explore/estimate.ts';
import { newProgress } from '../progress.ts';

const LOOK_MS = 300;
/** Of what was seen lately the rate is made: milliseconds. */
const LATELY_MS = 30_000;

interface Watched {
  readonly look: CampaignLook;
  readonly ended: 'by itself' | 'interrupted';
}

/** Queues what is not queued: who began it may be gone. Throws: BadInput if there is none of that id. */
export async function watchCampaign(
  id: string,
  { campaigns, queues }: { readonly campaigns: Campaigns; readonly queues: CampaignQueues },
  interrupted: AbortSignal,
): Promise<Watched> {
  const line = newProgress('units');
  let said = '';
  const note = (text: string): void => {
    if (text !== said && text !== '') say(`mmrace: ${text}`);
    said = text;
  };
  const seen: SeenUnits[] = [];
  try {
    for (;;) {
      try {
        const look = await campaigns.look(id);
        if (look.state === 'done' || look.state === 'cancelled')
          return { look, ended: 'by itself' };
        const workers = await campaigns.workers();
        const full = await campaigns.fullness();
        note(full === 'none' ? troubleOf(look, workers) : `paused: ${full}`);
        if (full === 'none' && look.state === 'begun') await campaigns.fill(id, queues);
        seen.push({ at: performance.now(), left: look.left });
        while (seen.length > 2 && (seen[0]?.at ?? 0) < performance.now() - LATELY_MS) seen.shift();
        line.at(look.units - look.left, progressText(look, seen, workers));
        if (interrupted.aborted) return { look, ended: 'interrupted' };
      } catch (error) {
        if (error instanceof BadInput) throw error;
        if (interrupted.aborted) throw error;
        note(
          isFull(error) ? 'paused: Redis is full' : `Redis does not answer: ${messageOf(error)}`,
        );
      }
      await after(LOOK_MS, undefined, { signal: interrupted }).catch(() => undefined);
    }
  } finally {
    line.end();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why nothing will happen; empty if it may. */
function troubleOf(look: CampaignLook, workers: readonly WorkerFacts[]): string {
  const ofModel = workers.filter(({ model }) => model === look.model);
  const others = workers.length - ofModel.length;
  const refusing = others === 0 ? '' : `; refused by ${counted(others, 'worker')} of another model`;
  if (ofModel.length === 0)
    return `no worker takes ${look.id}: npx mmrace work --redis URL${refusing}`;
  if (look.code === 'own' && ofModel.every(({ code }) => code === 'not allowed'))
    return `no worker runs code of users: npx mmrace work --redis URL --allow-code${refusing}`;
  return others === 0
    ? ''
    : `${look.id} is refused by ${counted(others, 'worker')} of another model`;
}

/** `of 120, 12.3 a second, 7 to 9 s left, 2 workers`. */
export function progressText(
  look: CampaignLook,
  seen: readonly SeenUnits[],
  workers: readonly WorkerFacts[],
): string {
  const { rate, seconds } = campaignEstimate(look, seen);
  const left =
    seconds === 'unknown'
      ? 'time left unknown'
      : `${durationText(seconds.least)} to ${durationText(seconds.most)} left`;
  return [
    `of ${look.units}`,
    `${rate.toFixed(1)} a second`,
    left,
    counted(workers.length, 'worker'),
  ].join(', ');
}
