import type { ComponentChildren } from 'preact';
import type { Event } from '../../../server/abi/event.ts';
import { describeBody } from '../../../server/report/describe-event.ts';
import { rangeWords } from '../../../server/report/event-words.ts';
import type { LabModel } from '../model/lab-model.ts';
import type { Selected } from './view-source.ts';

const FACTS_SHOWN_MAX = 6;

export interface MomentStripProps {
  readonly selected: Selected;
  /** The event that is looked at, or the newest. */
  readonly event: Event | 'none';
  readonly model: LabModel;
  /** What is pointed at in the memory view; empty for nothing. */
  readonly pointed: string;
  readonly stale: number;
  readonly children: ComponentChildren;
}

/** Between the two views: which moment they show, what is held and in flight then. Its height never changes. */
export function MomentStrip({
  selected,
  event,
  model,
  pointed,
  stale,
  children,
}: MomentStripProps) {
  const facts = momentFacts(model);
  const isLive = selected === 'live';
  return (
    <section className="moment" aria-label="The moment that is shown">
      <p className="what" aria-live={isLive ? 'off' : 'polite'}>
        <span className={isLive ? 'chip good' : 'chip'}>
          {isLive ? '● live' : '◼ then'} {event === 'none' ? '' : event.n}
        </span>{' '}
        {event === 'none' ? 'Nothing has happened yet.' : whatHappened(event)}
      </p>
      {children}
      <p className="state" aria-live="polite">
        {stale > 0 ? (
          <span className="chip alarm">
            ✕ {stale} stale {stale === 1 ? 'cell' : 'cells'}
          </span>
        ) : null}
        {pointed === '' ? null : <span>{pointed}</span>}
        {pointed === '' && facts.length === 0 ? (
          <span className="quiet">No lock is held, no invalidation is in flight.</span>
        ) : null}
        {pointed === ''
          ? facts.slice(0, FACTS_SHOWN_MAX).map(({ kind, text, since }) => (
              <span key={`${text} ${since}`} className={kind === 'lock' ? 'chip' : 'chip warn'}>
                {text}
              </span>
            ))
          : null}
        {pointed === '' && facts.length > FACTS_SHOWN_MAX ? (
          <span className="quiet">and {facts.length - FACTS_SHOWN_MAX} more</span>
        ) : null}
      </p>
    </section>
  );
}

/** Plain words first, then the rule. */
function whatHappened(event: Event): string {
  if (event.kind === 'violation') return `✕ ${event.text} (${event.rule})`;
  return `${event.actor}: ${describeBody(event)}`;
}

interface MomentFact {
  readonly kind: 'lock' | 'bracket' | 'question';
  readonly text: string;
  /** The event since which it is so. */
  readonly since: number;
}

function momentFacts(model: LabModel): MomentFact[] {
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
