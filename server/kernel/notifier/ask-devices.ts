/**
 * The callbacks of one bracket. Devices in this process are asked in tasks of their own, so that every order happens.
 * Devices in other processes are all asked in one step, by one task, which waits for the answers: a task for each
 * would cost more than the frames that it sends.
 */
import type { InvalidateAnswers, NotifierRange, SendInvalidate } from '../../abi/device-api.ts';
import type { EventBody } from '../../abi/event.ts';
import { serial, type TaskIdentity, touch, wake } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { ORACLE_OWNERS } from '../../task/object-owners.ts';
import { type Task, waitUntil } from '../../task/task.ts';
import { together } from '../../task/together.ts';
import type { Seq } from '../../vocabulary/seq.ts';
import type { Kernel } from '../kernel.ts';
import type { Subscription } from './subscriptions.ts';

type Answer = 'done' | 'again';
type CallbackArgs = Extract<EventBody, { kind: 'callback' }>['args'];

/** Of so many a step is as long as others are: thousands of frames in one would stop everybody else meanwhile. */
const ASKED_AT_ONCE = 64;

/** For Subscription.callee. */
export function calleeOf(device: string): TaskIdentity {
  return {
    id: 0,
    actor: device,
    name: `invalidate ${device}`,
    parent: 'none',
    held: [],
    heldAt: [],
  };
}

/**
 * Asks all of `hit` and waits for all of them. Yields: yes, if there are any.
 *
 * Returns: 'again' if some device said so.
 */
export function* mnItreeInvalidate(
  k: Kernel,
  range: NotifierRange,
  hit: readonly Subscription[],
  current: Seq,
): Task<Answer> {
  const [only] = hit;
  if (only === undefined) return 'done';
  const args = callbackArgs(range, current);
  if (hit.length === 1) return yield* askDevice(k, only, range, current, args);
  const senders = sendersOf(hit);
  const at = 'mmu_notifier_invalidate_range_start.callbacks';
  if (senders !== 'none') {
    const { actor } = k.context.current;
    const task = askFarDevices(k, range, hit, { senders, current, args });
    const [answer] = yield* together(k.context, at, [{ actor, name: 'invalidate', task }]);
    return answer ?? 'done';
  }
  const answers = yield* together(
    k.context,
    at,
    hit.map((subscription) => ({
      actor: subscription.device,
      name: subscription.callee.name,
      task: askDevice(k, subscription, range, current, args),
    })),
  );
  return answers.includes('again') ? 'again' : 'done';
}

/** What the event of a callback contains. */
export function callbackArgs({ range, event, owner }: NotifierRange, current: Seq): CallbackArgs {
  return { first: range.first, end: range.end, event, owner, seq: current };
}

export function* askDevice(
  k: Kernel,
  subscription: Subscription,
  range: NotifierRange,
  current: Seq,
  args: CallbackArgs,
): Task<Answer> {
  const { device, driver, sub } = subscription;
  k.emit({ kind: 'callback', function: 'invalidate', device, args });
  const answer = yield* driver.invalidate(sub, range, current);
  endAsking(k, subscription, range, answer);
  return answer;
}

/** The callback is over. */
export function endAsking(
  k: Kernel,
  { id, device }: Subscription,
  { mm, range }: NotifierRange,
  result: Answer,
): void {
  k.emit({ kind: 'callback-return', function: 'invalidate', device, result });
  if (result === 'again') return;
  touch(k.context, answerObject(id), 'lower');
  for (const open of k.invalidations.values()) {
    const owed = open.answers?.get(id);
    if (owed === undefined || owed.given || open.range !== range || open.mm.id !== mm) continue;
    owed.given = true;
    return;
  }
}

/** For oracles: which brackets a subscription has carried out. */
export function answerObject(subscription: number): ObjectId {
  return objectId('user', ORACLE_OWNERS.answers, subscription);
}

/** How to reach each of `hit`; 'none' if some driver runs here. */
function sendersOf(hit: readonly Subscription[]): SendInvalidate[] | 'none' {
  const senders: SendInvalidate[] = [];
  for (const { driver } of hit) {
    const send = driver.sendInvalidate;
    if (send === undefined) return 'none';
    senders.push(send);
  }
  return senders;
}

function* askFarDevices(
  k: Kernel,
  range: NotifierRange,
  hit: readonly Subscription[],
  how: {
    readonly senders: readonly SendInvalidate[];
    readonly current: Seq;
    readonly args: CallbackArgs;
  },
): Task<Answer> {
  const asker = k.context.current;
  const answers = new FarAnswers(k, hit, range);
  let asked = 0;
  for (;;) {
    const some = hit.slice(asked, asked + ASKED_AT_ONCE);
    for (const [at, { device, sub, callee }] of some.entries()) {
      k.context.current = callee;
      k.emit({ kind: 'callback', function: 'invalidate', device, args: how.args });
      how.senders[asked + at]?.(sub, range, how.current, answers, asked + at);
    }
    k.context.current = asker;
    asked += some.length;
    if (answers.missing === 0) break;
    yield waitUntil(
      'mmu_notifier_invalidate_range_start.answers',
      answers.object,
      () => asked < hit.length || answers.missing === 0 || answers.given.length > 0,
    );
    for (const place of answers.given.splice(0)) answers.answered(place, 'done');
  }
  return answers.answer;
}

/** The answers of devices in other processes to one bracket. */
class FarAnswers implements InvalidateAnswers {
  /** Changes when the last answer arrives, and when a device is given up. */
  readonly object: ObjectId;
  missing: number;
  /** Places whose device was given up, until the task that asked has noticed. */
  readonly given: number[] = [];
  answer: Answer = 'done';
  readonly #k: Kernel;
  readonly #hit: readonly Subscription[];
  readonly #range: NotifierRange;

  constructor(k: Kernel, hit: readonly Subscription[], range: NotifierRange) {
    this.#k = k;
    this.#hit = hit;
    this.#range = range;
    this.missing = hit.length;
    this.object = objectId('answer', 0, serial(k.context));
  }

  answered(place: number, answer: Answer): void {
    const { context } = this.#k;
    const subscription = this.#hit[place] as Subscription;
    const running = context.current;
    context.current = subscription.callee;
    endAsking(this.#k, subscription, this.#range, answer);
    context.current = running;
    if (answer === 'again') this.answer = 'again';
    this.missing -= 1;
    if (this.missing === 0) wake(context, this.object);
  }

  abandoned(place: number): void {
    this.given.push(place);
    wake(this.#k.context, this.object);
  }
}
