/** From the values of units to the answers that one search of the whole question would have given. */

import type { SampleStrategy } from '../explorer/sample.ts';
import type { CatalogueReport } from '../report/catalogue.ts';
import { usesOwnCode } from '../scenario/explore-request.ts';
import type { ScenarioVerdict } from '../verify/explore/explore-scenario.ts';
import { coveredBy, type PartResult } from '../verify/explore/sampled-parts.ts';
import { openOwnCodeChecks } from '../verify/explore/workers/check-in-thread.ts';
import { received } from '../verify/explore/workers/explore-in-threads.ts';
import type { SentVerdict } from '../verify/explore/workers/jobs.ts';
import { openSearchPool } from '../verify/explore/workers/search-pool.ts';
import { SharedSearch } from '../verify/explore/workers/shared-search.ts';
import type { ShapeAnswer } from '../verify/shapes/ask-catalogue.ts';
import { catalogueReport } from '../verify/shapes/catalogue-report.ts';
import { linesMissed } from '../verify/shapes/lines-missed.ts';
import { shapeNamed } from '../verify/shapes/shapes.ts';
import { BadInput } from '../vocabulary/bad-input.ts';
import type { CampaignLook, Campaigns, StoredValue } from './campaigns.ts';
import { choiceIn } from './code-bundle.ts';
import type { CatalogueCore, Core, ScenarioCore } from './core.ts';
import {
  type CampaignQuestion,
  type ScenarioQuestion,
  type ShapesQuestion,
  unitsOf,
} from './question.ts';
import { requestOf, searchData } from './run-unit.ts';
import type { Unit, UnitValues } from './unit.ts';

export type CampaignAnswer =
  | { readonly kind: 'verdict'; readonly verdict: ScenarioVerdict }
  | { readonly kind: 'report'; readonly report: CatalogueReport }
  /** Units are missing. */
  | { readonly kind: 'not known'; readonly why: string };

export interface AnswerFrom {
  readonly campaigns: Campaigns;
  readonly look: CampaignLook;
  readonly core: Core;
  /** Where its code is. */
  readonly folder: string;
}

/** Throws: BadInput. Runs the code of the core, if it has any. */
export async function answerOf(
  question: CampaignQuestion,
  from: AnswerFrom,
): Promise<CampaignAnswer> {
  const units = unitsOf(question);
  const values = await from.campaigns.values(units);
  const storedOf = (unit: Unit) => values.get(from.campaigns.idOf(unit));
  if (question.kind === 'shapes') return await reportOf(question, units, storedOf, from);
  const { strategy } = question;
  if (strategy === 'dpor' || strategy === 'dfs') return await verdictOf(units, storedOf, from);
  return await sampledVerdict({ ...question, strategy }, units, storedOf, from);
}

type StoredOf = (unit: Unit) => StoredValue | undefined;

async function reportOf(
  { shapes, executions }: ShapesQuestion,
  units: readonly Unit[],
  storedOf: StoredOf,
  { core, folder }: AnswerFrom,
): Promise<CampaignAnswer> {
  const { before, after, changed } = core as CatalogueCore;
  const answers: ShapeAnswer[] = [];
  for (const [at, unit] of units.entries()) {
    const found = storedOf(unit);
    if (found === undefined) continue;
    const value = found.value as UnitValues['shape'];
    answers.push({ shape: shapeNamed(shapes[at] as string), ...value });
  }
  const question = {
    before,
    after,
    changed,
    shapes: shapes.map(shapeNamed),
    executions,
    stopAfter: shapes.length,
  };
  const report = catalogueReport(question, answers);
  if (report.verdict !== 'holds' || after.patch === before.patch) return { kind: 'report', report };
  const missed = await linesMissed(choiceIn(after, folder), answers, {
    executions,
    interrupted: new AbortController().signal,
  });
  return { kind: 'report', report: catalogueReport(question, answers, missed) };
}

async function verdictOf(
  [unit]: readonly Unit[],
  storedOf: StoredOf,
  from: AnswerFrom,
): Promise<CampaignAnswer> {
  const found = unit === undefined ? undefined : storedOf(unit);
  if (found === undefined) return notKnown(from, unit === undefined ? [] : [unit]);
  const answer = found.value as UnitValues['answer'];
  return await checked({ ...answer, seconds: found.ms / 1_000 }, from);
}

/** Parts up to the first that failed: those behind it do not count, and may be missing. */
async function sampledVerdict(
  question: ScenarioQuestion & { readonly strategy: SampleStrategy },
  units: readonly Unit[],
  storedOf: StoredOf,
  from: AnswerFrom,
): Promise<CampaignAnswer> {
  const parts: PartResult[] = [];
  let ms = 0;
  let measured: UnitValues['sample']['measured'] | 'none' = 'none';
  for (const unit of units) {
    const found = storedOf(unit);
    if (found === undefined) return notKnown(from, [unit]);
    const value = found.value as UnitValues['sample'];
    parts.push(...value.parts);
    measured = value.measured;
    ms += found.ms;
    if (value.parts.some((part) => part.found !== 'none')) break;
  }
  if (measured === 'none') return notKnown(from, []);
  const covered = coveredBy(parts, measured, question, 'complete');
  const asked = requestOf(from.core as ScenarioCore, from.folder);
  const pool = await openSearchPool({ threads: 1, shared: new SharedSearch() });
  try {
    const search = searchData(question);
    const seconds = ms / 1_000;
    const answer = await pool.run('concludeCovered', { asked, search, slot: 0, covered, seconds });
    return await checked({ ...answer, seconds }, from);
  } finally {
    await pool.close();
  }
}

/** What is shown has happened here as well. */
async function checked(answer: SentVerdict, { core, folder }: AnswerFrom): Promise<CampaignAnswer> {
  const asked = requestOf(core as ScenarioCore, folder);
  if (usesOwnCode(asked)) {
    const checks = await openOwnCodeChecks();
    try {
      await checks.check(asked);
    } finally {
      await checks.close();
    }
  }
  return { kind: 'verdict', verdict: await received(asked, answer) };
}

function notKnown({ look, campaigns }: AnswerFrom, units: readonly Unit[]): CampaignAnswer {
  for (const unit of units) {
    const why = look.aside.get(campaigns.idOf(unit));
    if (why !== undefined)
      return { kind: 'not known', why: `unit ${campaigns.idOf(unit)} was set aside: ${why}` };
  }
  if (look.state === 'cancelled') return { kind: 'not known', why: 'the campaign was cancelled' };
  if (look.state === 'done') throw new BadInput('its values are not in Redis any more: ask again');
  return { kind: 'not known', why: 'it is not answered yet' };
}
