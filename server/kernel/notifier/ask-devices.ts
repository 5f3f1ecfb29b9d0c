/**
 * The callbacks of one bracket. Devices in this process are asked in tasks of their own, so that every order happens.
 * Devices in other processes are all asked in one step, by one task, which waits for the answers: a task for each
 * would cost more than the frames that it sends.
 */
import type { InvalidateAnswers, NotifierRange, SendInvalidate } from '../../abi/device-api.ts';
import type { EventBody } from '../../abi/event.ts';
import { serial, type TaskIdentity, wake } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { type Task, waitUntil } from '../../task/task.ts';
import { together } from '../../task/together.ts';
import type { Seq } from '../../vocabulary/seq.ts';
import type { Kernel } from '../kernel.ts';
import type { Subscription } from './subscriptions.ts';

type Answer = 'done' | 'again';
type CallbackArgs = Extract<EventBody, { kind: 'callback' }>['args'];

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

/** What the event of a callback tells. */
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
  endAsking(k, subscription, answer);
  return answer;
}

/** The callback is over. */
export function endAsking(k: Kernel, { device }: Subscription, result: Answer): void {
  k.emit({ kind: 'callback-return', function: 'invalidate', device, result });
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
  const answers = new FarAnswers(k, hit);
  for (let place = 0; place < hit.length; place += 1) {
    const { device, sub, callee } = hit[place] as Subscription;
    k.context.current = callee;
    k.emit({ kind: 'callback', function: 'invalidate', device, args: how.args });
    how.senders[place]?.(sub, range, how.current, answers, place);
  }
  k.context.current = asker;
  while (answers.missing > 0) {
    yield waitUntil(
      'mmu_notifier_invalidate_range_start.answers',
      answers.object,
      () => answers.missing === 0 || answers.given.length > 0,
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

  constructor(k: Kernel, hit: readonly Subscription[]) {
    this.#k = k;
    this.#hit = hit;
    this.missing = hit.length;
    this.object = objectId('answer', 0, serial(k.context));
  }

  answered(place: number, answer: Answer): void {
    const { context, emit } = this.#k;
    const { device, callee } = this.#hit[place] as Subscription;
    const running = context.current;
    context.current = callee;
    emit({ kind: 'callback-return', function: 'invalidate', device, result: answer });
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
