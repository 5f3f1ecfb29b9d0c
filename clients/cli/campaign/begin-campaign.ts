/** Puts a campaign into Redis: all of it, or nothing. */
import { isFull } from '../../../server/campaign/campaigns.ts';
import { Unavailable } from '../failure.ts';
import type { AskedCampaign } from './asked-campaign.ts';
import type { OpenCampaigns } from './campaign-redis.ts';

/** Its id. Throws: Unavailable where Redis is full. */
export async function beginCampaign(
  { campaigns, queues }: Pick<OpenCampaigns, 'campaigns' | 'queues'>,
  spec: AskedCampaign['spec'],
  cores: AskedCampaign['cores'],
): Promise<string> {
  const full = await campaigns.fullness();
  if (full !== 'none') throw new Unavailable(`nothing is begun: ${full}`);
  let id: string;
  try {
    id = await campaigns.begin(spec, cores);
  } catch (error) {
    if (!isFull(error)) throw error;
    throw new Unavailable('nothing is begun: Redis is full', { cause: error });
  }
  try {
    await campaigns.fill(id, queues);
  } catch (error) {
    // Whoever watches fills it when there is room.
    if (!isFull(error)) throw error;
  }
  return id;
}
