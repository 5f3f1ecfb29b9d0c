import { useEffect, useRef, useState } from 'preact/hooks';
import { useKeys } from '../shell/keys.ts';
import type { Selected, ViewSource } from './view-source.ts';

const SPEEDS = [1, 4, 16, 64] as const;

export interface ScrubberProps {
  readonly source: ViewSource;
  readonly selected: Selected;
  readonly onSelect: (selected: Selected) => void;
}

/** All of the history in one line: where one is, what went wrong, what is pinned; and it plays from there. */
export function Scrubber({ source, selected, onSelect }: ScrubberProps) {
  const [speed, setSpeed] = useState<number>(4);
  const [playing, setPlaying] = useState(false);
  const [pins, setPins] = useState<readonly number[]>([]);
  const { first, last, violations, quiet } = source.history();
  const at = selected === 'live' ? last : selected;
  const now = useRef(at);
  now.current = at;

  useEffect(() => {
    if (!playing) return undefined;
    const timer = setInterval(() => {
      const { last: end } = source.history();
      if (now.current >= end) setPlaying(false);
      else onSelect(now.current + 1);
    }, 1_000 / speed);
    return () => clearInterval(timer);
  }, [playing, speed, source, onSelect]);

  const toggle = () => {
    if (last === 0) return;
    // From the end it begins again.
    if (!playing && at >= last) onSelect(first);
    setPlaying(!playing);
  };
  const pin = () =>
    setPins(
      pins.includes(at) ? pins.filter((n) => n !== at) : [...pins, at].toSorted((a, b) => a - b),
    );
  const toPin = (direction: 1 | -1) => {
    const found = direction === 1 ? pins.find((n) => n > at) : pins.findLast((n) => n < at);
    if (found !== undefined) onSelect(found);
  };
  useKeys([
    { key: ' ', shown: 'space', does: 'play the events, and pause', run: toggle },
    { key: '*', shown: '*', does: 'pin this event, or no longer', run: pin },
    { key: ']', shown: ']', does: 'the next pinned event', run: () => toPin(1) },
    { key: '[', shown: '[', does: 'the pinned event before', run: () => toPin(-1) },
  ]);

  const share = (n: number) => `${(100 * (n - first)) / Math.max(1, last - first)}%`;
  return (
    <div className="scrubber">
      <button
        type="button"
        onClick={toggle}
        aria-label={playing ? 'Pause the events' : 'Play the events'}
      >
        {playing ? '❚❚' : '▶▶'}
      </button>
      <select
        aria-label="Events a second"
        value={speed}
        onChange={({ currentTarget }) => setSpeed(Number(currentTarget.value))}
      >
        {SPEEDS.map((each) => (
          <option key={each} value={each}>
            {each} a second
          </option>
        ))}
      </select>
      <div className="track">
        <input
          type="range"
          min={first}
          max={Math.max(first, last)}
          disabled={last === 0}
          value={at}
          aria-label="The event that is looked at"
          aria-valuetext={`event ${at} of ${last}`}
          onInput={({ currentTarget }) => {
            setPlaying(false);
            onSelect(Number(currentTarget.value));
          }}
        />
        {violations.map(({ n }) => (
          <i
            key={`violation ${n}`}
            className={quiet.has(n) ? 'quieter' : 'wrong'}
            style={{ left: share(n) }}
          />
        ))}
        {pins.map((n) => (
          <i key={`pin ${n}`} className="pin" style={{ left: share(n) }} />
        ))}
      </div>
      <button type="button" aria-pressed={pins.includes(at)} onClick={pin}>
        Pin
      </button>
    </div>
  );
}
