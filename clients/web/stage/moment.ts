/** What is held and what is in flight at a moment, in words: locks, invalidations, questions. */
import { rangeWords } from '../../../server/report/event-words.ts';
import type { LabModel } from '../model/lab-model.ts';

export interface MomentFact {
  readonly kind: 'lock' | 'bracket' | 'question';
  readonly text: string;
  /** The event since which it is so. */
  readonly since: number;
}

export function momentFacts(model: LabModel): MomentFact[] {
  const facts: MomentFact[] = [];
  for (const { first, end, event, actor, since } of model.brackets.values()) {
    const text = `[ ${actor} invalidates ${rangeWords(first, end)} (${event})`;
    facts.push({ kind: 'bracket', text, since });
  }
  for (const { device, function: asked, since } of model.questions.values()) {
    facts.push({ kind: 'question', text: `${device} is asked: ${asked}`, since });
  }
  for (const [lock, holders] of model.locks) {
    for (const { actor, mode, since } of holders) {
      facts.push({ kind: 'lock', text: `${actor} holds ${lock} (${mode})`, since });
    }
  }
  return facts;
}
