/** Campaigns for the HTTP side of a server that has a Redis. What they need is loaded when somebody asks for them. */
import type { CampaignBook } from '../campaign/campaign-book.ts';
import type { CampaignShelf } from '../http/campaigns.ts';
import type { ServerConfig } from './config.ts';

export interface OwnCampaignShelf extends CampaignShelf {
  close(): Promise<void>;
}

export function newCampaignShelf({
  redis,
  redisPrefix,
}: Pick<ServerConfig, 'redis' | 'redisPrefix'>): OwnCampaignShelf | 'none' {
  if (redis === 'nowhere') return 'none';
  let book: Promise<CampaignBook> | 'not yet' = 'not yet';
  const opened = (): Promise<CampaignBook> => {
    if (book === 'not yet') {
      book = openedBook(redis, redisPrefix);
      // The next who asks tries again.
      book.catch(() => {
        book = 'not yet';
      });
    }
    return book;
  };
  return {
    list: async () => await (await opened()).list(),
    one: async (id) => await (await opened()).one(id),
    async close() {
      if (book !== 'not yet') (await book).close();
    },
  };
}

async function openedBook(redis: string, prefix: string): Promise<CampaignBook> {
  const { openCampaignBook } = await import('../campaign/campaign-book.ts');
  return await openCampaignBook(redis, prefix);
}
