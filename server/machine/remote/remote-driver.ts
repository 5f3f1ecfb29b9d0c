/**
 * A DeviceDriver whose callbacks are questions to a client. A client that is fenced is asked nothing: its DMA is
 * refused, so whatever it still maps cannot be reached.
 */

import {
  type DeviceDriver,
  type IntervalSub,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../abi/device-api.ts';
import type { QuestionParams, QuestionResults } from '../../protocol/server-questions.ts';
import { serial, wake } from '../../task/context.ts';
import { fail, OK } from '../../vocabulary/errno.ts';
import type { Seq } from '../../vocabulary/seq.ts';
import { ask, type Outcome } from './remote-actor.ts';
import { fenceDevice, type RemoteDevice } from './remote-device.ts';
import { beginFault, endFault } from './remote-lock.ts';

/** `device` is made after its api, which is made after its driver: hence a function. */
export function remoteDriver(device: () => RemoteDevice): DeviceDriver {
  return {
    *invalidate(sub, range, newSeq) {
      const remote = device();
      const params = paramsOf(sub, range, newSeq);
      const answer = yield* ask(remote, 'invalidate.answer', 'invalidate', params);
      if (answer === 'abandoned' || !answer.ok) {
        mmuIntervalSetSeq(sub, newSeq);
        return 'done';
      }
      const { result, invalidate_seq } = answer.result as QuestionResults['invalidate'];
      mmuIntervalSetSeq(sub, invalidate_seq);
      return result;
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
      remote.questions.set(id, { kind: 'sent', sub, seq: newSeq, blocking, answers, place });
      const params = paramsOf(sub, range, newSeq);
      remote.send({ kind: 'question', actor, id, method: 'invalidate', params });
    },

    *migrateToRam(fault) {
      const remote = device();
      const params: QuestionParams['migrate_to_ram'] = {
        mm: fault.mm,
        page: fault.page,
        pfn: fault.pfn,
      };
      const served = beginFault(remote, fault);
      const answer = yield* ask(remote, 'migrate_to_ram.answer', 'migrate_to_ram', params);
      yield* endFault(remote, served);
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
  };
}

/**
 * Hands over a client's answer. An invalidation must be carried out, unless it is not blockable: whoever answers
 * anything else is fenced, because nobody can wait for it. Not a yield point.
 *
 * Returns: 'fenced' if that happened now; 'unknown' if the question is not open.
 */
export function takeDeviceAnswer(
  device: RemoteDevice,
  id: number,
  outcome: Outcome,
): 'taken' | 'unknown' | 'fenced' {
  const question = device.questions.get(id);
  if (question === undefined) return 'unknown';
  if (question.kind === 'awaited') {
    if (question.answer !== 'open') return 'unknown';
    if (question.method === 'invalidate') {
      const { blocking, subscription } = question.params as QuestionParams['invalidate'];
      const done = carriedOut(blocking, outcome);
      if (done === 'no') return fenceLiar(device, subscription);
      // At once: what the device looks up from here on stands on the sequence that it has by now.
      const sub = device.subs.get(subscription);
      if (sub !== undefined) mmuIntervalSetSeq(sub, done.invalidate_seq);
    }
    question.answer = outcome;
    wake(device.context, question.object);
    return 'taken';
  }
  const done = carriedOut(question.blocking, outcome);
  if (done === 'no') return fenceLiar(device, question.sub.id);
  device.questions.delete(id);
  mmuIntervalSetSeq(question.sub, done.invalidate_seq);
  question.answers.answered(question.place, done.result);
  return 'taken';
}

function fenceLiar(device: RemoteDevice, sub: number): 'fenced' {
  device.undertaker.refused(sub);
  fenceDevice(device, 'It did not carry out an invalidation.');
  return 'fenced';
}

function carriedOut(
  blocking: NotifierRange['blocking'],
  outcome: Outcome,
): QuestionResults['invalidate'] | 'no' {
  if (!outcome.ok) return 'no';
  const done = outcome.result as QuestionResults['invalidate'];
  return done.result === 'done' || blocking === 'non-blockable' ? done : 'no';
}

function paramsOf(
  sub: IntervalSub,
  { mm, range, event, owner, blocking }: NotifierRange,
  newSeq: Seq,
): QuestionParams['invalidate'] {
  return { subscription: sub.id, mm, range, event, owner, blocking, seq: newSeq };
}
