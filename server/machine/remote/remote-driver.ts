/**
 * A DeviceDriver whose callbacks are questions to a client. A client that is fenced is asked nothing: its DMA is
 * refused, so whatever it still maps cannot be reached.
 */

import {
  type DeviceDriver,
  type IntervalSub,
  type InvalidateFinish,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../abi/device-api.ts';
import type { QuestionParams, QuestionResults } from '../../protocol/server-questions.ts';
import { serial, wake } from '../../task/context.ts';
import type { Task } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../vocabulary/errno.ts';
import { hexOfPage, type PageContents, pageOfHex } from '../../vocabulary/page-contents.ts';
import type { Seq } from '../../vocabulary/seq.ts';
import { aboutQuestion, isInvalidation, questionWords } from './about-question.ts';
import {
  type ActorQuestion,
  type AwaitedQuestion,
  ask,
  type QuestionOutcome,
} from './remote-actor.ts';
import { fenceDevice, type RemoteDevice } from './remote-device.ts';
import { closeFault, openFault } from './remote-lock.ts';

/** `device` is made after its api, which is made after its driver: hence a function. */
export function remoteDriver(device: () => RemoteDevice): DeviceDriver {
  return {
    invalidate: (sub, range, newSeq) => invalidate(device(), sub, range, newSeq),

    get invalidateStart() {
      const remote = device();
      if (remote.inTwoPasses.size === 0) return undefined;
      const start: DeviceDriver['invalidateStart'] = (sub, range, newSeq) =>
        remote.inTwoPasses.has(sub.id)
          ? invalidateStart(remote, sub, range, newSeq)
          : invalidate(remote, sub, range, newSeq);
      return start;
    },

    get mmuNotifier() {
      const remote = device();
      if (remote.classic === 'none') return undefined;
      const start = (range: NotifierRange) => startRange(remote, range);
      if (remote.classic === 'start') return { invalidateRangeStart: start };
      const end = (range: NotifierRange) => endRange(remote, range);
      return { invalidateRangeStart: start, invalidateRangeEnd: end };
    },

    sendInvalidate(sub, range, newSeq, answers, place) {
      const remote = device();
      if (remote.state !== 'attached') {
        mmuIntervalSetSeq(sub, newSeq);
        answers.answered(place, 'done');
        return;
      }
      const { actor } = remote;
      const { blocking } = range;
      const id = serial(remote.context);
      const params = paramsOf(sub, range, newSeq);
      remote.questions.set(id, {
        kind: 'sent',
        sub,
        range: params.range,
        seq: newSeq,
        blocking,
        answers,
        place,
      });
      remote.send({ kind: 'question', actor, id, method: 'invalidate', params });
    },

    *migrateToRam(fault) {
      const remote = device();
      const params: QuestionParams['migrate_to_ram'] = {
        mm: fault.mm,
        page: fault.page,
        pfn: fault.pfn,
      };
      const served = openFault(remote, fault);
      const answer = yield* ask(remote, 'migrate_to_ram.answer', 'migrate_to_ram', params);
      yield* closeFault(remote, served);
      if (answer === 'abandoned') return fail('EIO');
      if (!answer.ok) return answer;
      const { result } = answer.result as QuestionResults['migrate_to_ram'];
      return result === 'OK' ? OK : fail(result);
    },

    *pageFree(pfn) {
      const remote = device();
      remote.unplaced.delete(pfn);
      if (!remote.privateInUse.delete(pfn)) return;
      remote.send({ kind: 'tell', actor: remote.actor, method: 'page_free', params: { pfn } });
    },

    *release() {
      yield* ask(device(), 'release.answer', 'release', {});
    },

    peerMemory: {
      read: (pfn) => peerRead(device(), pfn),
      write: (pfn, contents) => peerWrite(device(), pfn, contents),
    },
  };
}

/** Returns: EIO if the peer is gone, or has no such memory. */
function* peerRead(remote: RemoteDevice, pfn: Pfn): Task<Result<PageContents>> {
  const answer = yield* ask(remote, 'peer_read.answer', 'peer_read', { pfn });
  if (answer === 'abandoned' || !answer.ok) return fail('EIO');
  return ok(pageOfHex((answer.result as QuestionResults['peer_read']).page));
}

function* peerWrite(remote: RemoteDevice, pfn: Pfn, contents: PageContents): Task<Result<void>> {
  const params = { pfn, page: hexOfPage(contents) };
  const answer = yield* ask(remote, 'peer_write.answer', 'peer_write', params);
  return answer === 'abandoned' || !answer.ok ? fail('EIO') : OK;
}

function* invalidate(
  remote: RemoteDevice,
  sub: IntervalSub,
  range: NotifierRange,
  newSeq: Seq,
): Task<'done' | 'again'> {
  const params = paramsOf(sub, range, newSeq);
  const answer = yield* ask(remote, 'invalidate.answer', 'invalidate', params);
  if (answer === 'abandoned' || !answer.ok) {
    mmuIntervalSetSeq(sub, newSeq);
    return 'done';
  }
  const { result, invalidate_seq } = answer.result as QuestionResults['invalidate'];
  mmuIntervalSetSeq(sub, invalidate_seq);
  return result;
}

function* startRange(remote: RemoteDevice, range: NotifierRange): Task<'done' | 'again'> {
  const { classic } = remote;
  const at = 'invalidate_range_start.answer';
  const answer = yield* ask(remote, at, 'invalidate_range_start', { ...range });
  if (answer === 'abandoned' || !answer.ok || classic === 'start-and-end') return 'done';
  return (answer.result as QuestionResults['invalidate_range_start']).result;
}

function* endRange(remote: RemoteDevice, range: NotifierRange): Task<void> {
  yield* ask(remote, 'invalidate_range_end.answer', 'invalidate_range_end', { ...range });
}

function* invalidateStart(
  remote: RemoteDevice,
  sub: IntervalSub,
  range: NotifierRange,
  newSeq: Seq,
): Task<'done' | 'again' | InvalidateFinish> {
  const call = serial(remote.context);
  const params = { ...paramsOf(sub, range, newSeq), call };
  const answer = yield* ask(remote, 'invalidate_start.answer', 'invalidate_start', params);
  if (answer === 'abandoned' || !answer.ok) {
    mmuIntervalSetSeq(sub, newSeq);
    return 'done';
  }
  const { result } = answer.result as QuestionResults['invalidate_start'];
  if (result !== 'begun') return result;
  return () => invalidateFinish(remote, sub, params);
}

function* invalidateFinish(
  remote: RemoteDevice,
  sub: IntervalSub,
  params: QuestionParams['invalidate_finish'],
): Task<void> {
  const answer = yield* ask(remote, 'invalidate_finish.answer', 'invalidate_finish', params);
  if (answer === 'abandoned' || !answer.ok) mmuIntervalSetSeq(sub, params.seq);
}

/**
 * Hands over a client's answer. An invalidation must be carried out, unless it is not blockable: a device that answers
 * anything else is fenced, because no task can wait for it. Not a yield point.
 *
 * Returns: 'fenced' if that happened now; 'unknown' if the question is not open.
 */
export function takeDeviceAnswer(
  device: RemoteDevice,
  id: number,
  outcome: QuestionOutcome,
): 'taken' | 'unknown' | 'fenced' {
  const question = device.questions.get(id);
  if (question === undefined) return 'unknown';
  if (question.kind === 'awaited') {
    if (question.answer !== 'open') return 'unknown';
    if (isInvalidation(question)) {
      const { subscription, blocking } = question.params;
      const done = carriedOut(blocking, outcome);
      if (done === 'no') return fenceForBadAnswer(device, subscription, id, question);
      // At once: what the device looks up from here on stands on the sequence that it has by now.
      const sub = device.subs.get(subscription);
      if (sub !== undefined) mmuIntervalSetSeq(sub, done.invalidate_seq);
    }
    if (!heardOut(device, question, outcome))
      return fenceForBadAnswer(device, 'none', id, question);
    question.answer = outcome;
    wake(device.context, question.object);
    return 'taken';
  }
  const done = carriedOut(question.blocking, outcome);
  if (done === 'no') return fenceForBadAnswer(device, question.sub.id, id, question);
  device.questions.delete(id);
  mmuIntervalSetSeq(question.sub, done.invalidate_seq);
  question.answers.answered(question.place, done.result);
  return 'taken';
}

/** A classic notifier carries out what it is asked; one without an end may refuse what may not wait. */
function heardOut(
  { classic }: RemoteDevice,
  { method, params }: AwaitedQuestion,
  outcome: QuestionOutcome,
): boolean {
  if (method === 'invalidate_range_end') return outcome.ok;
  if (method !== 'invalidate_range_start') return true;
  if (!outcome.ok) return false;
  const { blocking } = params as QuestionParams['invalidate_range_start'];
  const { result } = outcome.result as QuestionResults['invalidate_range_start'];
  return result === 'done' || (blocking === 'non-blockable' && classic === 'start');
}

function fenceForBadAnswer(
  device: RemoteDevice,
  sub: number | 'none',
  id: number,
  question: ActorQuestion,
): 'fenced' {
  if (sub !== 'none') device.teardown.refused(sub);
  fenceDevice(
    device,
    `It did not carry out ${questionWords(question)}.`,
    aboutQuestion(id, question),
  );
  return 'fenced';
}

function carriedOut(
  blocking: NotifierRange['blocking'],
  outcome: QuestionOutcome,
): { readonly result: 'done' | 'again'; readonly invalidate_seq: Seq } | 'no' {
  if (!outcome.ok) return 'no';
  const { result = 'done', invalidate_seq } = outcome.result as InvalidationAnswer;
  if (result === 'again' && blocking === 'blockable') return 'no';
  return { result: result === 'again' ? 'again' : 'done', invalidate_seq };
}

type InvalidationAnswer = Pick<QuestionResults['invalidate'], 'invalidate_seq'> &
  Partial<Pick<QuestionResults['invalidate_start'], 'result'>>;

function paramsOf(
  sub: IntervalSub,
  { mm, range, event, owner, blocking }: NotifierRange,
  newSeq: Seq,
): QuestionParams['invalidate'] {
  return { subscription: sub.id, mm, range, event, owner, blocking, seq: newSeq };
}
