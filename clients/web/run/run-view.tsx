import { useMemo, useState } from 'preact/hooks';
import type { NewRun, RunEntry, RunEvents } from '../../../server/protocol/http-api.ts';
import { ExplainPanel } from '../explain/explain-panel.tsx';
import { LegendPanel } from '../lab/legend-panel.tsx';
import { punchlineOf } from '../model/harm.ts';
import { addressOfRoute } from '../route.ts';
import { CopyButton } from '../shell/copy-button.tsx';
import { useKeys } from '../shell/keys.ts';
import { Link } from '../shell/link.tsx';
import { goTo } from '../shell/navigation.ts';
import { TopBar } from '../shell/top-bar.tsx';
import { Stage } from '../stage/stage.tsx';
import type { Selected } from '../stage/view-source.ts';
import { BesideStock } from './beside-stock.tsx';
import { Downloads } from './downloads.tsx';
import { failureSentence } from './failure-sentence.ts';
import { PlayInRoom } from './play-in-room.tsx';
import { lastEventOfStep, milestonesOf, type RunSide, runHistory, stepOf } from './run-history.ts';
import { StepList } from './step-list.tsx';
import { useRun } from './use-run.ts';
import { VerdictCard } from './verdict-card.tsx';

export interface RunViewProps {
  readonly id: string;
  readonly question: NewRun | 'none';
  readonly event: number | 'end';
}

/** One question to the explorer: progress, verdict, and the counterexample in the two views. */
export function RunView({ id, question, event }: RunViewProps) {
  const [followed, cancel] = useRun(id, question, event);
  if (followed.state === 'done' && followed.events !== 'none') {
    return <RunStage run={followed.run} events={followed.events} event={event} />;
  }
  return (
    <div className="page">
      <TopBar />
      <main className="content stack" style={{ maxWidth: '46rem' }}>
        {followed.state === 'asking' ? <h1 className="working">Asking for the run</h1> : null}
        {followed.state === 'failed' ? (
          <>
            <h1>This run is not to be had</h1>
            <p className="note alarm">{followed.why}</p>
          </>
        ) : null}
        {followed.state === 'under-way' ? <Progress run={followed.run} onCancel={cancel} /> : null}
        {followed.state === 'done' ? <Ended run={followed.run} /> : null}
        <p>
          <Link to={{ view: 'explore', question }} className="button">
            Another question
          </Link>
        </p>
      </main>
    </div>
  );
}

function Progress({ run, onCancel }: { readonly run: RunEntry; readonly onCancel: () => void }) {
  const { progress, question } = run;
  const share = Math.round(progress.done * 100);
  return (
    <section className="stack" aria-live="polite">
      <h1 className="working">
        {run.state === 'waiting' ? 'Waiting for a thread' : 'Exploring'} {question.scenario}
      </h1>
      <p className="quiet">
        with the kernel {question.patch ?? 'stock'}
        {question.kernel === undefined ? '' : ` on ${question.kernel}`}
      </p>
      <progress
        value={progress.done}
        max={1}
        aria-label="How much is done, as far as can be told"
      />
      <p className="mono">
        {progressWords(run)}; about {share} % done
      </p>
      <p>
        <button type="button" onClick={onCancel}>
          Stop
        </button>
      </p>
    </section>
  );
}

function progressWords({ progress: { executions, steps } }: RunEntry): string {
  return `${executions.toLocaleString('en')} executions, ${steps.toLocaleString('en')} steps`;
}

function Ended({ run }: { readonly run: RunEntry }) {
  return (
    <>
      <h1>{run.question.scenario}</h1>
      {run.verdict === undefined ? (
        <>
          <p className="note warn">
            {run.failure ?? 'The run was stopped before it had an answer.'}
          </p>
          <p className="mono">{progressWords(run)}</p>
        </>
      ) : (
        <VerdictCard verdict={run.verdict} />
      )}
    </>
  );
}

interface RunStageProps {
  readonly run: RunEntry;
  readonly events: RunEvents;
  readonly event: number | 'end';
}

function RunStage({ run, events, event }: RunStageProps) {
  const patch = run.question.patch ?? 'stock';
  const [side, setSide] = useState<RunSide>('counterexample');
  const [beside, setBeside] = useState<'on' | 'off'>('off');
  const [explain, setExplain] = useState<'open' | 'closed'>('closed');
  const { stock } = events;
  const history = useMemo(() => runHistory(events, side, patch), [events, side, patch]);
  const source = useMemo(() => ({ history: () => history }), [history]);
  const milestones = useMemo(() => milestonesOf(events, side, history), [events, side, history]);
  const selected = event === 'end' ? history.last : Math.min(event, history.last);
  const select = (next: Selected) => {
    const n = next === 'live' ? 'end' : next;
    goTo({ view: 'run', id: run.id, question: run.question, event: n }, 'replace');
  };
  const [chosen, setPlace] = useState<number | 'punchline'>('punchline');
  const place = chosen === 'punchline' ? punchlineOf(history.violations, history.quiet) : chosen;
  const violation = history.violations[place] ?? history.violations[0];
  const step = stepOf(events, side, history, selected);
  const link =
    location.origin +
    addressOfRoute({ view: 'run', id: run.id, question: run.question, event: selected });
  useKeys([
    { key: 'e', shown: 'E', does: 'explain the violation', run: () => setExplain('open') },
    { key: 'o', shown: 'O', does: 'the other execution', run: () => setSide(other(side)) },
    { key: 'Escape', shown: 'Esc', does: 'close the explanation', run: () => setExplain('closed') },
  ]);
  return (
    <div className="page filled lab">
      <TopBar>
        <span className="spread">
          <strong>{run.question.scenario}</strong>{' '}
          <span className={patch === 'stock' ? 'chip' : 'chip warn'}>{patch}</span>{' '}
          <span className="quiet hide-narrow">
            {step > 0 ? `step ${step} of ${stepsOf(events, side)}, ` : ''}
            {side === 'sibling' ? 'the nearest execution that holds' : whatIsShown(events)}
          </span>
        </span>
      </TopBar>
      <main className="stage">
        <h1 className="unseen">
          {run.question.scenario} with {patch}: {run.verdict?.verdict}
        </h1>
        {beside === 'on' && stock !== null ? (
          <BesideStock
            run={events}
            stock={stock}
            bug={bugOf(run)}
            step={step}
            onStep={(next) =>
              select(history.first + events.setup.length + lastEventOfStep(events, next))
            }
          />
        ) : (
          <Stage
            source={source}
            selected={selected}
            onSelect={select}
            milestones={milestones}
            live="over"
          />
        )}
        <aside
          className="side-alone stack"
          aria-label="Verdict and steps"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it.
          tabIndex={0}
        >
          {run.verdict === undefined ? null : <VerdictCard verdict={run.verdict} />}
          {events.failure === null ? null : (
            <p className="note alarm">{failureSentence(events.failure, events.events)}</p>
          )}
          <div className="row">
            {violation === undefined ? null : (
              <button type="button" className="primary" onClick={() => setExplain('open')}>
                Explain
              </button>
            )}
            {events.sibling === null ? null : (
              <button
                type="button"
                aria-pressed={side === 'sibling'}
                onClick={() => {
                  setBeside('off');
                  setSide(other(side));
                }}
              >
                The nearest safe one
              </button>
            )}
          </div>
          <PlayInRoom run={run} />
          {stock === null ? null : (
            <p>
              <button
                type="button"
                aria-pressed={beside === 'on'}
                onClick={() => {
                  setSide('counterexample');
                  setBeside(beside === 'on' ? 'off' : 'on');
                }}
              >
                Beside the stock kernel
              </button>
            </p>
          )}
          <StepList events={events} side={side} history={history} step={step} onSelect={select} />
          <section className="stack">
            <h2>Take it along</h2>
            <div className="row">
              <CopyButton text={link} />
              <span className="quiet">link to this step</span>
            </div>
            <Downloads run={run} />
          </section>
          <p>
            <Link to={{ view: 'explore', question: run.question }} className="button">
              Another question
            </Link>
          </p>
          <details>
            <summary>Signs</summary>
            <LegendPanel />
          </details>
        </aside>
        {explain === 'open' && violation !== undefined ? (
          <ExplainPanel
            violation={violation}
            harm={history.harmOf(violation.n)}
            events={history.eventsFrom(history.first, history.last)}
            place={place + 1}
            count={history.violations.length}
            onOther={(by) => setPlace(place + by)}
            onSelect={select}
            onClose={() => setExplain('closed')}
          />
        ) : null}
      </main>
    </div>
  );
}

function stepsOf({ steps, sibling }: RunEvents, side: RunSide): number {
  return side === 'sibling' && sibling !== null ? sibling.steps.length : steps.length;
}

function bugOf({ question: { patch = 'stock', driver, code } }: RunEntry): string {
  if (code !== undefined) return 'the patch that was written';
  return patch === 'stock' ? [driver ?? []].flat().join(', ') : patch;
}

function whatIsShown({ failure }: RunEvents): string {
  return failure === null ? 'one execution of many' : 'the shortest way to break it';
}

function other(side: RunSide): RunSide {
  return side === 'sibling' ? 'counterexample' : 'sibling';
}
