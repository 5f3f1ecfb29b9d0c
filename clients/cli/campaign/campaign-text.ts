/** What a campaign came to, as the commands that ask the same question alone print it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerOf, type CampaignAnswer } from '../../../server/campaign/answers.ts';
import type { CampaignLook, CampaignSpec, Campaigns } from '../../../server/campaign/campaigns.ts';
import {
  choiceIn,
  isWhereItWas,
  originFolder,
  unpack,
} from '../../../server/campaign/code-bundle.ts';
import { type Core, hasOwnCode } from '../../../server/campaign/core.ts';
import { type CampaignQuestion, campaignQuestionWords } from '../../../server/campaign/question.ts';
import { counted } from '../../../server/report/lines/counted.ts';
import { plainVerdict } from '../../../server/verify/answer/plain.ts';
import type { ScenarioVerdict } from '../../../server/verify/explore/explore-scenario.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { keptOf, reproduceLine, tokenOf } from '../explore/saved-counterexample.ts';
import { textOf } from '../explore/text.ts';
import { UsageError } from '../failure.ts';
import { catalogueText } from '../shapes/catalogue-text.ts';

/** One question's answer in both forms. */
export interface ToldAnswer {
  readonly text: string;
  readonly plain: object;
  readonly exitCode: ExitCode;
}

export interface ToldCampaign {
  readonly text: string;
  readonly plain: object;
  readonly exitCode: ExitCode;
}

/** `code`: whether code that it brings along may run here, in a process that is a person's. */
export async function tellCampaign(
  campaigns: Campaigns,
  {
    id,
    code,
    model,
  }: { readonly id: string; readonly code: 'allowed' | 'not allowed'; readonly model: string },
): Promise<ToldCampaign> {
  const look = await campaigns.look(id);
  if (look.model !== model) {
    const models = `${look.model.slice(0, 8)}, and this one has ${model.slice(0, 8)}`;
    throw new UsageError(`${id} is of another model (${models}): its mmrace reads it`);
  }
  const spec = await campaigns.spec(id);
  const folder = mkdtempSync(join(tmpdir(), 'mmrace-campaign-'));
  try {
    const told: ToldAnswer[] = [];
    for (const question of spec.questions) {
      told.push(await toldOf(question, { campaigns, look, spec, code, folder }));
    }
    return together(look, told);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface From {
  readonly campaigns: Campaigns;
  readonly look: CampaignLook;
  readonly spec: CampaignSpec;
  readonly code: 'allowed' | 'not allowed';
  readonly folder: string;
}

async function toldOf(question: CampaignQuestion, from: From): Promise<ToldAnswer> {
  const core = await from.campaigns.core(question.core);
  if (hasOwnCode(core) && from.code === 'not allowed')
    return notKnown(
      question,
      'to show it, the code that it brings along has to run here: --allow-code',
    );
  const folder = folderOf(question.core, core, from);
  const { campaigns, look } = from;
  const answer = await answerOf(question, { campaigns, look, core, folder });
  return toldAnswer(question, core, folder, answer);
}

/** Where the user's own files are, if they are here as they were; else a copy of them. */
function folderOf(id: string, core: Core, { spec, folder }: From): string {
  const origins = Object.fromEntries(
    Object.entries(spec.origins).flatMap(([name, path]) =>
      name.startsWith(`${id}/`) ? [[name.slice(id.length + 1), path]] : [],
    ),
  );
  if (hasOwnCode(core) && isWhereItWas(core.code, origins)) return originFolder(origins);
  const own = join(folder, id);
  mkdirSync(own, { recursive: true });
  unpack(core.code, own);
  return own;
}

function toldAnswer(
  question: CampaignQuestion,
  core: Core,
  folder: string,
  answer: CampaignAnswer,
): ToldAnswer {
  switch (answer.kind) {
    case 'verdict':
      return toldVerdict(question, core, folder, answer.verdict);
    case 'report':
      return {
        text: catalogueText(answer.report),
        plain: { question: campaignQuestionWords(question), ...answer.report },
        exitCode: exitCodeOf(answer.report.verdict),
      };
    case 'not known':
      return notKnown(question, answer.why);
  }
}

function toldVerdict(
  question: CampaignQuestion,
  core: Core,
  folder: string,
  verdict: ScenarioVerdict,
): ToldAnswer {
  if (question.kind !== 'scenario' || core.kind !== 'scenario') throw new TypeError(question.kind);
  const { patch, drivers } = hasOwnCode(core) ? choiceIn(core.choice, folder) : question;
  const { strategy } = question;
  const kept = keptOf(verdict, { patch, driver: drivers, strategy });
  return {
    text: textOf(verdict.plan, { patch }, verdict) + reproduceLine(kept),
    plain: {
      question: campaignQuestionWords(question),
      ...plainVerdict(verdict.plan, { patch, token: tokenOf(kept) }, verdict),
    },
    exitCode: exitCodeOf(verdict.verdict),
  };
}

function notKnown(question: CampaignQuestion, why: string): ToldAnswer {
  const words = campaignQuestionWords(question);
  return {
    text: `${words}: unknown\n  ${why}`,
    plain: { question: words, verdict: 'unknown', why },
    exitCode: EXIT.UNKNOWN,
  };
}

function exitCodeOf(verdict: 'holds' | 'broken' | 'unknown'): ExitCode {
  if (verdict === 'broken') return EXIT.BROKEN;
  return verdict === 'holds' ? EXIT.OK : EXIT.UNKNOWN;
}

function together(look: CampaignLook, told: readonly ToldAnswer[]): ToldCampaign {
  const aside = [...look.aside].map(([unit, why]) => ({ unit, why }));
  return {
    text: [...told.map(({ text }) => text), summaryOf(look)].join('\n\n'),
    plain: {
      campaign: look.id,
      state: look.state,
      units: look.units,
      left: look.left,
      reused: look.reused,
      skipped: look.skipped,
      aside,
      notDeterministic: look.differs === '' ? null : look.differs,
      answers: told.map(({ plain }) => plain),
    },
    exitCode: worstOf(look, told),
  };
}

function worstOf({ differs }: CampaignLook, told: readonly ToldAnswer[]): ExitCode {
  const codes = told.map(({ exitCode }) => exitCode);
  if (codes.includes(EXIT.BROKEN)) return EXIT.BROKEN;
  const isKnown = codes.every((code) => code === EXIT.OK) && differs === '';
  return isKnown ? EXIT.OK : EXIT.UNKNOWN;
}

/** `campaign c1: 120 units, 100 answered before`, and what is wrong with it. */
function summaryOf(look: CampaignLook): string {
  const parts = [
    `campaign ${look.id}: ${look.state}, ${counted(look.units, 'unit')}`,
    ...(look.left > 0 ? [`${look.left} to be answered`] : []),
    ...(look.reused > 0 ? [`${look.reused} answered before`] : []),
    ...(look.skipped > 0 ? [`${look.skipped} not needed`] : []),
    ...(look.aside.size > 0 ? [`${look.aside.size} set aside`] : []),
  ];
  const aside = [...look.aside].map(([unit, why]) => `  set aside: unit ${unit}: ${why}`);
  const differs =
    look.differs === ''
      ? []
      : [
          `  unit ${look.differs} came out in two ways: it is not deterministic, and no verdict stands on it`,
        ];
  return [parts.join(', '), ...aside, ...differs].join('\n');
}
