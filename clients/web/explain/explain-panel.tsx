import { useMemo } from 'preact/hooks';
import type { Event } from '../../../server/abi/event.ts';
import { describeBody } from '../../../server/report/describe-event.ts';
import { raceDiagram } from '../../../server/report/diagram.ts';
import type { SeenViolation } from '../model/event-history.ts';
import type { Harm } from '../model/harm.ts';
import { CopyButton } from '../shell/copy-button.tsx';
import { explainViolation } from './explain-violation.ts';

export interface ExplainPanelProps {
  readonly violation: SeenViolation;
  readonly harm: Harm;
  /** What led to it, the violation itself included. */
  readonly events: readonly Event[];
  /** Which one it is of those of the lab, from 1. */
  readonly place: number;
  readonly count: number;
  /** To the one before (-1) or the next (1). */
  readonly onOther: (by: -1 | 1) => void;
  readonly onSelect: (n: number) => void;
  readonly onClose: () => void;
}

const COLUMNS = 75;

/** What happened, which rule was broken, the two histories, and the diagram as text. */
export function ExplainPanel(props: ExplainPanelProps) {
  const { violation, harm, events, place, count, onOther, onSelect, onClose } = props;
  const told = useMemo(() => explainViolation(violation, events), [violation, events]);
  const diagram = useMemo(
    () => raceDiagram(upTo(events, violation.n), { page: violation.page, columns: COLUMNS }),
    [events, violation],
  );
  const device = violation.device === '' ? 'Device side' : violation.device;
  return (
    <section className="explain stack" aria-labelledby="explain-title">
      <div className="row">
        <span className={harm === 'done' ? 'chip alarm' : 'chip'}>
          ✕ event {violation.n} · {place} of {count}
        </span>
        <span style={{ flex: 1 }} />
        <button
          type="button"
          disabled={place <= 1}
          onClick={() => onOther(-1)}
          aria-label="The violation before"
        >
          ◀
        </button>
        <button
          type="button"
          disabled={place >= count}
          onClick={() => onOther(1)}
          aria-label="The next violation"
        >
          ▶
        </button>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
      <div role="alert">
        <h1 id="explain-title">{told.headline}</h1>
      </div>
      <ol className="stack">
        {told.story.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ol>
      <div className={harm === 'done' ? 'note alarm' : 'note'}>
        <strong>The rule that was broken:</strong> {told.ruleText} ({told.rule}).
        {harm === 'done' ? '' : ' Nobody had used it yet.'}
      </div>
      <div className="histories">
        <History title="What the CPU's side did" events={told.cpuSide} onSelect={onSelect} />
        <History
          title={`What ${device} saw and did`}
          events={told.deviceSide}
          onSelect={onSelect}
        />
      </div>
      <div className="stack">
        <div className="row">
          <h2>The race as text</h2>
          <span style={{ flex: 1 }} />
          <CopyButton text={diagram} />
        </div>
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it.
          tabIndex={0}
        >
          {diagram}
        </pre>
      </div>
    </section>
  );
}

interface HistoryProps {
  readonly title: string;
  readonly events: readonly Event[];
  readonly onSelect: (n: number) => void;
}

function History({ title, events, onSelect }: HistoryProps) {
  return (
    <div>
      <h2>{title}</h2>
      <ol>
        {events.map((event) => (
          <li key={event.n}>
            <button type="button" onClick={() => onSelect(event.n)}>
              <span className="n">{event.n}</span>
              <span>{wordsOf(event)}</span>
            </button>
          </li>
        ))}
      </ol>
      {events.length === 0 ? <p className="quiet">These events are not kept any more.</p> : null}
    </div>
  );
}

function upTo(events: readonly Event[], n: number): Event[] {
  return events.filter((event) => event.n <= n);
}

/** Who and what; who once. */
function wordsOf(event: Event): string {
  const what = describeBody(event);
  return what.startsWith(`${event.actor} `) ? what : `${event.actor} ${what}`;
}
