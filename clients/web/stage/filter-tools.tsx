import type { RefObject } from 'preact';
import { MARKS, type Mark } from '../model/event-marks.ts';
import { isFiltering, type TimelineFilter } from '../timeline/filter.ts';
import type { LaneGroup } from '../timeline/lane-group.ts';

const WORDS: { readonly [Name in Mark]: string } = {
  call: 'calls and returns',
  callback: 'questions to devices',
  entry: 'page table entries',
  access: 'reads and writes',
  fault: 'faults and signals',
  bracket: 'invalidations',
  lock: 'locks',
  frame: 'frames',
  life: 'who comes, what is mapped',
  violation: 'violations',
};

export interface FilterToolsProps {
  readonly filter: TimelineFilter;
  readonly onFilter: (filter: TimelineFilter) => void;
  readonly onFold: (group: LaneGroup) => void;
  readonly search: RefObject<HTMLInputElement>;
  readonly actors: readonly string[];
}

/** Which events the timeline shows: by words, by kind, by actor. */
export function FilterTools({ filter, onFilter, onFold, search, actors }: FilterToolsProps) {
  return (
    <>
      <input
        ref={search}
        type="search"
        value={filter.text}
        placeholder="Filter: words, 0xaddress"
        aria-label="Filter events"
        onInput={({ currentTarget }) => onFilter({ ...filter, text: currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      <details className="menu">
        <summary className="button">{isFiltering(filter) ? 'Kinds ●' : 'Kinds'}</summary>
        <div className="menu-body card stack">
          <fieldset>
            <legend>Kinds of events</legend>
            {MARKS.map((mark) => (
              <Choice
                key={mark}
                label={WORDS[mark]}
                shown={!filter.hiddenMarks.has(mark)}
                onToggle={() =>
                  onFilter({ ...filter, hiddenMarks: toggled(filter.hiddenMarks, mark) })
                }
              />
            ))}
          </fieldset>
          <fieldset>
            <legend>Lanes</legend>
            <Choice
              label="devices in one lane"
              shown={filter.folded.has('device')}
              onToggle={() => onFold('device')}
            />
            <Choice
              label="CPUs in one lane"
              shown={filter.folded.has('cpu')}
              onToggle={() => onFold('cpu')}
            />
            {actors.map((actor) => (
              <Choice
                key={actor}
                label={actor}
                shown={!filter.hiddenActors.has(actor)}
                onToggle={() =>
                  onFilter({ ...filter, hiddenActors: toggled(filter.hiddenActors, actor) })
                }
              />
            ))}
          </fieldset>
        </div>
      </details>
    </>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly shown: boolean;
  readonly onToggle: () => void;
}

function Choice({ label, shown, onToggle }: ChoiceProps) {
  return (
    <label className="choice">
      <input type="checkbox" checked={shown} onChange={onToggle} />
      {label}
    </label>
  );
}

export function toggled<T>(set: ReadonlySet<T>, value: T): Set<T> {
  const next = new Set(set);
  if (!next.delete(value)) next.add(value);
  return next;
}
