/** The Redis that a campaign is in, as the command line and the environment name it. */
import { campaignModel } from '../../../server/campaign/campaign-model.ts';
import { CampaignQueues, openQueueRedis } from '../../../server/campaign/campaign-queues.ts';
import { Campaigns } from '../../../server/campaign/campaigns.ts';
import { openRedis } from '../../../server/cluster/redis-link.ts';
import { Unavailable, UsageError } from '../failure.ts';
import { serverConfig } from '../server-config.ts';

export interface RedisAddress {
  readonly url: string;
  readonly prefix: string;
}

/** Throws: UsageError where none is named. */
export async function redisAddress(named: string | undefined): Promise<RedisAddress> {
  const { redis: url, redisPrefix: prefix } = await serverConfig({ redis: named });
  if (url === 'nowhere')
    throw new UsageError('campaigns are in Redis: name one with --redis URL or MMRACE_REDIS');
  return { url, prefix };
}

export interface OpenCampaigns {
  readonly campaigns: Campaigns;
  readonly queues: CampaignQueues;
  readonly model: string;
  close(): Promise<void>;
}

/** Throws: UsageError, Unavailable. */
export async function openCampaigns(named: string | undefined): Promise<OpenCampaigns> {
  const { url, prefix } = await redisAddress(named);
  const link = await openRedis(url, prefix).catch((error: unknown) => {
    throw unavailable(url, error);
  });
  const model = campaignModel();
  const queues = new CampaignQueues(await openQueueRedis(url), prefix);
  return {
    campaigns: new Campaigns(link, model),
    queues,
    model,
    async close() {
      link.close();
      await queues.close();
    },
  };
}

/** What is secret in the address is not said. */
export function unavailable(url: string, error: unknown): Unavailable {
  const address = url.replace(/\/\/[^/]*@/, '//');
  const why = error instanceof Error ? error.message : String(error);
  const remedy = 'start one: redis-server --appendonly yes';
  return new Unavailable(`no Redis answers at ${address} (${why}); ${remedy}`, { cause: error });
}
