/** What to ask instead, where nothing of a patch has run. */
import type { CodeNotReached } from '../../../server/report/code-reached.ts';
import { someScenariosReaching } from '../../../server/verify/coverage/reaching-scenarios.ts';

const known = new Map<string, string>();

/** Empty unless no function that the patch overrides has been called. Looked for once. */
export function reachingAdvice(missed: CodeNotReached | { readonly kind: string }): string {
  if (!('overridden' in missed) || missed.lines.length > 0) return '';
  const { overridden } = missed;
  const key = overridden.join();
  const advice = known.get(key) ?? adviceFor(overridden);
  known.set(key, advice);
  return advice;
}

function adviceFor(overridden: readonly string[]): string {
  const reaching = someScenariosReaching(overridden, () => performance.now());
  return reaching.length === 0
    ? 'no shipped scenario runs it: write one that does (docs/SCENARIOS.md)'
    : `scenarios that reach it: ${reaching.join(', ')}`;
}
