/**
 * What of a patch's own lines runs in no shape. It is asked where everything else holds, of the shapes with the longest
 * searches: what they do not reach, none of the catalogue is said to reach.
 */
import type { MissedLines } from '../../report/catalogue.ts';
import type { AskedChoice } from '../../scenario/explore-request.ts';
import type { OwnLines } from '../coverage/own-files.ts';
import { openSearchPool } from '../explore/workers/search-pool.ts';
import { SharedSearch } from '../explore/workers/shared-search.ts';
import type { ShapeAnswer } from './ask-catalogue.ts';
import { scenarioOfShape } from './shapes.ts';

/** Shapes that are searched again, a few first: they are enough for most patches. */
const BATCHES = [3, 12, 48];

/** Throws: BadInput for what the user gave. */
export async function linesMissed(
  asked: AskedChoice,
  answers: readonly ShapeAnswer[],
  { executions, interrupted }: { readonly executions: number; readonly interrupted: AbortSignal },
): Promise<readonly MissedLines[]> {
  const longest = answers
    .filter(({ word, called }) => word === 'holds' && called.length > 0)
    .toSorted((a, b) => b.executions - a.executions);
  const shared = new SharedSearch();
  const stop = () => shared.stop();
  interrupted.addEventListener('abort', stop);
  const missed = new Map<string, readonly number[]>();
  try {
    let from = 0;
    for (const count of BATCHES) {
      const scenarios = longest
        .slice(from, from + count)
        .map(({ shape }) => scenarioOfShape(shape));
      from += count;
      if (scenarios.length === 0) break;
      const job = { asked: { file: 'shapes', text: '', ...asked }, scenarios, executions, slot: 0 };
      // V8 counts blocks of functions that were compiled since it began: each batch has a thread of its own.
      const pool = await openSearchPool({ threads: 1, shared });
      try {
        for (const one of await pool.run('linesOfShapes', job)) meet(missed, one);
      } finally {
        await pool.close();
      }
      if ([...missed.values()].every((lines) => lines.length === 0)) break;
    }
  } finally {
    interrupted.removeEventListener('abort', stop);
  }
  return [...missed]
    .filter(([, lines]) => lines.length > 0)
    .map(([file, lines]) => ({ file, lines }));
}

/** A line counts as missed if every batch has missed it. */
function meet(missed: Map<string, readonly number[]>, { file, missed: now }: OwnLines): void {
  const before = missed.get(file);
  missed.set(file, before === undefined ? now : before.filter((line) => now.includes(line)));
}
