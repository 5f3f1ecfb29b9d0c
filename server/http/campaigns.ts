/** /api/campaigns: searches by many workers, beside the runs of this server. They are begun by the command line. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { strict } from '../abi/scalars.ts';
import { CampaignAnswer, CampaignsAnswer } from '../protocol/http-api.ts';
import { HttpFailure } from './http-failure.ts';
import { route } from './route.ts';

const tags = ['campaigns'];
const CampaignPath = strict({ id: Type.String({ minLength: 1, maxLength: 32 }) });
const NO_CAMPAIGNS: CampaignsAnswer = { redis: 'none', campaigns: [], workers: [] };

/** Where campaigns are read. Rejects with what Redis says. */
export interface CampaignShelf {
  list(): Promise<Omit<CampaignsAnswer, 'redis'>>;
  one(id: string): Promise<CampaignAnswer | 'unknown'>;
}

export function addCampaignRoutes(app: FastifyInstance, shelf: CampaignShelf | 'none'): void {
  app.get(
    '/api/campaigns',
    route({
      summary: 'Campaigns in the Redis of this server, the latest first, and the workers.',
      description: 'They are begun with `mmrace campaign run`, and answered by `mmrace work`.',
      tags,
      answers: { 200: CampaignsAnswer },
    }),
    async () =>
      shelf === 'none' ? NO_CAMPAIGNS : { redis: 'there', ...(await reached(shelf.list())) },
  );
  app.get<{ readonly Params: { readonly id: string } }>(
    '/api/campaigns/:id',
    route({
      summary: 'One campaign: how far it is, and of shapes the matrix as it fills.',
      tags,
      params: CampaignPath,
      answers: { 200: CampaignAnswer },
    }),
    async ({ params: { id } }) => {
      const found = shelf === 'none' ? 'unknown' : await reached(shelf.one(id));
      if (found === 'unknown') throw new HttpFailure('unknown-campaign', id);
      return found;
    },
  );
}

/** Throws: HttpFailure where Redis is away. */
async function reached<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw error instanceof Error ? new HttpFailure('stalled', error.message) : error;
  }
}
