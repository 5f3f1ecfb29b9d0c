import { createHash } from 'node:crypto';
import { boundOf, type Counterexample } from '../counterexample/counterexample.ts';
import type { ReportMeta } from './report-meta.ts';

/**
 * A counterexample as reports tell it: one search has found it, and it was executed again for the report. `question` is
 * the scenario, or whatever else was explored.
 */
export function metaOfCounterexample(
  counterexample: Counterexample,
  question: unknown,
  reproduce: string,
): ReportMeta {
  const { scenario, patch, failure, found } = counterexample;
  const { verdict, executions, failures, windowEntered } = found;
  return {
    name: scenario.name,
    patch: patch.name,
    verdict,
    seen: failure,
    bound: boundOf(counterexample),
    reproduce,
    litmus: {
      name: scenario.name,
      form: found.strategy === 'dpor' || found.strategy === 'dfs' ? 'exhaustive' : 'sampled',
      complete: 'no',
      states: [{ text: `${failure};`, count: failures, meets: 'yes' }],
      quantifier: 'exists',
      condition: 'violation',
      positive: failures,
      negative: Math.max(0, executions - failures),
      seconds: 'not measured',
      hash: testHash(counterexample, question),
    },
    properties: [
      {
        name: 'race window entered',
        outcome: windowEntered > 0 ? 'pass' : 'error',
        reason: windowEntered > 0 ? '' : `never in ${executions} executions`,
      },
    ],
    waits: [],
  };
}

/** The question in full names the test, as explore does it: the same question has the same hash. */
function testHash({ patch, drivers, parameters }: Counterexample, asked: unknown): string {
  const chosen = Object.entries(drivers).map(([actor, { name }]) =>
    actor === '*' ? name : `${actor}=${name}`,
  );
  const question = JSON.stringify([asked, patch.name, chosen, parameters]);
  return createHash('sha256').update(question).digest('hex').slice(0, 32);
}
