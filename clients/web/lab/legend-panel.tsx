import type { Tone } from '../memory/cell-face.ts';
import { useAppearance } from '../shell/appearance.ts';
import { GLOSSARY } from '../shell/glossary.ts';

const TONES: readonly (readonly [tone: Tone, glyph: string, words: string])[] = [
  ['present', '■', 'a frame of memory'],
  ['zero', '0', 'the zero page'],
  ['migration', '⇄', 'migration entry'],
  ['private', '▲', "a device's own memory"],
  ['exclusive', '◆', 'exclusive to a device'],
  ['swap', '⇣', 'swapped out'],
  ['poison', '✕', 'poison: lost'],
];

const MARKS: readonly (readonly [sign: string, words: string])[] = [
  ['●', 'call and return'],
  ['▼', 'a device is asked, and answers'],
  ['■', "the CPU's entry changes"],
  ['□', "a device's entry changes"],
  ['◆', 'write'],
  ['◇', 'read'],
  ['▲', 'fault'],
  ['✕', 'violation'],
  ['○', 'a client comes or goes, memory is mapped'],
];

/** What the signs of both views mean. Each has a shape besides its colour. */
export function LegendPanel() {
  const { palette } = useAppearance();
  return (
    <div className="stack">
      <h2>In memory</h2>
      <div className="legend">
        {TONES.map(([tone, glyph, words]) => {
          const { fill, edge } = palette.tones[tone];
          const color = tone === 'poison' ? palette.ground : palette.ink;
          return (
            <span key={tone}>
              <i style={{ background: fill, borderColor: edge, color }}>{glyph}</i>
              {words}
            </span>
          );
        })}
        <span>
          <i style={{ borderColor: palette.alarm, borderStyle: 'dashed' }}>!</i>
          torn frame, STALE
        </span>
        <span>
          <i style={{ border: 0, color: palette.bracket, fontSize: '1.2rem' }}>[</i>
          invalidation in flight
        </span>
      </div>
      <p className="quiet">
        r read, rw read and write, x exclusive. Point at a cell: every place that maps the same
        frame is framed.
      </p>
      <h2>In time</h2>
      <div className="legend">
        {MARKS.map(([sign, words]) => (
          <span key={sign}>
            <i style={{ border: 0, fontSize: '1rem' }}>{sign}</i>
            {words}
          </span>
        ))}
      </div>
      <p className="quiet">
        Bars above a lane's line are calls, bars below it are locks, what lies behind it is a
        migration. Brackets in the kernel's lane are invalidations; one without a right edge has not
        ended.
      </p>
      <h2>Words</h2>
      <dl className="words">
        {Object.entries(GLOSSARY).map(([word, meaning]) => (
          <div key={word}>
            <dt>{word}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p>
        <a href="/guide/PAGE.md">The page, explained</a> · <a href="/guide/SPEC.md">the rules</a> ·{' '}
        <a href="/guide/TUTORIAL.md">from the beginning</a>
      </p>
    </div>
  );
}
