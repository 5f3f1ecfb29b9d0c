/** Campaigns as they are in Redis, for those who begin them, watch them and work on them. */
import { randomBytes } from 'node:crypto';
import type { Argument, RedisLink } from '../cluster/redis-link.ts';
import type { Script } from '../cluster/scripts.ts';
import { BadInput } from '../vocabulary/bad-input.ts';
import type { Batch } from './batch.ts';
import type { CampaignQueues } from './campaign-queues.ts';
import {
  ASIDE,
  BATCHES,
  BEGIN,
  DONE,
  GET_CORE,
  KNOWN,
  LIST,
  LOOK,
  MEMORY,
  PUT_CORE,
  SCRIPT_VALUES,
  SPEC,
  TAKE,
  TURN,
  WORKERS,
} from './campaign-scripts.ts';
import { type Core, coreId, hasOwnCode } from './core.ts';
import { batchesOf, type CampaignQuestion, unitsOf } from './question.ts';
import { type Unit, type UnitValue, unitId, unitStream } from './unit.ts';
import { valueIn, valueText } from './value-text.ts';

/** Things that are sent or fetched at once. */
const CHUNK = 500;
const ID_BYTES = 4;

export interface CampaignSpec {
  readonly questions: readonly CampaignQuestion[];
  /** Who began it, and where: `me@build7`. */
  readonly by: string;
  readonly began: string;
  /** Where the files of users stood there. */
  readonly origins: Readonly<Record<string, string>>;
}

/** 'begun': not all of it is queued yet. */
export type CampaignState = 'begun' | 'running' | 'done' | 'cancelled';

export interface KindTimes {
  readonly units: number;
  readonly ms: number;
  readonly squares: number;
}

export interface CampaignLook {
  readonly id: string;
  readonly state: CampaignState;
  readonly model: string;
  readonly code: 'own' | 'none';
  readonly by: string;
  readonly began: string;
  /** All of it, with what was known before. */
  readonly units: number;
  readonly left: number;
  /** Answered before, by this or by another campaign. */
  readonly reused: number;
  /** Parts of random searches behind the first that failed. */
  readonly skipped: number;
  /** Exhaustive searches in one piece that are under way or to come. */
  readonly searchesLeft: number;
  readonly times: Readonly<Record<string, KindTimes>>;
  /** Units that were set aside, and why. */
  readonly aside: ReadonlyMap<string, string>;
  /** A unit that came out in two ways: it is no function of what it was given. Empty: none. */
  readonly differs: string;
}

export interface WorkerFacts {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly threads: number;
  readonly busy: number;
  readonly units: number;
  readonly model: string;
  readonly code: 'allowed' | 'not allowed';
}

export interface StoredValue {
  readonly value: UnitValue;
  /** How long it took whoever answered it first. */
  readonly ms: number;
}

export type Taken = 'run' | 'answered' | 'not needed' | 'over';

export class Campaigns {
  readonly #link: RedisLink;
  readonly #model: string;

  /** `model`: of this program. */
  constructor(link: RedisLink, model: string) {
    this.#link = link;
    this.#model = model;
  }

  /** Its id. All of it is in Redis then, or nothing. Rejects with what Redis says. */
  async begin(spec: CampaignSpec, cores: readonly Core[]): Promise<string> {
    const id = `c${randomBytes(ID_BYTES).toString('hex')}`;
    for (const core of cores) await this.#run(PUT_CORE, [coreId(core), JSON.stringify(core)]);
    const units = new Map(spec.questions.flatMap(unitsOf).map((unit) => [this.idOf(unit), unit]));
    const known = await this.#known([...units.keys()]);
    const wanted = [...units].filter(([unit]) => !known.has(unit)).map(([, unit]) => unit);
    const batches = batchesOf(wanted).map((batch) => [
      JSON.stringify({ campaign: id, units: batch } satisfies Batch),
      batch.map((unit) => this.idOf(unit)),
    ]);
    const facts = {
      state: 'begun',
      model: this.#model,
      code: cores.some(hasOwnCode) ? 'own' : 'none',
      by: spec.by,
      began: spec.began,
      units: String(units.size),
      reused: String(known.size),
      skipped: '0',
      searches: String(wanted.filter(({ kind }) => kind === 'answer').length),
    };
    await this.#run(BEGIN, [
      id,
      JSON.stringify(facts),
      JSON.stringify(batches),
      JSON.stringify(spec),
    ]);
    return id;
  }

  /** Queues what is not queued yet. Twice is as good as once. Rejects with what Redis says. */
  async fill(id: string, queues: CampaignQueues): Promise<void> {
    const { model, code } = await this.look(id);
    for (let from = 0; ; from += CHUNK) {
      const texts = await this.#run(BATCHES, [id, from, from + CHUNK - 1]);
      const batches = (texts as string[]).map((text) => JSON.parse(text) as Batch);
      if (batches.length === 0) break;
      await queues.add(
        model,
        code,
        batches.map((batch, at) => [`${id}-${from + at}`, batch]),
      );
    }
    await this.#run(TURN, [id, 'running', 'begun']);
  }

  /** Throws: BadInput if there is none of that id. */
  async look(id: string): Promise<CampaignLook> {
    const text = String(await this.#run(LOOK, [id]));
    if (text === '') throw new NoCampaign(id);
    return lookOf(id, JSON.parse(text) as Looked);
  }

  /** Throws: as look(). */
  async spec(id: string): Promise<CampaignSpec> {
    const text = String(await this.#run(SPEC, [id]));
    if (text === '') throw new NoCampaign(id);
    return JSON.parse(text) as CampaignSpec;
  }

  /** The latest first. */
  async list(): Promise<readonly CampaignLook[]> {
    const looks: CampaignLook[] = [];
    for (const id of (await this.#run(LIST, [])) as string[]) {
      const text = String(await this.#run(LOOK, [id]));
      if (text !== '') looks.push(lookOf(id, JSON.parse(text) as Looked));
    }
    return looks;
  }

  async cancel(id: string): Promise<CampaignState> {
    const { state } = await this.look(id);
    return (await this.#run(TURN, [
      id,
      'cancelled',
      state === 'begun' ? state : 'running',
    ])) as CampaignState;
  }

  async workers(): Promise<readonly WorkerFacts[]> {
    const said = (await this.#run(WORKERS, [])) as string[];
    return said.map((text) => JSON.parse(text) as WorkerFacts);
  }

  /** By the ids of units; what is not answered is missing. */
  async values(units: readonly Unit[]): Promise<ReadonlyMap<string, StoredValue>> {
    const ids = units.map((unit) => this.idOf(unit));
    const values = new Map<string, StoredValue>();
    for (let from = 0; from < ids.length; from += CHUNK) {
      const some = ids.slice(from, from + CHUNK);
      const texts = (await this.#run(SCRIPT_VALUES, some)) as string[];
      for (const [at, text] of texts.entries()) {
        if (text === '') continue;
        const end = text.indexOf('\n');
        const value = valueIn(text.slice(end + 1)) as UnitValue;
        values.set(some[at] as string, { value, ms: Number(text.slice(0, end)) });
      }
    }
    return values;
  }

  /** Throws: BadInput for one that is not there any more. */
  async core(id: string): Promise<Core> {
    const text = String(await this.#run(GET_CORE, [id]));
    if (text === '')
      throw new BadInput(`what the campaign is about is not in Redis any more (${id})`);
    return JSON.parse(text) as Core;
  }

  async take(campaign: string, unit: Unit): Promise<Taken> {
    const first = unit.kind === 'sample' ? unit.first : 0;
    return (await this.#run(TAKE, [campaign, this.idOf(unit), unitStream(unit), first])) as Taken;
  }

  /** 'differs' if it came out otherwise before. */
  async done(campaign: string, unit: Unit, text: string, ms: number): Promise<'ok' | 'differs'> {
    const failed = unit.kind === 'sample' && hasFailed(text) ? unit.first : '';
    const args = [
      campaign,
      this.idOf(unit),
      text,
      Math.round(ms),
      unit.kind,
      unitStream(unit),
      failed,
    ];
    return (await this.#run(DONE, args)) as 'ok' | 'differs';
  }

  async aside(campaign: string, unit: Unit, why: string): Promise<void> {
    await this.#run(ASIDE, [campaign, this.idOf(unit), why]);
  }

  /** What of its memory Redis has, as a sentence; 'none' while there is room. */
  async fullness(): Promise<string | 'none'> {
    const info = String(await this.#run(MEMORY, []));
    const number = (name: string) =>
      Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
    const [used, max] = [number('used_memory'), number('maxmemory')];
    if (max === 0 || used < max) return 'none';
    return fullText(`${mebibytes(used)} of ${mebibytes(max)} MiB are used`);
  }

  idOf(unit: Unit): string {
    return unitId(this.#model, unit);
  }

  async #known(units: readonly string[]): Promise<ReadonlySet<string>> {
    const known = new Set<string>();
    for (let from = 0; from < units.length; from += CHUNK) {
      const some = units.slice(from, from + CHUNK);
      const answers = (await this.#run(KNOWN, some)) as number[];
      for (const [at, answer] of answers.entries()) if (answer === 1) known.add(some[at] as string);
    }
    return known;
  }

  async #run(script: Script, args: readonly Argument[]): Promise<unknown> {
    return await this.#link.run(script, args);
  }
}

class NoCampaign extends BadInput {
  constructor(id: string) {
    super(`there is no campaign ${id}; mmrace campaign list shows those there are`);
    this.name = 'NoCampaign';
  }
}

/** Of a value as it is stored: of a part of a random search. */
function hasFailed(text: string): boolean {
  const { parts } = valueIn(text) as { readonly parts: readonly { readonly found: unknown }[] };
  return parts.some(({ found }) => found !== 'none');
}

export function storedText(value: UnitValue, folder: string): string {
  // A path of this machine says nothing elsewhere, and two workers would differ.
  return valueText(value).replaceAll(`${folder}/`, '');
}

export function fullText(what: string): string {
  return `Redis is full (${what}): nothing is lost, and all of it goes on when there is room (CONFIG SET maxmemory)`;
}

export function isFull(error: unknown): boolean {
  return String(error).includes('OOM');
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

interface Looked {
  readonly facts: Readonly<Record<string, string>>;
  readonly aside: readonly string[];
}

function lookOf(id: string, { facts, aside }: Looked): CampaignLook {
  const count = (name: string) => Number(facts[name] ?? 0);
  const kinds = Object.keys(facts).flatMap((name) => (name.startsWith('n:') ? name.slice(2) : []));
  const set = Array.from(aside);
  return {
    id,
    state: (facts.state ?? 'done') as CampaignState,
    model: facts.model ?? '',
    code: facts.code === 'own' ? 'own' : 'none',
    by: facts.by ?? '',
    began: facts.began ?? '',
    units: count('units'),
    left: count('left'),
    reused: count('reused'),
    skipped: count('skipped'),
    searchesLeft: Math.min(count('left'), Math.max(0, count('searches') - count('n:answer'))),
    times: Object.fromEntries(
      kinds.map((kind) => [
        kind,
        { units: count(`n:${kind}`), ms: count(`ms:${kind}`), squares: count(`sq:${kind}`) },
      ]),
    ),
    aside: new Map(set.flatMap((unit, at) => (at % 2 === 0 ? [[unit, set[at + 1] ?? '']] : []))),
    differs: facts.differs ?? '',
  };
}
