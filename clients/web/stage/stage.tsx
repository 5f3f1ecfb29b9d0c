import { useCallback, useRef, useState } from 'preact/hooks';
import { MemoryView } from '../memory/memory-view.tsx';
import { useKeys } from '../shell/keys.ts';
import { NO_FILTER, type TimelineFilter } from '../timeline/filter.ts';
import type { LaneGroup } from '../timeline/lane-group.ts';
import type { SceneMark } from '../timeline/timeline-scene.ts';
import { type TimelineCommands, TimelineView } from '../timeline/timeline-view.tsx';
import { FilterTools, toggled } from './filter-tools.tsx';
import { MomentStrip } from './moment-strip.tsx';
import { Scrubber } from './scrubber.tsx';
import { SHARE_AT_FIRST, Splitter } from './splitter.tsx';
import type { Selected, ViewSource } from './view-source.ts';

export interface StageProps {
  readonly source: ViewSource;
  readonly selected: Selected;
  readonly onSelect: (selected: Selected) => void;
  readonly milestones: readonly SceneMark[];
  /** What the button that ends time travel says; a run that is over has no such button. */
  readonly live: 'live' | 'over';
}

const ZOOM_STEP = 1.4;
const NO_MILESTONES: readonly SceneMark[] = [];

/** The two views of one moment: memory above, time below. */
export function Stage({ source, selected, onSelect, milestones, live }: StageProps) {
  const [pointed, setPointed] = useState('');
  const [stale, setStale] = useState(0);
  const [share, setShare] = useState(SHARE_AT_FIRST);
  const [filter, setFilter] = useState<TimelineFilter>(NO_FILTER);
  const commands = useRef<TimelineCommands | 'none'>('none');
  const search = useRef<HTMLInputElement>(null);
  const history = source.history();
  const model = selected === 'live' ? history.now : history.at(selected);
  const event = history.eventAt(selected === 'live' ? history.last : selected);

  const fold = (group: LaneGroup) =>
    setFilter((now) => ({ ...now, folded: toggled(now.folded, group) }));
  const step = useCallback(
    (by: number) => {
      const { first, last } = source.history();
      if (last === 0) return;
      const from = selected === 'live' ? last : selected;
      onSelect(Math.max(first, Math.min(last, from + by)));
    },
    [source, selected, onSelect],
  );
  const toViolation = (direction: 1 | -1) => {
    const { violations, last } = source.history();
    const fromLive = direction === 1 ? 0 : last + 1;
    const from = selected === 'live' ? fromLive : selected;
    const found =
      direction === 1
        ? violations.find(({ n }) => n > from)
        : violations.findLast(({ n }) => n < from);
    if (found !== undefined) onSelect(found.n);
  };
  const goLive = () => {
    onSelect('live');
    if (commands.current !== 'none') commands.current.follow();
  };
  const run = (name: 'zoom' | 'fit', factor: number) => {
    if (commands.current === 'none') return;
    if (name === 'zoom') commands.current.zoom(factor);
    else commands.current.fit();
  };

  useKeys([
    { key: 'ArrowLeft', shown: '←', does: 'the event before', run: () => step(-1) },
    { key: 'ArrowRight', shown: '→', does: 'the next event', run: () => step(1) },
    { key: 'Home', shown: 'Home', does: 'the first event', run: () => onSelect(history.first) },
    {
      key: 'End',
      shown: 'End',
      does: live === 'live' ? 'back to live' : 'the last event',
      run: () => (live === 'live' ? goLive() : onSelect(history.last)),
    },
    { key: 'v', shown: 'V', does: 'the next violation', run: () => toViolation(1) },
    { key: 'V', shown: 'Shift V', does: 'the violation before', run: () => toViolation(-1) },
    { key: '+', shown: '+', does: 'zoom in', run: () => run('zoom', ZOOM_STEP) },
    { key: '-', shown: '−', does: 'zoom out', run: () => run('zoom', 1 / ZOOM_STEP) },
    { key: '0', shown: '0', does: 'all events', run: () => run('fit', 1) },
    { key: '/', shown: '/', does: 'filter events', run: () => search.current?.focus() },
    { key: 'g', shown: 'G', does: 'all devices in one lane', run: () => fold('device') },
    {
      key: 'm',
      shown: 'M',
      does: 'to memory: arrows move, X finds stale cells',
      run: focus('memory'),
    },
    { key: 'l', shown: 'L', does: 'to the timeline: ↑ ↓ move lanes', run: focus('timeline') },
  ]);

  return (
    <div className="views" style={{ '--upper': `${share}fr`, '--lower': `${100 - share}fr` }}>
      <MemoryView source={source} selected={selected} onPoint={setPointed} onStale={setStale} />
      <Splitter share={share} onShare={setShare} />
      <MomentStrip selected={selected} event={event} model={model} pointed={pointed} stale={stale}>
        <div className="tools">
          <FilterTools
            filter={filter}
            onFilter={setFilter}
            onFold={fold}
            search={search}
            actors={history.actors}
          />
          <button type="button" onClick={() => run('zoom', 1 / ZOOM_STEP)} aria-label="Zoom out">
            −
          </button>
          <button type="button" onClick={() => run('zoom', ZOOM_STEP)} aria-label="Zoom in">
            +
          </button>
          <button type="button" onClick={() => run('fit', 1)}>
            All
          </button>
          <button type="button" onClick={() => step(-1)} aria-label="The event before">
            ◀
          </button>
          <button type="button" onClick={() => step(1)} aria-label="The next event">
            ▶
          </button>
          {live === 'live' ? (
            <button type="button" aria-pressed={selected === 'live'} onClick={goLive}>
              Live
            </button>
          ) : null}
        </div>
      </MomentStrip>
      <Scrubber source={source} selected={selected} onSelect={onSelect} />
      <TimelineView
        source={source}
        selected={selected}
        onSelect={onSelect}
        filter={filter}
        onFold={fold}
        milestones={milestones.length === 0 ? NO_MILESTONES : milestones}
        commands={commands}
      />
    </div>
  );
}

function focus(id: string): () => void {
  return () => document.getElementById(id)?.focus();
}
