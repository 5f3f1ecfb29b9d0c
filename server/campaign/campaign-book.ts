/** Campaigns as a server shows them. An answer stays as it is: of each unit a word is kept, and asked for no more. */
import { openRedis, type RedisLink } from '../cluster/redis-link.ts';
import type {
  CampaignAnswer,
  CampaignEntry,
  CampaignQuestionAnswer,
  CampaignsAnswer,
} from '../protocol/http-api.ts';
import type { ShapeAnswer } from '../verify/shapes/ask-catalogue.ts';
import { matrixOf } from '../verify/shapes/shape-matrix.ts';
import { shapeNamed } from '../verify/shapes/shapes.ts';
import { BadInput } from '../vocabulary/bad-input.ts';
import { campaignModel } from './campaign-model.ts';
import { type CampaignLook, type CampaignSpec, Campaigns } from './campaigns.ts';
import { campaignEstimate, type SeenUnits } from './estimate.ts';
import { type CampaignQuestion, campaignQuestionWords, unitsOf } from './question.ts';
import type { Unit, UnitValue, UnitValues } from './unit.ts';

/** Campaigns of which words are kept, those looked at last. */
const OPEN_MAX = 4;
/** A second look within so many milliseconds is answered by the first. */
const AGAIN_MS = 500;
const LATELY_MS = 30_000;

type ShapeValue = UnitValues['shape'];

/** What is kept of the value of a unit. */
interface Word {
  readonly found: 'something' | 'nothing';
  readonly shape: ShapeValue | 'none';
}

interface OpenCampaign {
  readonly spec: CampaignSpec;
  readonly words: Map<string, Word>;
  readonly seen: SeenUnits[];
  answer: Promise<CampaignAnswer>;
  askedAt: number;
}

/** Rejects with what keeps it from Redis. */
export async function openCampaignBook(url: string, prefix: string): Promise<CampaignBook> {
  return new CampaignBook(await openRedis(url, prefix), campaignModel());
}

export class CampaignBook {
  readonly #link: RedisLink;
  readonly #model: string;
  readonly #campaigns: Campaigns;
  readonly #open = new Map<string, OpenCampaign>();

  constructor(link: RedisLink, model: string) {
    this.#link = link;
    this.#model = model;
    this.#campaigns = new Campaigns(link, model);
  }

  async list(): Promise<Omit<CampaignsAnswer, 'redis'>> {
    const looks = await this.#campaigns.list();
    const workers = [...(await this.#campaigns.workers())];
    return { campaigns: looks.map(entryOf), workers };
  }

  async one(id: string): Promise<CampaignAnswer | 'unknown'> {
    try {
      const open = this.#open.get(id) ?? (await this.#opened(id));
      const now = performance.now();
      if (now - open.askedAt > AGAIN_MS) {
        open.askedAt = now;
        open.answer = this.#answer(id, open);
      }
      return await open.answer;
    } catch (error) {
      if (error instanceof BadInput) return 'unknown';
      throw error;
    }
  }

  close(): void {
    this.#link.close();
  }

  async #opened(id: string): Promise<OpenCampaign> {
    const spec = await this.#campaigns.spec(id);
    const [oldest] = this.#open.keys();
    if (this.#open.size >= OPEN_MAX && oldest !== undefined) this.#open.delete(oldest);
    const made = { spec, words: new Map<string, Word>(), seen: [] };
    const open = { ...made, askedAt: performance.now(), answer: this.#answer(id, made) };
    this.#open.set(id, open);
    return open;
  }

  async #answer(
    id: string,
    { spec, words, seen }: Pick<OpenCampaign, 'spec' | 'words' | 'seen'>,
  ): Promise<CampaignAnswer> {
    const look = await this.#campaigns.look(id);
    const now = performance.now();
    seen.push({ at: now, left: look.left });
    while (seen.length > 2 && (seen[0]?.at ?? now) < now - LATELY_MS) seen.shift();
    const { rate, seconds } = campaignEstimate(look, seen);
    const questions: CampaignQuestionAnswer[] = [];
    for (const question of spec.questions)
      questions.push(await this.#questionOf(question, look, words));
    const full = await this.#campaigns.fullness();
    return {
      campaign: entryOf(look),
      workers: [...(await this.#campaigns.workers())],
      paused: full === 'none' ? '' : full,
      rate,
      secondsLeft: seconds === 'unknown' ? null : seconds,
      aside: [...look.aside].map(([unit, why]) => ({ unit, why })),
      questions,
    };
  }

  async #questionOf(
    question: CampaignQuestion,
    look: CampaignLook,
    words: Map<string, Word>,
  ): Promise<CampaignQuestionAnswer> {
    const units = unitsOf(question);
    const name = (unit: Unit) => this.#campaigns.idOf(unit);
    // Of another model the names are others, too: how far it is can be seen, and not what came of it.
    const readable = look.model === this.#model ? units : [];
    const missing = readable.filter((unit) => !words.has(name(unit)));
    for (const [id, { value }] of await this.#campaigns.values(missing))
      words.set(id, wordOf(value));
    const known = units.flatMap((unit) => words.get(name(unit)) ?? []);
    return {
      words: campaignQuestionWords(question),
      units: units.length,
      answered: known.length,
      found: known.filter(({ found }) => found === 'something').length,
      matrix:
        question.kind === 'shapes' ? matrixSoFar(question.shapes, units.map(name), words) : [],
    };
  }
}

function matrixSoFar(
  names: readonly string[],
  units: readonly string[],
  words: ReadonlyMap<string, Word>,
): CampaignQuestionAnswer['matrix'] {
  const shapes = names.map(shapeNamed);
  const answers = shapes.flatMap((shape, at): ShapeAnswer[] => {
    const word = words.get(units[at] ?? '');
    return word === undefined || word.shape === 'none' ? [] : [{ shape, ...word.shape }];
  });
  return matrixOf(shapes, answers).map((cell) => ({ ...cell, operations: [...cell.operations] }));
}

function wordOf(value: UnitValue): Word {
  if ('word' in value) {
    const found = value.word === 'appeared' || value.word === 'broken' ? 'something' : 'nothing';
    return { found, shape: { ...value, called: [] } };
  }
  const failed =
    'parts' in value
      ? value.parts.some((part) => part.found !== 'none')
      : value.verdict === 'broken';
  return { found: failed ? 'something' : 'nothing', shape: 'none' };
}

function entryOf(look: CampaignLook): CampaignEntry {
  const { id, state, model, code, by, began, units, left, reused, skipped } = look;
  return {
    id,
    state,
    model,
    code,
    by,
    began,
    units,
    left,
    reused,
    skipped,
    aside: look.aside.size,
  };
}
