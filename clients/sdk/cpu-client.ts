/** A CPU thread in this process: a program of tasks whose kernel is on the other side of a connection. */
import type { CpuApi } from '../../server/abi/cpu-api.ts';
import { CPU_CALL_NAMES, CPU_CALLS, type CpuCallName } from '../../server/abi/cpu-calls.ts';
import {
  CPU_REQUESTS,
  type CpuParams,
  type CpuResults,
} from '../../server/protocol/cpu-requests.ts';
import { CONDUCTOR_QUESTIONS } from '../../server/protocol/server-questions.ts';
import type { TaskContext } from '../../server/task/context.ts';
import type { Task } from '../../server/task/task.ts';
import { fail, ok } from '../../server/vocabulary/errno.ts';
import { CallRefused } from './call-refusal.ts';
import {
  type ConductedParts,
  type Incarnation,
  isConductorQuestion,
  obeyConductor,
  type VerbParams,
  type VerbResult,
} from './conductor.ts';
import { Connection, type ConnectionOptions, type ReceivedQuestion } from './connection.ts';
import { Holds } from './holds.ts';
import { LazyChecks } from './lazy-checks.ts';
import { type ClientPast, type FrameCount, Moments } from './moments.ts';
import { RemoteCalls } from './remote-calls.ts';
import { Runtime } from './runtime.ts';
import type { StepGate } from './step-gate.ts';

export interface CpuKernel {
  readonly api: CpuApi;
  readonly context: TaskContext;
  /** Of the CPU in the lab. */
  readonly name: () => string;
  /** Blocks the calling task until a promise is settled: for what a client does besides. */
  readonly waitFor: <T>(promise: Promise<T>) => Task<T>;
}

/** Makes what a CPU does when a conductor asks for a verb. Called again when the server starts a new machine. */
export type CpuFactory = (kernel: CpuKernel) => (params: VerbParams) => Task<VerbResult>;

export interface CpuClientOptions extends Omit<ConnectionOptions, 'role'> {
  readonly cpu: CpuFactory;
  /** Of the session that is gone on with: see ConnectionOptions.parked. */
  readonly past?: ClientPast<'nothing'>;
  /** See DeviceClientOptions. */
  readonly gate?: StepGate;
  /** The server complained of a frame: a bug on one of the two sides. */
  readonly trouble?: (error: unknown) => void;
  /** A conductor asks for a verb. It is performed, whatever this says. */
  readonly asked?: (params: VerbParams) => void;
  /** A task stands still after the kernel function `after`. The server is notified, too. */
  readonly held?: (after: string) => void;
  /** The tasks that stood go on. */
  readonly wentOn?: () => void;
}

const RESULTS = new LazyChecks('result', CPU_REQUESTS);
const QUESTIONS = new LazyChecks('params', CONDUCTOR_QUESTIONS);

interface CpuIncarnation extends Incarnation {
  readonly api: CpuApi;
  readonly frames: FrameCount;
}

export class CpuClient {
  readonly connection: Connection;
  readonly #options: CpuClientOptions;
  #now: CpuIncarnation;
  /** A CPU keeps nothing between two calls, so there is nothing to keep. */
  #moments = new Moments<'nothing'>();

  constructor(options: CpuClientOptions) {
    this.#options = options;
    this.connection = new Connection(
      { ...options, role: 'cpu' },
      {
        asked: (question) => this.#asked(question),
        notified: () => undefined,
        settled: () => this.#now.runtime.turn(),
        beginsAnew: () => {
          this.#moments = new Moments();
          this.#now = this.#newIncarnation();
        },
        complained: (refusal) => this.#options.trouble?.(new CallRefused('frame', refusal)),
      },
    );
    this.#now = this.#newIncarnation();
    if (options.past !== undefined) {
      this.#moments = new Moments(options.past.moments);
      Object.assign(this.#now.frames, options.past.frames);
    }
  }

  /** For a client that goes on with this session. */
  get past(): ClientPast<'nothing'> {
    return { frames: { ...this.#now.frames }, moments: this.#moments.kept };
  }

  /** The kernel, for tasks given to run(). Another one after a reset. */
  get api(): CpuApi {
    return this.#now.api;
  }

  /** Runs a task of the CPU's own. Rejects with what it throws; CallRefused if the session ends. */
  run<T>(name: string, task: Task<T>): Promise<T> {
    return this.#now.runtime.run(this.connection.name, name, task);
  }

  /** The next task that returns from the kernel function `after` stands still, until go(). */
  hold(after: string): 'armed' | 'too-many' {
    return this.#now.holds.arm(after);
  }

  /** Everybody goes on; a hold that was not reached is taken back. */
  go(): void {
    this.#now.holds.go();
    this.connection.notify('went_on', {});
    this.#now.runtime.turn();
  }

  /** Performs a verb as if a conductor had asked for it. */
  perform(params: VerbParams): Promise<VerbResult> {
    return this.run(params.verb, this.#now.perform(params));
  }

  close(): void {
    this.connection.close();
  }

  #newIncarnation(): CpuIncarnation {
    const frames: FrameCount = { said: 0, heard: 0 };
    const runtime = new Runtime(() => this.#keepMoment(), this.#options.gate);
    const { context } = runtime;
    const holds = new Holds(
      context,
      (after) => {
        this.connection.notify('held', { after });
        this.#options.held?.(after);
      },
      () => this.#options.wentOn?.(),
    );
    const calls: CpuCalls = new RemoteCalls({
      context,
      holds,
      results: RESULTS,
      send: (method, params, pages, answered) => {
        frames.said += 1;
        return this.connection.request(method, params, pages, (answer) => {
          frames.heard += 1;
          answered(answer);
        });
      },
    });
    const api = remoteCpuApi(calls);
    return {
      runtime,
      holds,
      api,
      frames,
      perform: this.#options.cpu({
        api,
        context,
        name: () => this.connection.name,
        waitFor: (promise) => runtime.waitFor(promise),
      }),
    };
  }

  #keepMoment(): void {
    const { runtime, frames } = this.#now;
    if (runtime.rests) this.#moments.keep(frames, () => 'nothing');
  }

  readonly #reset: ConductedParts['reset'] = (moment, answer) => {
    const went = moment !== 'new' && this.#moments.backTo(moment) !== 'lost' ? 'kept' : 'lost';
    answer(went);
    this.#now = this.#newIncarnation();
    if (moment !== 'new' && went === 'kept') Object.assign(this.#now.frames, moment);
    else this.#moments = new Moments();
  };

  #asked(question: ReceivedQuestion): void {
    const { id, method, params } = question;
    if (!(isConductorQuestion(method) && QUESTIONS.accepts(method, params))) {
      this.connection.answerError(id, 'EINVAL', `${method}: not a question to a CPU`);
      return;
    }
    const parts = {
      actor: this.connection.name,
      incarnation: this.#now,
      answer: this.connection.answer.bind(this.connection),
      answerError: this.connection.answerError.bind(this.connection),
      moments: () => this.#moments.all(),
      reset: this.#reset,
    };
    if (method === 'perform') this.#options.asked?.(params as VerbParams);
    obeyConductor(parts, method, question);
  }
}

/** CpuApi over a connection: each access and each system call is a request whose answer its task waits for. */

type CpuCalls = RemoteCalls<CpuParams, CpuResults>;

/** The kernel as a CPU thread in this process sees it. A lost session throws CallRefused in the task. */
function remoteCpuApi(calls: CpuCalls): CpuApi {
  const methods = CPU_CALL_NAMES.map((name) => {
    const toParams = CPU_CALLS[name].toParams as (...args: unknown[]) => never;
    const perform = CPU_CALLS[name].kind === 'access' ? access : systemCall;
    return [name, (...args: unknown[]) => perform(calls, name, toParams(...args))] as const;
  });
  return Object.fromEntries(methods) as unknown as CpuApi;
}

function* access(calls: CpuCalls, name: CpuCallName, params: never) {
  const answer = yield* calls.demand(name, params);
  if ('signal' in answer) return { kind: 'signal', signal: answer.signal };
  return { kind: 'done', value: 'value' in answer ? BigInt(answer.value) : undefined };
}

/** A system call that answers with an errno, and pin with how many pages it pinned. */
function* systemCall(calls: CpuCalls, name: CpuCallName, params: never) {
  const answer = yield* calls.ask(name, params);
  if (!answer.ok) return fail(answer.refusal.errno);
  return ok('pinned' in answer.result ? answer.result.pinned : undefined);
}
