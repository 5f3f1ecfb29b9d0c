import { ensurePage } from '../web/build/ensure-page.ts';
import { say } from './ending.ts';

/** Builds the page if it has to be. Without it the server serves all the same, and says what is missing. */
export async function readyPage(): Promise<void> {
  try {
    await ensurePage();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    say(`mmrace: the page cannot be built, everything else works: ${why}`);
  }
}
