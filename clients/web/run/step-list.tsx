import { useEffect, useRef } from 'preact/hooks';
import type { RunEvents } from '../../../server/protocol/http-api.ts';
import type { EventHistory } from '../model/event-history.ts';
import { Term } from '../shell/term.tsx';
import { lastEventOfStep, type RunSide } from './run-history.ts';
import { SwapDiagram } from './swap-diagram.tsx';

export interface StepListProps {
  readonly events: RunEvents;
  readonly side: RunSide;
  readonly history: EventHistory;
  /** The step that is looked at. */
  readonly step: number;
  readonly onSelect: (n: number) => void;
}

/** The steps of an execution; those that were swapped to make it safe are marked, and the point of no return. */
export function StepList({ events, side, history, step, onSelect }: StepListProps) {
  const isSibling = side === 'sibling' && events.sibling !== null;
  const told = isSibling && events.sibling !== null ? events.sibling : events;
  const swapped = events.sibling?.swapped ?? [];
  const isSwapped = (n: number) =>
    !isSibling && swapped.some(({ first, last }) => first <= n && n <= last);
  const toStep = (n: number) => {
    const at = lastEventOfStep(told, n);
    onSelect(history.first + events.setup.length + at);
  };
  const list = useRef<HTMLOListElement>(null);
  // It follows, and nothing around it moves.
  useEffect(() => {
    const row = list.current?.children[step - 1];
    if (list.current === null || !(row instanceof HTMLElement)) return;
    list.current.scrollTop = row.offsetTop - list.current.clientHeight / 2;
  }, [step]);
  return (
    <section className="stack" aria-label="Steps">
      <h2>{isSibling ? 'Its steps' : 'Steps'}</h2>
      {swapped.length > 0 && !isSibling ? (
        <p className="note good">
          Swap the steps {swapped.map(words).join(' and ')}, and nothing happens.
        </p>
      ) : null}
      {events.sibling === null ? null : (
        <SwapDiagram steps={events.steps} sibling={events.sibling} />
      )}
      <ol ref={list} className="histories steps">
        {told.steps.map(({ actor, at }, index) => {
          const n = index + 1;
          return (
            <li key={n}>
              <button type="button" aria-pressed={n === step} onClick={() => toStep(n)}>
                <span className="n">{n}</span>
                <span>
                  {isSwapped(n) ? '⇅ ' : ''}
                  <strong>{actor}</strong> <code>{at}</code>
                </span>
              </button>
              {!isSibling && n === events.pointOfNoReturn ? (
                <p className="note alarm">
                  <Term of="point of no return">Point of no return</Term>: after step {n} every
                  continuation fails.
                </p>
              ) : null}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function words({ first, last }: { readonly first: number; readonly last: number }): string {
  return first === last ? `${first}` : `${first} to ${last}`;
}
