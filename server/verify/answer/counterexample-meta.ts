import { createHash } from 'node:crypto';
import type { Event } from '../../abi/event.ts';
import type { Failure } from '../../explorer/failure.ts';
import { askedBy, herdWords } from '../../report/asked-condition.ts';
import { driverWords } from '../../report/choice-words.ts';
import type { ReportMeta, ReportWait } from '../../report/report-meta.ts';
import type { Turn } from '../../report/turn.ts';
import { boundOf, type Counterexample, kernelOf } from '../counterexample/counterexample.ts';

/** What comes of executing it again. */
export interface AgainFacts {
  /** The scenario, or whatever else was explored: it names the test. */
  readonly question: unknown;
  readonly reproduce: string;
  readonly setup: readonly Event[];
  /** Registers, entries and mirrors at its end. */
  readonly end: string;
  /** As it failed then. */
  readonly failure: Failure | 'none';
  readonly turn: Turn;
  readonly waits: readonly ReportWait[];
}

/**
 * A counterexample as reports show it: one search has found it, and it was executed again for the report.
 */
export function metaOfCounterexample(
  counterexample: Counterexample,
  { question, reproduce, setup, end, failure, turn, waits }: AgainFacts,
): ReportMeta {
  const { scenario, patch, failure: promised, found } = counterexample;
  const { verdict, executions, failures, windowEntered } = found;
  return {
    name: scenario.name,
    kernel: kernelOf(counterexample),
    patch: `${patch.name}${driverWords(driversOf(counterexample))}`,
    verdict,
    seen: promised,
    bound: boundOf(counterexample),
    reproduce,
    litmus: {
      name: scenario.name,
      form: found.strategy === 'dpor' || found.strategy === 'dfs' ? 'exhaustive' : 'sampled',
      complete: false,
      states: [
        {
          text: `${failure !== 'none' && failure.kind === 'condition' ? herdWords(end) : promised};`,
          count: failures,
          meets: true,
        },
      ],
      ...askedBy(failure),
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
    waits,
    turn,
    ...(setup.length === 0 ? {} : { setup }),
  };
}

function driversOf({ drivers }: Counterexample): { readonly [actor: string]: string } {
  return Object.fromEntries(Object.entries(drivers).map(([actor, { name }]) => [actor, name]));
}

/** The question in full names the test, as explore does it: the same question has the same hash. */
function testHash(counterexample: Counterexample, asked: unknown): string {
  const { patch, drivers, parameters } = counterexample;
  const chosen = Object.entries(drivers).map(([actor, { name }]) =>
    actor === '*' ? name : `${actor}=${name}`,
  );
  const question = JSON.stringify([
    asked,
    kernelOf(counterexample),
    patch.name,
    chosen,
    parameters,
  ]);
  return createHash('sha256').update(question).digest('hex').slice(0, 32);
}
