/**
 * A device in this process: a driver whose verbs and callbacks are tasks of a runtime, and whose kernel is on the
 * other side of a connection.
 */

import type {
  DeviceApi,
  DeviceDriver,
  IntervalSub,
  InvalidateFinish,
  NotifierRange,
} from '../../server/abi/device-api.ts';
import type { ClientMoment } from '../../server/protocol/client-moment.ts';
import { DEVICE_REQUESTS } from '../../server/protocol/device-requests.ts';
import {
  SERVER_NOTIFICATIONS,
  type ServerNotificationParams,
} from '../../server/protocol/server-notifications.ts';
import {
  type KernelQuestion,
  type QuestionParams,
  SERVER_QUESTIONS,
} from '../../server/protocol/server-questions.ts';
import { type TaskContext, wake } from '../../server/task/context.ts';
import { objectId } from '../../server/task/object-id.ts';
import { type Task, waitUntil } from '../../server/task/task.ts';
import type { PageRange } from '../../server/vocabulary/address.ts';
import { fail, type Result } from '../../server/vocabulary/errno.ts';
import { assertNever } from '../../server/vocabulary/invariant.ts';
import { hexOfPage, pageOfHex, ZERO_CONTENTS } from '../../server/vocabulary/page-contents.ts';
import type { Seq } from '../../server/vocabulary/seq.ts';
import { CallRefused } from './call-refusal.ts';
import {
  type Answering,
  answerVerbFailure,
  type ConductedParts,
  type Incarnation,
  isConductorQuestion,
  obeyConductor,
  type VerbParams,
  VerbRefused,
  type VerbResult,
} from './conductor.ts';
import {
  Connection,
  type ConnectionOptions,
  type Notification,
  type ReceivedQuestion,
} from './connection.ts';
import { Holds } from './holds.ts';
import { LazyChecks } from './lazy-checks.ts';
import { type ClientPast, type FrameCount, Moments } from './moments.ts';
import { NotificationQueue } from './notification-queue.ts';
import { RemoteCalls } from './remote-calls.ts';
import { type DeviceCalls, remoteDeviceApi } from './remote-device-api.ts';
import { RemoteSubscriptions } from './remote-subscriptions.ts';
import { Runtime } from './runtime.ts';
import type { StepGate } from './step-gate.ts';

/** What a device is made of. */
export interface Device {
  /** Called by the kernel, each call a task of its own. */
  readonly driver: DeviceDriver;
  /** Runs first: subscribe, get memory. Nothing is performed before it has returned. */
  readonly open: () => Task<Result<void>>;
  /**
   * After a fence: private memory is still this device's own, but its subscriptions are gone and its page table
   * counts for nothing. Drop that and subscribe again. A device without this begins anew, without its memory.
   */
  readonly recover?: () => Task<Result<void>>;
  /** One verb, as a conductor asks for it. Throws VerbRefused for a verb that makes no sense. */
  readonly perform: (params: VerbParams) => Task<VerbResult>;
}

export interface DeviceKernel {
  readonly api: DeviceApi;
  readonly context: TaskContext;
  /** Blocks the calling task until a promise is settled: for what a client does besides. */
  readonly waitFor: <T>(promise: Promise<T>) => Task<T>;
  /** A subscription that a parked session had: see ConnectionOptions.parked. */
  readonly adopt?: (id: number, range: PageRange, invalidateSeq: Seq) => IntervalSub;
}

/** Makes a device for a kernel. Called again when the server starts a new machine under it. */
export type DeviceFactory = (kernel: DeviceKernel) => Device;

export interface DeviceClientOptions<Kept = never> extends Omit<ConnectionOptions, 'role'> {
  readonly device: DeviceFactory;
  /** The device did not answer in time and was cut off. It comes back by itself: see Device.recover. */
  readonly fenced?: (why: string) => void;
  /** Decides who takes a step, to play a given order; without one every task goes as soon as it can. */
  readonly gate?: StepGate;
  /** The driver threw, or the server complained of a frame: a bug on one of the two sides. */
  readonly trouble?: (error: unknown) => void;
  /** A conductor asks for a verb. It is performed, whatever this says. */
  readonly asked?: (params: VerbParams) => void;
  /** A task stands still after the kernel function `after`. The server is notified, too. */
  readonly held?: (after: string) => void;
  /** The tasks that stood go on. */
  readonly wentOn?: () => void;
  /** What the device is, between two verbs, for backTo(). 'busy' if that cannot be said now. */
  readonly standsStill?: () => Kept | 'busy';
  /** Of the session that is gone on with: see ConnectionOptions.parked. */
  readonly past?: ClientPast<Kept>;
  /** The next device that `device` makes is to be as it was then. */
  readonly backTo?: (kept: Kept) => void;
}

type KernelAsks = {
  readonly [Method in KernelQuestion]: {
    readonly method: Method;
    readonly params: QuestionParams[Method];
  };
}[KernelQuestion];

type InvalidationAsks = Extract<
  KernelAsks,
  { method: 'invalidate' | 'invalidate_start' | 'invalidate_finish' }
>;

const RESULTS = new LazyChecks('result', DEVICE_REQUESTS);
const QUESTIONS = new LazyChecks('params', SERVER_QUESTIONS);
const NOTIFICATION_CHECKS = new LazyChecks('params', SERVER_NOTIFICATIONS);

const BEGINNING: FrameCount = { said: 0, heard: 0 };

interface DeviceIncarnation extends Incarnation {
  readonly api: DeviceApi;
  readonly device: Device;
  readonly subs: RemoteSubscriptions;
  readonly queue: NotificationQueue;
  /** What is left to do in the second pass of an invalidation, by its `call`. */
  readonly begun: Map<number, InvalidateFinish>;
  readonly frames: FrameCount;
  opened: Result<void> | 'not-yet';
}

export class DeviceClient<Kept = never> {
  readonly connection: Connection;
  readonly #options: DeviceClientOptions<Kept>;
  readonly #answering: Answering;
  #now: DeviceIncarnation;
  /** Fences that the server notified, and hellos that it answered with one: the two come in either order. */
  #fences = { told: 0, answered: 0 };
  #moments = new Moments<Kept>();

  constructor(options: DeviceClientOptions<Kept>) {
    this.#options = options;
    this.connection = new Connection(
      { ...options, role: 'device' },
      {
        asked: (question) => this.#asked(question),
        notified: (notification) => this.#notified(notification),
        settled: () => this.#now.runtime.turn(),
        greeted: ({ state }) => {
          if (state === 'fenced') this.#backFromFence();
        },
        beginsAnew: () => {
          this.#fences = { told: 0, answered: 0 };
          this.#beginAnew();
        },
        complained: (refusal) => this.#options.trouble?.(new CallRefused('frame', refusal)),
      },
    );
    this.#answering = {
      answer: (id, result) => {
        this.#now.queue.flush();
        this.#answers(id);
        this.connection.answer(id, result);
      },
      answerError: (id, errno, message) => {
        this.#now.queue.flush();
        this.#answers(id);
        this.connection.answerError(id, errno, message);
      },
    };
    this.#now = this.#newIncarnation();
    if (options.past !== undefined) {
      this.#moments = new Moments(options.past.moments);
      Object.assign(this.#now.frames, options.past.frames);
    }
    this.#open(this.#now, 'open');
  }

  /** For a client that goes on with this session. */
  get past(): ClientPast<Kept> {
    return { frames: { ...this.#now.frames }, moments: this.#moments.kept };
  }

  /** The kernel, for tasks given to run(). Another one after a reset. */
  get api(): DeviceApi {
    return this.#now.api;
  }

  /** Runs a task of the device's own. Rejects with what it throws; CallRefused if the session ends. */
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

  #newIncarnation(): DeviceIncarnation {
    const frames: FrameCount = { said: 0, heard: 0 };
    const queue = new NotificationQueue((method, params, pages) => {
      frames.said += 1;
      this.connection.notify(method, params, pages);
    });
    const runtime = new Runtime(() => {
      queue.flush();
      this.#keepMoment();
    }, this.#options.gate);
    const { context } = runtime;
    const holds = new Holds(
      context,
      (after) => {
        queue.flush();
        this.connection.notify('held', { after });
        this.#options.held?.(after);
      },
      () => this.#options.wentOn?.(),
    );
    const subs = new RemoteSubscriptions();
    const calls: DeviceCalls = new RemoteCalls({
      context,
      holds,
      results: RESULTS,
      send: (method, params, pages, answered) => {
        queue.flush();
        frames.said += 1;
        return this.connection.request(method, params, pages, (answer) => {
          frames.heard += 1;
          answered(answer);
        });
      },
    });
    const { connection } = this;
    const { mm = 0 } = this.#options;
    const owner = () => connection.name;
    const passes = () => (device.driver.invalidateStart === undefined ? 'one' : 'two');
    const callbacks = () =>
      device.driver.mmuNotifier?.invalidateRangeEnd === undefined ? 'start' : 'start-and-end';
    const notifications = queue;
    const api = remoteDeviceApi({ owner, mm, calls, subs, notifications, passes, callbacks });
    const device: Device = this.#options.device({
      api,
      context,
      waitFor: (promise) => runtime.waitFor(promise),
      adopt: (id, range, invalidateSeq) => subs.inserted(id, range, invalidateSeq),
    });
    const incarnation: DeviceIncarnation = {
      runtime,
      holds,
      api,
      device,
      subs,
      queue,
      begun: new Map(),
      frames,
      opened: 'not-yet',
      perform: (params) => performOpened(incarnation, params),
    };
    return incarnation;
  }

  /** Counts an answer to the kernel. Those to the conductor are none of the machine's. */
  #answers(id: ReceivedQuestion['id']): void {
    if (typeof id === 'number') this.#now.frames.said += 1;
  }

  #keepMoment(): void {
    const { standsStill } = this.#options;
    const { runtime, opened, begun, frames } = this.#now;
    if (standsStill === undefined || opened === 'not-yet' || !opened.ok) return;
    if (begun.size === 0 && runtime.rests) this.#moments.keep(frames, standsStill);
  }

  #backTo(moment: ClientMoment): 'kept' | 'lost' {
    const { backTo } = this.#options;
    const kept = this.#moments.backTo(moment);
    if (kept === 'lost' || backTo === undefined) return 'lost';
    backTo(kept);
    return 'kept';
  }

  #beginAnew(): void {
    this.#moments = new Moments();
    this.#now = this.#newIncarnation();
    this.#open(this.#now, 'open');
  }

  #open(incarnation: DeviceIncarnation, how: 'open' | 'recover'): void {
    const { runtime, device } = incarnation;
    const task = how === 'recover' && device.recover !== undefined ? device.recover : device.open;
    incarnation.opened = 'not-yet';
    runtime.start(this.connection.name, how, task(), (outcome) => {
      if (outcome.ok) incarnation.opened = outcome.value;
      else {
        incarnation.opened = fail('ENOTCONN');
        this.#options.trouble?.(outcome.error);
      }
      wake(runtime.context, OPENED);
    });
  }

  /** The session has to be resumed to be attached again. It may have been already: then this is old news. */
  #fenced(why: string): void {
    this.#options.fenced?.(why);
    this.#fences.told += 1;
    if (this.#fences.told > this.#fences.answered) this.connection.comeBack();
  }

  #backFromFence(): void {
    this.#fences.answered += 1;
    this.#now.begun.clear();
    this.#moments = new Moments();
    Object.assign(this.#now.frames, BEGINNING);
    if (this.#now.device.recover === undefined) this.#beginAnew();
    else this.#open(this.#now, 'recover');
  }

  #asked(question: ReceivedQuestion): void {
    const { id, method, params } = question;
    if (!QUESTIONS.accepts(method, params)) {
      this.#answering.answerError(id, 'EINVAL', `${method}: not a question of this protocol`);
    } else if (isConductorQuestion(method)) {
      const reset: ConductedParts['reset'] = (moment, answer) => {
        this.#fences = { told: 0, answered: 0 };
        const moments = this.#moments;
        const went = moment === 'new' ? 'lost' : this.#backTo(moment);
        answer(went);
        this.#beginAnew();
        if (moment === 'new' || went === 'lost') return;
        this.#moments = moments;
        Object.assign(this.#now.frames, moment);
      };
      const parts = {
        ...this.#answering,
        actor: this.connection.name,
        incarnation: this.#now,
        moments: () => (this.#options.standsStill === undefined ? 'none' : this.#moments.all()),
        reset,
      };
      if (method === 'perform') this.#options.asked?.(params as VerbParams);
      obeyConductor(parts, method, question);
    } else {
      this.#now.frames.heard += 1;
      this.#askedByKernel({ method, params } as KernelAsks, id);
    }
  }

  #askedByKernel(asks: KernelAsks, id: ReceivedQuestion['id']): void {
    const { device } = this.#now;
    switch (asks.method) {
      case 'invalidate':
      case 'invalidate_start':
      case 'invalidate_finish':
        this.#askedToInvalidate(asks, id);
        break;
      case 'migrate_to_ram': {
        const { mm, page, pfn } = asks.params;
        const task = device.driver.migrateToRam({ mm, page, pfn });
        this.#answerWith(id, 'migrate_to_ram', task, (result) => ({
          result: result.ok ? 'OK' : result.errno,
        }));
        break;
      }
      case 'invalidate_range_start': {
        const { invalidateRangeStart: start = agree } = device.driver.mmuNotifier ?? {};
        this.#answerWith(id, asks.method, start(asks.params), (result) => ({ result }));
        break;
      }
      case 'invalidate_range_end': {
        const { invalidateRangeEnd: end = agree } = device.driver.mmuNotifier ?? {};
        this.#answerWith(id, asks.method, end(asks.params) as Task<unknown>, () => ({}));
        break;
      }
      case 'peer_read': {
        const read = device.driver.peerMemory?.read(asks.params.pfn);
        if (read === undefined) this.#noPeer(id);
        else {
          this.#answerWith(id, 'peer_read', read, (result) => ({
            page: hexOfPage(result.ok ? result.value : ZERO_CONTENTS),
          }));
        }
        break;
      }
      case 'peer_write': {
        const { pfn, page } = asks.params;
        const written = device.driver.peerMemory?.write(pfn, pageOfHex(page));
        if (written === undefined) this.#noPeer(id);
        else this.#answerWith(id, 'peer_write', written, () => ({}));
        break;
      }
      case 'release':
        this.#answerWith(id, 'release', device.driver.release(), () => ({}));
        break;
      default:
        assertNever(asks);
    }
  }

  #noPeer(id: ReceivedQuestion['id']): void {
    this.#answering.answerError(id, 'EFAULT', 'this device has no memory that others reach');
  }

  #askedToInvalidate({ method, params }: InvalidationAsks, id: ReceivedQuestion['id']): void {
    const { device, subs, begun } = this.#now;
    const sub = subs.invalidated(params.subscription, params.range);
    const range = notifierRange(params);
    const seqNow = () => ({ invalidate_seq: sub.invalidateSeq });
    if (method === 'invalidate_finish') {
      const finish = begun.get(params.call);
      begun.delete(params.call);
      const task = finish?.() ?? wholeAgain(device.driver, sub, range, params.seq);
      this.#answerWith(id, method, task, seqNow);
      return;
    }
    const { driver } = device;
    const task =
      method === 'invalidate_start' && driver.invalidateStart !== undefined
        ? driver.invalidateStart(sub, range, params.seq)
        : driver.invalidate(sub, range, params.seq);
    this.#answerWith(id, method, task as Task<'done' | 'again' | InvalidateFinish>, (result) => {
      if (typeof result !== 'function') return { result, ...seqNow() };
      if (method === 'invalidate_start') begun.set(params.call, result);
      return { result: 'begun', ...seqNow() };
    });
  }

  #answerWith<T>(
    id: ReceivedQuestion['id'],
    name: string,
    task: Task<T>,
    view: (value: T) => unknown,
  ): void {
    this.#now.runtime.start(this.connection.name, name, task, (outcome) => {
      if (outcome.ok) {
        this.#answering.answer(id, view(outcome.value));
      } else {
        answerVerbFailure(this.#answering, id, outcome.error);
        this.#options.trouble?.(outcome.error);
      }
    });
  }

  #notified({ method, params }: Notification): void {
    if (!NOTIFICATION_CHECKS.accepts(method, params)) return;
    if (method === 'page_free') {
      const { pfn } = params as ServerNotificationParams['page_free'];
      this.#now.frames.heard += 1;
      this.#now.runtime.start(
        this.connection.name,
        'page_free',
        this.#now.device.driver.pageFree(pfn),
        (outcome) => {
          if (!outcome.ok) this.#options.trouble?.(outcome.error);
        },
      );
    } else if (method === 'fenced') {
      this.#fenced((params as ServerNotificationParams['fenced']).why);
    }
  }
}

const OPENED = objectId('user', 0, 0);

function* performOpened(incarnation: DeviceIncarnation, params: VerbParams): Task<VerbResult> {
  yield waitUntil('device.open', OPENED, () => incarnation.opened !== 'not-yet');
  const { opened } = incarnation;
  if (opened !== 'not-yet' && !opened.ok) {
    throw new VerbRefused(`the device could not be opened: ${opened.errno}`);
  }
  return yield* incarnation.device.perform(params);
}

// No yield: the signature of a callback. For a driver that has none.
function* agree(): Task<'done'> {
  return 'done';
}

/** For a client that was parked between the passes, and does not know what it had begun. */
function* wholeAgain(
  driver: DeviceDriver,
  sub: IntervalSub,
  range: NotifierRange,
  seq: Seq,
): Task<void> {
  yield* driver.invalidate(sub, { ...range, blocking: 'blockable' }, seq);
}

function notifierRange(params: QuestionParams['invalidate']): NotifierRange {
  const { mm, range, event, owner, blocking } = params;
  return { mm, range, event, owner, blocking };
}
