/** For drivers that do some of dmirror's verbs in a way of their own. */
import type { Task } from '../../../server/task/task.ts';
import type { Dmirror } from './dmirror-state.ts';
import {
  DMIRROR_VERBS,
  type DmirrorResult,
  type DmirrorVerb,
  performVerb,
} from './dmirror-verb.ts';

export type LabVerb = DmirrorVerb;

/**
 * Does one verb of a driver that is made of dmirror's state. `perform` does dmirror's own verbs; parts of them are
 * done here.
 */
export function performLabVerb(
  dmirror: Dmirror,
  verb: LabVerb,
  perform: (verb: DmirrorVerb) => Task<DmirrorResult> = (own) => performVerb(dmirror, own),
): Task<DmirrorResult> {
  if (DMIRROR_VERBS[verb.verb].of === 'part') return performVerb(dmirror, verb);
  return perform(verb);
}
