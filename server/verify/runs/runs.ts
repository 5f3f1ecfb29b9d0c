/**
 * Questions to the explorer that are put to this server: few at a time, each in a thread of its own, their answers kept
 * for a while. Bounded in threads, in what waits, and in what is kept.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Piscina } from 'piscina';
import { KERNEL_IDS } from '../../abi/kernel-ids.ts';
import {
  type NewRun,
  RUNS_AT_ONCE_MAX,
  RUNS_KEPT_MAX,
  RUNS_WAITING_MAX,
  type RunEntry,
  type RunProgress,
} from '../../protocol/http-api.ts';
import { shippedScenarioFile } from '../../scenario/shipped-scenarios.ts';
import { BadInput } from '../../vocabulary/bad-input.ts';
import { checkInThread } from '../explore/workers/check-in-thread.ts';
import type { AskedMoment } from './asked-moment.ts';
import { withoutPath, writeOwnPatch } from './own-patch-file.ts';
import { type FullQuestion, fullQuestion, planOfQuestion } from './run-question.ts';
import type { RunNews, RunResult, RunTask } from './run-task.ts';

/** Characters of all reports and events that are kept; of more, those of the run looked at longest ago go first. */
export const KEPT_CHARS_MAX = 64 * 1024 * 1024;
/** Of one thread: a search that needs more ends as failed. */
const THREAD_MEGABYTES_MAX = 1_024;
/** Milliseconds after which a thread without work ends. */
const IDLE_MS = 300_000;
const ID_BYTES = 6;
/** Beyond its budget, in which a patch that hangs in the middle of a step is found out. */
const OWN_CODE_GRACE_SECONDS = 30;

export interface Run {
  readonly id: string;
  readonly question: FullQuestion;
  readonly moment: AskedMoment | 'none';
  state: RunEntry['state'];
  progress: RunProgress;
  /** 'none' unless it is done. */
  result: RunResult | 'none';
  /** Why it failed; else empty. */
  failure: string;
  readonly abort: AbortController;
}

/** Made when the first question is put: until then there are no threads. */
type NewPool = (onError: (error: unknown) => void) => Promise<Pick<Piscina, 'run' | 'destroy'>>;

export interface RunsOptions {
  readonly modelHash: string;
  /** A run has thrown. */
  readonly onFailure: (id: string, error: unknown) => void;
  readonly newPool?: NewPool;
}

export class Runs {
  readonly #options: RunsOptions;
  /** Those looked at longest ago first. */
  readonly #runs = new Map<string, Run>();
  readonly #newPool: NewPool;
  #pool: ReturnType<NewPool> | 'none' = 'none';

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#newPool = options.newPool ?? newPool;
  }

  /** 'too-many' if RUNS_WAITING_MAX wait. Throws: BadChoice. */
  start(asked: NewRun): Run | 'too-many' {
    const question = fullQuestion(asked);
    planOfQuestion(question);
    return this.#begin(question, 'none');
  }

  /** As start(), of a moment of the lab. */
  startMoment(lab: string, moment: AskedMoment): Run | 'too-many' {
    const { patch, kernel } = moment.config;
    const known = KERNEL_IDS.find((id) => id === kernel);
    const question = fullQuestion({
      scenario: lab,
      ...(known === undefined ? {} : { kernel: known }),
    });
    return this.#begin({ ...question, patch }, moment);
  }

  #begin(question: FullQuestion, moment: AskedMoment | 'none'): Run | 'too-many' {
    const open = [...this.#runs.values()].filter(isOpen);
    if (open.length >= RUNS_AT_ONCE_MAX + RUNS_WAITING_MAX) return 'too-many';
    const run: Run = {
      id: randomBytes(ID_BYTES).toString('base64url'),
      question,
      moment,
      state: 'waiting',
      progress: { executions: 0, steps: 0, done: 0 },
      result: 'none',
      failure: '',
      abort: new AbortController(),
    };
    this.#runs.set(run.id, run);
    this.#explore(run).catch((error: unknown) => this.#failed(run, error));
    this.#forgetOld();
    return run;
  }

  get(id: string): Run | 'none' {
    const run = this.#runs.get(id);
    if (run === undefined) return 'none';
    this.#runs.delete(id);
    this.#runs.set(id, run);
    return run;
  }

  /** Those looked at last first. */
  all(): Run[] {
    return [...this.#runs.values()].reverse();
  }

  /** A run that is over stays as it is. */
  cancel(run: Run): void {
    if (!isOpen(run)) return;
    run.state = 'cancelled';
    run.abort.abort();
  }

  async close(): Promise<void> {
    for (const run of this.#runs.values()) this.cancel(run);
    if (this.#pool !== 'none') await (await this.#pool).destroy();
  }

  async #explore(run: Run): Promise<void> {
    if (run.question.code !== undefined) return await this.#exploreOwn(run, run.question.code);
    if (this.#pool === 'none') this.#pool = this.#newPool((error) => this.#poolFailed(error));
    const pool = await this.#pool;
    if (run.state === 'cancelled') return;
    const name = run.moment === 'none' ? 'exploreRun' : 'exploreMomentRun';
    await this.#exploreIn(pool, run, { name, signal: run.abort.signal });
  }

  /**
   * Code of a user's runs in threads of its own, which end with it: whatever it does to the world around it, no other
   * run sees. It is tried first.
   */
  async #exploreOwn(run: Run, code: string): Promise<void> {
    const file = writeOwnPatch(code);
    const pool = await newPool((error) => this.#failed(run, error));
    const { scenario, text, parameters, kernel, budgetSeconds } = run.question;
    const timeout = AbortSignal.timeout((budgetSeconds + OWN_CODE_GRACE_SECONDS) * 1_000);
    try {
      await checkInThread({
        file: scenario,
        text: text ?? readFileSync(shippedScenarioFile(scenario), 'utf8'),
        patch: file.path,
        drivers: [],
        parameters,
        ...(kernel === undefined ? {} : { kernel }),
      });
      if (!isOpen(run)) return;
      const signal = AbortSignal.any([run.abort.signal, timeout]);
      await this.#exploreIn(pool, run, { name: 'exploreOwn', signal, ownPatch: file.path });
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      const why = timeout.aborted ? 'The patch did not come to an end in time.' : words;
      throw new BadInput(withoutPath(why, file), { cause: error });
    } finally {
      await pool.destroy();
      file.remove();
    }
  }

  async #exploreIn(
    pool: Pick<Piscina, 'run'>,
    run: Run,
    { name, signal, ownPatch }: { name: string; signal: AbortSignal; ownPatch?: string },
  ): Promise<void> {
    const { port1: news, port2: heard } = new MessageChannel();
    heard.on('message', (one: RunNews) => this.#hear(run, one));
    heard.unref();
    const { question } = run;
    const own = {
      ...(ownPatch === undefined ? {} : { ownPatch }),
      ...(run.moment === 'none' ? {} : { moment: run.moment }),
    };
    const task: RunTask = { question, modelHash: this.#options.modelHash, news, ...own };
    try {
      const result: RunResult = await pool.run(task, {
        name,
        signal,
        transferList: listOf(news),
      });
      if (!isOpen(run)) return;
      run.result = result;
      run.progress = result.progress;
      run.state = 'done';
      this.#forgetOld();
    } finally {
      heard.close();
    }
  }

  #hear(run: Run, news: RunNews): void {
    if (!isOpen(run)) return;
    run.state = 'running';
    if (news.kind === 'progress') run.progress = further(run.progress, news.progress);
  }

  #failed(run: Run, error: unknown): void {
    // The thread of a cancelled run was ended under it.
    if (!isOpen(run)) return;
    run.state = 'failed';
    run.failure = error instanceof Error ? error.message : String(error);
    this.#options.onFailure(run.id, error);
  }

  /** A thread could not even begin: a client that waits for it would wait for ever. */
  #poolFailed(error: unknown): void {
    for (const run of this.#runs.values()) this.#failed(run, error);
  }

  #forgetOld(): void {
    const over = [...this.#runs.values()].filter((run) => !isOpen(run));
    let count = over.length;
    let chars = over.reduce((sum, run) => sum + charsOf(run), 0);
    for (const run of over) {
      // The last one stays however large it is: a client waits for it.
      if (count <= 1 || (count <= RUNS_KEPT_MAX && chars <= KEPT_CHARS_MAX)) return;
      this.#runs.delete(run.id);
      count -= 1;
      chars -= charsOf(run);
    }
  }
}

/** Piscina wants an array; its types, with those of a newer Node, an object. */
function listOf(port: MessagePort): NonNullable<Parameters<Piscina['run']>[1]>['transferList'] {
  return [port] as never;
}

function isOpen({ state }: Run): boolean {
  return state === 'waiting' || state === 'running';
}

/** About 200 for an event. */
function charsOf({ result }: Run): number {
  if (result === 'none') return 0;
  const { events, reports } = result;
  const count = events.setup.length + events.events.length + (events.sibling?.events.length ?? 0);
  return 200 * count + Object.values(reports).reduce((sum, text) => sum + text.length, 0);
}

async function newPool(onError: (error: unknown) => void): Promise<Piscina> {
  const { Piscina } = await import('piscina');
  // As this file: TypeScript where the sources run, JavaScript where they were built.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const pool = new Piscina({
    filename: new URL(`./explore-worker.${extension}`, import.meta.url).href,
    minThreads: 0,
    maxThreads: RUNS_AT_ONCE_MAX,
    maxQueue: RUNS_WAITING_MAX,
    idleTimeout: IDLE_MS,
    resourceLimits: { maxOldGenerationSizeMb: THREAD_MEGABYTES_MAX },
  });
  pool.on('error', onError);
  return pool;
}

/** Each part of a search counts for itself, the estimate before it as well: what is told never goes back. */
function further(before: RunProgress, now: RunProgress): RunProgress {
  const { executions, steps } = now.executions < before.executions ? before : now;
  return { executions, steps, done: now.done };
}
