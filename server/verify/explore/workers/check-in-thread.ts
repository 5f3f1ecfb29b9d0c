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

export interface OwnCodeChecks {
  /** Throws: BadInput for code that cannot be loaded, throws, does not end, or is not deterministic. */
  check(asked: ExploreRequest): Promise<void>;
  /** Ends the thread, whatever it does. */
  close(): Promise<void>;
}

/** One thread for all of them: to start one takes longer than most checks. */
export async function openOwnCodeChecks(
  options: { readonly stuckAfterMs?: number } = {},
): Promise<OwnCodeChecks> {
  const pool = await openSearchPool({ threads: 1, shared: new SharedSearch(), ...options });
  return {
    async check(asked) {
      await pool.run('checkPlan', { asked, search: NO_SEARCH, slot: 0 });
    },
    close: () => pool.close(),
  };
}

/** One check. Throws: BadInput, as OwnCodeChecks does. */
export async function checkInThread(
  asked: ExploreRequest,
  options: { readonly stuckAfterMs?: number } = {},
): Promise<void> {
  const checks = await openOwnCodeChecks(options);
  try {
    await checks.check(asked);
  } finally {
    await checks.close();
  }
}
