/** Tries a user's own code where it can be ended, before it runs where it cannot. */
import type { ExploreRequest } from '../../../scenario/explore-request.ts';
import type { SearchData } from './jobs.ts';
import { openSearchPool } from './search-pool.ts';
import { SharedSearch } from './shared-search.ts';

const NO_SEARCH: SearchData = {
  strategy: 'dpor',
  budgetExecutions: 0,
  budgetSeconds: 0,
  seed: 1,
  depth: 1,
};

/** Throws: BadInput for code that cannot be loaded, throws, does not end, or is not deterministic. */
export async function checkInThread(
  asked: ExploreRequest,
  options: { readonly stuckAfterMs?: number } = {},
): Promise<void> {
  const pool = await openSearchPool({ threads: 1, shared: new SharedSearch(), ...options });
  try {
    await pool.run('checkPlan', { asked, search: NO_SEARCH, slot: 0 });
  } finally {
    await pool.close();
  }
}
