/** What a word of the command line asks of a real kernel: schedules to play, and what the model says of them. */
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import {
  type FindingFile,
  parseFindingFile,
} from '../../../server/conformance/fuzz/finding-file.ts';
import type { Failure } from '../../../server/explorer/failure.ts';
import type { PlayedByGuest } from '../../../server/realkernel/confirm.ts';
import type { SeenBy } from '../../../server/realkernel/re-enactment.ts';
import { describeFailure } from '../../../server/report/describe-failure.ts';
import { choicesOfSchedule } from '../../../server/verify/counterexample/counterexample.ts';
import {
  exploreScenario,
  type ScenarioVerdict,
} from '../../../server/verify/explore/explore-scenario.ts';
import { readCounterexample } from '../explore/read-recorded.ts';
import { executeAgain } from '../explore/replay-counterexample.ts';
import { DEFAULT_BUDGET_SECONDS, DEFAULT_DEPTH, DEFAULT_SEED } from '../explore/search-settings.ts';
import { UsageError } from '../failure.ts';
import { planFrom, scenarioFrom } from '../scenario-choice.ts';
import { scenarioOfFinding } from './scenario-of-finding.ts';

export interface Asked extends PlayedByGuest {
  /** What was asked, and of what kernel. */
  readonly title: string;
  /** By which it fails in the model, or 'stock'. */
  readonly patch: string;
  /** In the model. */
  readonly failure: string;
}

const BUDGET_EXECUTIONS = 1_000_000;

/** Throws: UsageError where nothing can be played. */
export async function askedSchedules(
  word: string,
  { patch, on: kernel }: { readonly patch: string; readonly on: string },
): Promise<Asked[]> {
  const finding = findingIn(word);
  if (finding !== 'none') return [await ofFinding(word, finding, kernel)];
  if (word.startsWith('mmr1.') || (existsSync(word) && !/\.ya?ml$/.test(word))) {
    return [await ofCounterexample(word)];
  }
  const scenario = scenarioFrom(word);
  const plan = await planFrom(scenario, { kernel, patch, driver: [] });
  const verdict = searched(plan);
  if (verdict.counterexample !== 'none') return [asked(verdict, patch, 'fails')];
  if (patch !== 'stock') {
    throw new UsageError(
      `${scenario.name} with ${patch}: ${verdict.verdict}, so there is nothing to play`,
    );
  }
  // What would break it, played where it is not broken.
  const found: Asked[] = [];
  for (const [id, expected] of Object.entries(scenario.expect.patches ?? {})) {
    if (id === 'stock' || expected !== 'broken') continue;
    const broken = searched(await planFrom(scenario, { kernel, patch: id, driver: [] }));
    if (broken.counterexample === 'none') continue;
    found.push({ ...asked(broken, id, 'is harmless'), patches: [] });
  }
  if (found.length > 0) return found;
  throw new UsageError(
    `${scenario.name}: ${verdict.verdict}, and it names no patch that breaks it: nothing to play`,
  );
}

function findingIn(word: string): FindingFile | 'none' {
  if (!(word.endsWith('.json') && existsSync(word))) return 'none';
  const found = parseFindingFile(JSON.parse(readFileSync(word, 'utf8')));
  return 'program' in found ? found : 'none';
}

/** What fuzz has found by chance is searched for anew, as a scenario. */
async function ofFinding(path: string, finding: FindingFile, kernel: string): Promise<Asked> {
  const scenario = scenarioOfFinding(basename(path, '.json'), finding);
  const plan = await planFrom(scenario, {
    kernel,
    patch: 'stock',
    driver: finding.driver === 'faithful' ? [] : [finding.driver],
  });
  const verdict = searched(plan);
  if (verdict.counterexample !== 'none') return asked(verdict, 'stock', 'fails');
  throw new UsageError(`${scenario.name}: ${verdict.verdict}, so there is nothing to play`);
}

function searched(plan: PlayedByGuest['plan']): ScenarioVerdict {
  return exploreScenario(plan, {
    strategy: 'dpor',
    budgetExecutions: BUDGET_EXECUTIONS,
    budgetSeconds: DEFAULT_BUDGET_SECONDS,
    seed: DEFAULT_SEED,
    depth: DEFAULT_DEPTH,
    clock: () => performance.now(),
    onProgress: () => undefined,
  });
}

function asked(verdict: ScenarioVerdict, patch: string, says: PlayedByGuest['says']): Asked {
  const { counterexample, plan } = verdict;
  if (counterexample === 'none') throw new RangeError('there is no counterexample');
  const { nearestPassingSchedule: sibling, steps, failure } = counterexample;
  const without = says === 'fails' ? '' : ', played on stock';
  return {
    plan,
    title: `${plan.scenario.name} (${plan.kernel}, ${patch}${without})`,
    patch,
    failure: describeFailure(failure),
    choices: steps.map(({ task }) => task),
    sibling: sibling === 'none' ? 'none' : sibling.choices,
    says,
    seenBy: seenBy(plan, failure),
    patches: plan.choice.patches,
    patched: 'here',
  };
}

function seenBy(plan: PlayedByGuest['plan'], failure: Failure): SeenBy {
  const rule = failure.kind === 'violation' ? failure.rule : failure.kind;
  if (rule === 'OR3' || rule === 'condition') return 'what was read';
  const writes = plan.threads.some(({ ops }) => ops.some(({ op }) => op.do === 'write'));
  return rule === 'OR1' && writes ? 'what was written' : 'what is left';
}

async function ofCounterexample(word: string): Promise<Asked> {
  const { counterexample, plan, ran } = await executeAgain(readCounterexample(word));
  if (plan === 'a live moment') {
    throw new UsageError(
      'it begins within a recorded run: confirm takes counterexamples of scenarios',
    );
  }
  if (ran.outcome === 'ends otherwise') {
    throw new UsageError('it does not fail any more in the model either: see mmrace replay');
  }
  return {
    plan,
    title: `${plan.scenario.name} (${plan.kernel}, ${counterexample.patch.name})`,
    patch: counterexample.patch.name,
    failure: counterexample.failure,
    choices: choicesOfSchedule(counterexample),
    sibling: siblingOf(choicesOfSchedule(counterexample), counterexample.found.safeSwap),
    says: 'fails',
    seenBy: seenBy(plan, ran.failure),
    patches: plan.choice.patches,
    patched: 'here',
  };
}

function siblingOf(
  choices: readonly number[],
  swap: readonly [number, number, number, number] | undefined,
): number[] | 'none' {
  if (swap === undefined) return 'none';
  const [first, , then, end] = swap;
  return [
    ...choices.slice(0, first - 1),
    ...choices.slice(then - 1, end),
    ...choices.slice(first - 1, then - 1),
    ...choices.slice(end),
  ];
}
