/**
 * Asks shapes of a kernel, in threads, and says of each what came of it. What is known of before is not asked again.
 * The answers are the same with any number of threads.
 */
import type { ShapeWord } from '../../report/catalogue.ts';
import type { AskedChoice } from '../../scenario/explore-request.ts';
import { openSearchPool } from '../explore/workers/search-pool.ts';
import { SharedSearch } from '../explore/workers/shared-search.ts';
import type { ShapeRecord } from './ask-shape.ts';
import { openShapeCache, type ShapeCache } from './shape-cache.ts';
import { likelyFirst } from './shape-order.ts';
import { type Shape, scenarioOfShape } from './shapes.ts';

export interface ShapeAnswer extends Omit<ShapeRecord, 'word'> {
  readonly shape: Shape;
  readonly word: ShapeWord;
}

export interface CatalogueQuestion {
  readonly before: AskedChoice;
  readonly after: AskedChoice;
  /** What differs, by names in KernelFunctions. 'all': it is not known what does. */
  readonly changed: readonly string[] | 'all';
  readonly shapes: readonly Shape[];
  /** Of each search. */
  readonly executions: number;
  /** Shapes in which something appeared (without a kernel before: is broken) after which it is enough. */
  readonly stopAfter: number;
}

export interface CatalogueOptions {
  readonly workers: number;
  readonly cache: string | 'none';
  readonly interrupted: AbortSignal;
  /** 'stop': no further shape is begun. */
  readonly goOn: () => 'go on' | 'stop';
  readonly onAnswer: (answers: number, shape: Shape) => void;
}

/**
 * In the order in which they were asked. Those that a budget, a limit or an interruption left are missing.
 *
 * Throws: BadInput for what the user gave.
 */
export async function askCatalogue(
  question: CatalogueQuestion,
  options: CatalogueOptions,
): Promise<readonly ShapeAnswer[]> {
  const asking = new Asking(question, options);
  try {
    const ones = question.shapes.filter(({ operations }) => operations.length === 1);
    const others = question.shapes.filter(({ operations }) => operations.length > 1);
    const first = await asking.all(ones, question.stopAfter);
    const left = question.stopAfter - first.filter(({ word }) => asking.counts(word)).length;
    if (left <= 0) return first;
    const ordered = likelyFirst(others, (shape) => asking.isKnownToReach(shape));
    return [...first, ...(await asking.all(ordered, left))];
  } finally {
    await asking.end();
  }
}

class Asking {
  readonly #question: CatalogueQuestion;
  readonly #options: CatalogueOptions;
  readonly #shared = new SharedSearch();
  readonly #before: ShapeCache;
  readonly #after: ShapeCache;
  readonly #stop = () => this.#shared.stop();
  #pool: ReturnType<typeof openSearchPool> | 'not yet' = 'not yet';
  #answered = 0;

  constructor(question: CatalogueQuestion, options: CatalogueOptions) {
    this.#question = question;
    this.#options = options;
    const { before, after, executions } = question;
    this.#before = openShapeCache(options.cache, before, executions);
    this.#after = isAlone(question)
      ? this.#before
      : openShapeCache(options.cache, after, executions);
    if (options.interrupted.aborted) this.#stop();
    options.interrupted.addEventListener('abort', this.#stop);
  }

  counts(word: ShapeWord): boolean {
    return word === (isAlone(this.#question) ? 'broken' : 'appeared');
  }

  /** As far as it was asked, now or earlier. */
  isKnownToReach(shape: Shape): boolean {
    const known = this.#after.get(scenarioOfShape(shape));
    return known !== 'unknown' && known.called.length > 0;
  }

  /** Up to the shape where it is enough, in the order of `shapes`. */
  async all(shapes: readonly Shape[], stopAfter: number): Promise<readonly ShapeAnswer[]> {
    const answers: (ShapeAnswer | 'interrupted')[] = [];
    let next = 0;
    let enough = shapes.length;
    const work = async (slot: number): Promise<void> => {
      for (let at = next; at < enough; at = next) {
        if (this.#options.goOn() === 'stop' || this.#shared.goOn() === 'stop') return;
        next += 1;
        const shape = shapes[at] as Shape;
        const answer = await this.#answer(shape, slot);
        answers[at] = answer;
        if (answer === 'interrupted') return;
        this.#answered += 1;
        this.#options.onAnswer(this.#answered, shape);
        enough = Math.min(enough, this.#endOf(answers, stopAfter));
      }
    };
    await Promise.all(Array.from({ length: this.#options.workers }, (_, slot) => work(slot)));
    return answers.slice(0, enough).filter((one) => one !== undefined && one !== 'interrupted');
  }

  async end(): Promise<void> {
    this.#options.interrupted.removeEventListener('abort', this.#stop);
    if (this.#pool !== 'not yet') await (await this.#pool).close();
  }

  /** Behind the answer that makes it enough. Those before it that are still to come may only bring it forward. */
  #endOf(answers: readonly (ShapeAnswer | 'interrupted')[], stopAfter: number): number {
    let count = 0;
    for (const [at, answer] of answers.entries()) {
      if (answer === undefined || answer === 'interrupted' || !this.counts(answer.word)) continue;
      count += 1;
      if (count >= stopAfter) return at + 1;
    }
    return Number.POSITIVE_INFINITY;
  }

  async #answer(shape: Shape, slot: number): Promise<ShapeAnswer | 'interrupted'> {
    const { before, after } = this.#question;
    return await answerShape(this.#question, shape, {
      known: () => this.#before.get(scenarioOfShape(shape)),
      ask: (side) =>
        side === 'before'
          ? this.#record(this.#before, before, shape, slot)
          : this.#record(this.#after, after, shape, slot),
    });
  }

  async #record(
    cache: ShapeCache,
    choice: AskedChoice,
    shape: Shape,
    slot: number,
  ): Promise<ShapeRecord | 'interrupted'> {
    const scenario = scenarioOfShape(shape);
    const known = cache.get(scenario);
    if (known !== 'unknown') return known;
    if (this.#pool === 'not yet') {
      this.#pool = openSearchPool({ threads: this.#options.workers, shared: this.#shared });
    }
    const pool = await this.#pool;
    const asked = { file: shape.name, text: '', ...choice };
    const { executions } = this.#question;
    const record = await pool.run('askShape', { asked, scenario, executions, slot });
    if (this.#shared.goOn() === 'stop') return 'interrupted';
    cache.put(scenario, record);
    return record;
  }
}

/** One kernel, and nothing to compare it with. */
function isAlone({ before, after }: Pick<CatalogueQuestion, 'before' | 'after'>): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}

/** Where answers about one shape come from. */
export interface ShapeRecords {
  /** What is known of the kernel before without asking. */
  readonly known: () => ShapeRecord | 'unknown';
  readonly ask: (side: 'before' | 'after') => Promise<ShapeRecord | 'interrupted'>;
}

/** The answer to one shape: a function of the question and of the records. */
export async function answerShape(
  question: Pick<CatalogueQuestion, 'before' | 'after' | 'changed'>,
  shape: Shape,
  records: ShapeRecords,
): Promise<ShapeAnswer | 'interrupted'> {
  const { changed } = question;
  if (isAlone(question)) {
    const alone = await records.ask('after');
    return alone === 'interrupted' ? alone : { shape, ...alone };
  }
  // What runs of the kernel before, where one operation is alone, says where to look for any patch.
  const known =
    shape.operations.length === 1 && changed !== 'all'
      ? await records.ask('before')
      : records.known();
  if (known === 'interrupted') return known;
  const sure = known !== 'unknown' && known.word === 'holds' && changed !== 'all';
  if (sure && !known.called.some((name) => changed.includes(name))) {
    return { shape, word: 'not reached', executions: 0, why: '', called: [] };
  }
  const record = await records.ask('after');
  if (record === 'interrupted') return record;
  const { word } = record;
  if (word === 'holds' && record.called.length === 0 && changed !== 'all') {
    return { shape, ...record, word: 'not reached' };
  }
  if (word !== 'broken') return { shape, ...record, word };
  const was = await records.ask('before');
  if (was === 'interrupted') return was;
  return { shape, ...record, word: was.word === 'broken' ? 'broken' : 'appeared' };
}
