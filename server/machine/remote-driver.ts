/**
 * A DeviceDriver whose callbacks are questions to a client. A client that is fenced is asked nothing: its DMA is
 * refused, so whatever it still maps cannot be reached.
 */

import { type DeviceDriver, mmuIntervalSetSeq } from '../protocol/device-api.ts';
import type { QuestionParams, QuestionResults } from '../protocol/server-questions.ts';
import { fail, OK } from '../vocabulary/errno.ts';
import { ask, type Outcome, type Question, takeAnswer } from './remote-actor.ts';
import { fenceDevice, type RemoteDevice } from './remote-device.ts';
import { beginFault, endFault } from './remote-lock.ts';

/** `device` is made after its api, which is made after its driver: hence a function. */
export function remoteDriver(device: () => RemoteDevice): DeviceDriver {
  return {
    *invalidate(sub, range, newSeq) {
      const remote = device();
      const params: QuestionParams['invalidate'] = {
        subscription: sub.id,
        mm: range.mm,
        range: range.range,
        event: range.event,
        owner: range.owner,
        blocking: range.blocking,
        seq: newSeq,
      };
      const answer = yield* ask(remote, 'invalidate.answer', 'invalidate', params);
      if (answer === 'abandoned' || !answer.ok) {
        mmuIntervalSetSeq(sub, newSeq);
        return 'done';
      }
      const { result, invalidate_seq } = answer.result as QuestionResults['invalidate'];
      mmuIntervalSetSeq(sub, invalidate_seq);
      return result;
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
      remote.privateInUse.delete(pfn);
      remote.unplaced.delete(pfn);
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
  if (question === undefined || question.answer !== 'open') return 'unknown';
  if (question.method === 'invalidate' && !carriedOut(question, outcome)) {
    fenceDevice(device, 'It did not carry out an invalidation.');
    return 'fenced';
  }
  takeAnswer(device, question, outcome);
  return 'taken';
}

function carriedOut(question: Question, outcome: Outcome): boolean {
  if (!outcome.ok) return false;
  const { blocking } = question.params as QuestionParams['invalidate'];
  const { result } = outcome.result as QuestionResults['invalidate'];
  return result === 'done' || blocking === 'non-blockable';
}
