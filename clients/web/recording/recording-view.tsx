import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { RECORDING_EVENTS_MAX, type RecordingAnswer } from '../../../server/protocol/http-api.ts';
import { ExplainPanel } from '../explain/explain-panel.tsx';
import { LegendPanel } from '../lab/legend-panel.tsx';
import { EventHistory } from '../model/event-history.ts';
import { punchlineOf } from '../model/harm.ts';
import { emptyModel } from '../model/lab-model.ts';
import { sentenceOf, serverApi } from '../server-api.ts';
import { useKeys } from '../shell/keys.ts';
import { TopBar } from '../shell/top-bar.tsx';
import { Stage } from '../stage/stage.tsx';
import { FileField } from './file-field.tsx';
import { takeHandedOver } from './handed-over.ts';

type Opened = RecordingAnswer | { readonly trouble: string } | 'none' | 'reading';

/** A recording of a lab, in memory and time. */
export function RecordingView() {
  const [opened, setOpened] = useState<Opened>('none');
  const open = useCallback(async (text: string) => {
    setOpened('reading');
    setOpened(await played(text));
  }, []);
  useEffect(() => {
    const text = takeHandedOver();
    if (text !== 'none') open(text).catch(() => undefined);
  }, [open]);
  if (typeof opened === 'object' && 'events' in opened) {
    return <RecordingStage recording={opened} />;
  }
  return (
    <div className="page">
      <TopBar />
      <main className="content stack" style={{ maxWidth: '46rem' }}>
        <h1>A recording of a lab</h1>
        <p className="lead quiet">
          The server does again what was recorded, and says what happened, event by event.
        </p>
        <FileField onText={(text) => open(text).catch(() => undefined)} />
        {opened === 'reading' ? <p className="working quiet">Doing it again</p> : null}
        {typeof opened === 'string' ? null : (
          <p className="note alarm" role="alert">
            {opened.trouble}
          </p>
        )}
      </main>
    </div>
  );
}

async function played(text: string): Promise<Opened> {
  try {
    return await serverApi.readRecording(text);
  } catch (error) {
    return { trouble: sentenceOf(error) };
  }
}

function RecordingStage({ recording }: { readonly recording: RecordingAnswer }) {
  const { lab, patch, events } = recording;
  const history = useMemo(() => {
    const made = new EventHistory(emptyModel(patch));
    made.append(events);
    return made;
  }, [patch, events]);
  const source = useMemo(() => ({ history: () => history }), [history]);
  const [selected, setSelected] = useState(history.last);
  const [explain, setExplain] = useState<'open' | 'closed'>('closed');
  const [place, setPlace] = useState(() => punchlineOf(history.violations, history.quiet));
  const violation = history.violations[place];
  useKeys([
    { key: 'e', shown: 'E', does: 'explain the violation', run: () => setExplain('open') },
    { key: 'Escape', shown: 'Esc', does: 'close the explanation', run: () => setExplain('closed') },
  ]);
  const select = (next: number | 'live') => setSelected(next === 'live' ? history.last : next);
  return (
    <div className="page filled lab">
      <TopBar>
        <span className="spread">
          <strong>{lab}</strong>{' '}
          <span className={patch === 'stock' ? 'chip' : 'chip warn'}>{patch}</span>{' '}
          <span className="quiet hide-narrow">a recording</span>
        </span>
      </TopBar>
      <main className="stage">
        <h1 className="unseen">A recording of {lab}</h1>
        <Stage source={source} selected={selected} onSelect={select} milestones={[]} live="over" />
        <aside
          className="side-alone stack"
          aria-label="What it is"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it.
          tabIndex={0}
        >
          <p>
            {history.last} events, {history.violations.length} violations.
          </p>
          {events.length < RECORDING_EVENTS_MAX ? null : (
            <p className="note warn">These are the first; mmrace replay has them all.</p>
          )}
          {violation === undefined ? null : (
            <button type="button" className="primary" onClick={() => setExplain('open')}>
              Explain
            </button>
          )}
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
