import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Event } from '../../../server/abi/event.ts';
import type { Control, LabDetail, PatchEntry } from '../../../server/protocol/http-api.ts';
import { ExplainPanel } from '../explain/explain-panel.tsx';
import type { EventHistory, SeenViolation } from '../model/event-history.ts';
import { NotLive } from '../room/not-live.tsx';
import { usePresenter } from '../room/use-presenter.ts';
import { sentenceOf, serverApi } from '../server-api.ts';
import { useKeys } from '../shell/keys.ts';
import { Link } from '../shell/link.tsx';
import { useLoaded } from '../shell/loaded.ts';
import { goTo } from '../shell/navigation.ts';
import { showToast } from '../shell/toasts.tsx';
import { TopBar } from '../shell/top-bar.tsx';
import { Stage } from '../stage/stage.tsx';
import type { Selected } from '../stage/view-source.ts';
import { ControlsPanel } from './controls-panel.tsx';
import type { LabFeed } from './lab-feed.ts';
import { LegendPanel } from './legend-panel.tsx';
import { LostLab } from './lost-lab.tsx';
import { StatusChip } from './status-chip.tsx';
import { useLabControl } from './use-lab-control.ts';
import { useLabFeed } from './use-lab-feed.ts';

/** Events before a violation that its panel looks at. */
const STORY_EVENTS_MAX = 2_000;
const TABS = ['drive', 'legend'] as const;
type Tab = (typeof TABS)[number];
const TAB_WORDS: { readonly [Name in Tab]: string } = {
  drive: 'Drive',
  legend: 'Signs',
};
const NO_PATCHES: readonly PatchEntry[] = [];

interface Explained {
  readonly violation: SeenViolation;
  readonly events: readonly Event[];
}

export interface LabViewProps {
  readonly lab: string;
  readonly event: Selected;
  /** 'off' for a person who came only to watch. */
  readonly hand: 'on' | 'off';
}

/** A lab on a screen: memory, time, who joins, and the hand on it. */
export function LabView({ lab, event, hand }: LabViewProps) {
  const feed = useLabFeed(lab);
  const source = useMemo(() => ({ history: () => feed.history }), [feed]);
  const { detail, act: actAtOnce } = useLabControl(lab, feed.control);
  const [patches] = useLoaded(serverApi.patches);
  const [tab, setTab] = useState<Tab>('drive');
  const [explained, setExplained] = useState<Explained | 'none'>('none');
  const isPresenter = usePresenter(lab);

  useToasts(feed);
  const select = (selected: Selected) =>
    goTo({ view: 'lab', lab, event: selected, hand }, 'replace');
  const barred = whyBarred(detail, isPresenter, hand);
  const act = (control: Control) => {
    if (barred === '') actAtOnce(control);
    else showToast(barred);
  };

  useKeys([
    {
      key: 'p',
      shown: 'P',
      does: 'pause and resume',
      run: () => {
        if (detail !== 'unknown') act({ action: detail.paused ? 'resume' : 'pause' });
      },
    },
    { key: 's', shown: 'S', does: 'one step', run: () => act({ action: 'step' }) },
    ...Array.from({ length: 9 }, (_, at) => ({
      key: String(at + 1),
      shown: at === 0 ? '1 … 9' : '',
      does: at === 0 ? 'this ready task goes next' : '',
      run: () => {
        const task = detail === 'unknown' ? undefined : detail.tasks[at];
        if (task?.ready === true) act({ action: 'step', task: task.id });
      },
    })),
    { key: 'u', shown: 'U', does: 'undo the last thing done', run: () => act({ action: 'undo' }) },
    { key: 'e', shown: 'E', does: 'explain the last violation', run: () => explainLast() },
    { key: 'c', shown: 'C', does: 'the console', run: () => goTo({ view: 'console', lab }) },
    { key: 'Escape', shown: 'Esc', does: 'close, or back to live', run: () => back() },
  ]);
  const explainAndShow = (violation: SeenViolation) => {
    setExplained(storyOf(feed, violation));
    select(violation.n);
  };
  const explainLast = () => {
    const last = feed.history.violations.at(-1);
    if (last === undefined) showToast('No rule was violated so far.');
    else explainAndShow(last);
  };
  const explainOther = (by: -1 | 1) => {
    if (explained === 'none') return;
    const { violations } = feed.history;
    const at = violations.findIndex(({ n }) => n === explained.violation.n);
    const other = violations[at + by];
    if (other !== undefined) explainAndShow(other);
  };
  const newest = feed.history.violations.at(-1);
  const newestBefore = useRef(newest);
  // biome-ignore lint/correctness/useExhaustiveDependencies: who looks at the newest is shown the next as it comes.
  useEffect(() => {
    const looksAt = explained === 'none' ? undefined : explained.violation;
    if (newest !== undefined && looksAt !== undefined && looksAt === newestBefore.current) {
      explainAndShow(newest);
    }
    newestBefore.current = newest;
  }, [newest]);
  const back = () => {
    if (explained === 'none') select('live');
    else setExplained('none');
  };

  if (feed.status.state === 'refused') return <LostLab lab={lab} status={feed.status} />;
  return (
    <div className={`page filled lab ${feed.live === 'live' ? '' : 'not-live'}`}>
      <TopBar>
        <LabTitle lab={lab} detail={detail} />
        <Violations history={feed.history} onExplain={explainLast} />
        <NotLive feed={feed} />
        <StatusChip status={feed.status} />
      </TopBar>
      <main className="stage">
        <h1 className="unseen">Lab {lab}</h1>
        <Stage source={source} selected={event} onSelect={select} milestones={[]} live="live" />
        <aside className="side" aria-label="Drive">
          <div className="tabs" role="tablist">
            {TABS.map((name) => (
              <button
                key={name}
                type="button"
                role="tab"
                id={`tab-${name}`}
                aria-selected={tab === name}
                aria-controls="tab-panel"
                onClick={() => setTab(name)}
              >
                {TAB_WORDS[name]}
              </button>
            ))}
          </div>
          <div
            className="tab"
            role="tabpanel"
            id="tab-panel"
            aria-labelledby={`tab-${tab}`}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it.
            tabIndex={0}
          >
            {event === 'live' || hand === 'off' ? null : (
              <FromHere lab={lab} event={event} act={act} select={select} barred={barred} />
            )}
            {detail === 'unknown' ? (
              <p className="working quiet">Asking how the lab is</p>
            ) : (
              <>
                {tab === 'drive' ? (
                  <ControlsPanel
                    detail={detail}
                    act={act}
                    patches={patches.state === 'there' ? patches.value.patches : NO_PATCHES}
                    vmas={feed.history.now.vmas}
                    barred={barred}
                    isPresenter={isPresenter}
                  />
                ) : null}
                {tab === 'legend' ? <LegendPanel /> : null}
              </>
            )}
            <LabDoors lab={lab} detail={detail} />
          </div>
        </aside>
        {explained === 'none' ? null : (
          <ExplainPanel
            violation={explained.violation}
            harm={feed.history.harmOf(explained.violation.n)}
            events={explained.events}
            place={feed.history.violations.findIndex(({ n }) => n === explained.violation.n) + 1}
            count={feed.history.violations.length}
            onOther={explainOther}
            onSelect={select}
            onClose={() => setExplained('none')}
          />
        )}
      </main>
    </div>
  );
}

interface ViolationsProps {
  readonly history: EventHistory;
  readonly onExplain: () => void;
}

/** How many rules were broken; loud once somebody was harmed by it. */
function Violations({ history: { violations, quiet }, onExplain }: ViolationsProps) {
  const count = violations.length;
  if (count === 0) return null;
  const harm = count - quiet.size;
  return (
    <button type="button" onClick={onExplain}>
      <span className={harm > 0 ? 'chip alarm' : 'quiet'}>✕ {harm > 0 ? harm : count}</span>{' '}
      <span className="spoken-narrow">{harm > 0 ? 'wrong' : 'broken, nobody harmed'}</span>
    </button>
  );
}

interface FromHereProps {
  readonly lab: string;
  readonly event: number;
  readonly act: (control: Control) => void;
  readonly select: (selected: Selected) => void;
  readonly barred: string;
}

/** From the moment that is looked at, another way; or every other way. */
function FromHere({ lab, event, act, select, barred }: FromHereProps) {
  const explore = async () => {
    try {
      const { run } = await serverApi.exploreFrom(lab, event);
      goTo({ view: 'run', id: run.id, question: 'none', event: 'end' });
    } catch (error) {
      showToast(sentenceOf(error));
    }
  };
  return (
    <section className="stack" aria-label="From here">
      <h2>From event {event}</h2>
      <p className="row">
        <button
          type="button"
          disabled={barred !== ''}
          onClick={() => {
            act({ action: 'undo', before: event + 1 });
            select('live');
          }}
        >
          ↶ Take the lab back to here
        </button>
        <button type="button" onClick={() => explore().catch(() => undefined)}>
          Explore from here
        </button>
      </p>
      <p className="quiet">
        Back: what came after it is undone, as far back as everybody stood still. Explore: what was
        done next, in every order.
      </p>
    </section>
  );
}

interface LabPartProps {
  readonly lab: string;
  readonly detail: LabDetail | 'unknown';
}

/** Its name, and which kernel runs. */
function LabTitle({ lab, detail }: LabPartProps) {
  return (
    <span className="spread">
      <strong>{lab}</strong>{' '}
      {detail === 'unknown' ? null : (
        <>
          <span className="chip">{detail.kernel}</span>
          <span className={detail.patch === 'stock' ? 'chip' : 'chip warn'}>{detail.patch}</span>{' '}
          <span className="chip code hide-narrow">{detail.code}</span>{' '}
          {detail.paused ? <span className="chip warn">❚❚ paused</span> : null}
        </>
      )}
    </span>
  );
}

/** The other views of the same lab. */
function LabDoors({ lab, detail }: LabPartProps) {
  return (
    <p className="row">
      <Link to={{ view: 'console', lab }} className="button">
        Console
      </Link>
      <Link to={{ view: 'stage', lab }} className="button">
        Stage
      </Link>
      <Link
        to={{ view: 'join', code: detail === 'unknown' ? lab : detail.code }}
        className="button"
      >
        Join
      </Link>
    </p>
  );
}

function storyOf(feed: LabFeed, violation: SeenViolation): Explained {
  const from = Math.min(violation.n - STORY_EVENTS_MAX, ...violation.cpuHistory);
  return { violation, events: feed.history.eventsFrom(from, violation.n) };
}

/** Why this page does not drive; empty if it may. */
function whyBarred(
  detail: LabDetail | 'unknown',
  role: 'presenter' | 'guest',
  hand: 'on' | 'off',
): string {
  if (hand === 'off') return 'You watch. Open the lab from the list of labs to drive it.';
  if (role === 'presenter' || detail === 'unknown' || !detail.locked) return '';
  return 'You watch. The presenter has locked the controls.';
}

function useToasts(feed: LabFeed): void {
  const { status, remark } = feed;
  const told = status.state === 'live' ? status.told : '';
  useEffect(() => showToast(told), [told]);
  useEffect(() => showToast(remark), [remark]);
}
