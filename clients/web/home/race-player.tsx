import { useEffect, useMemo, useState } from 'preact/hooks';
import { panelLayout } from '../picture/layout.ts';
import { Picture } from '../picture/picture.tsx';
import { useAppearance } from '../shell/appearance.ts';
import { useKeys } from '../shell/keys.ts';
import { type Beat, beatsOf, type SideBeat } from './beats.ts';
import type { RecordedRace } from './recorded-race.ts';

/** The race, playing by itself, on two kernels: `race` is what a server has seen, not a drawing made by hand. */
export function RacePlayer({ race }: { readonly race: RecordedRace }) {
  const beats = useMemo(() => beatsOf(race), [race]);
  const { motion } = useAppearance();
  const last = beats.length - 1;
  const [at, setAt] = useState(motion === 'reduced' ? last : 0);
  const [playing, setPlaying] = useState<'playing' | 'standing'>(
    motion === 'reduced' ? 'standing' : 'playing',
  );
  const beat = beats[at] as Beat;
  useEffect(() => {
    if (playing === 'standing') return;
    const timer = setTimeout(() => setAt((before) => (before + 1) % beats.length), beat.ms);
    return () => clearTimeout(timer);
  }, [playing, beat, beats]);
  const stand = (next: number) => {
    setPlaying('standing');
    setAt(Math.min(last, Math.max(0, next)));
  };
  const toggle = () => setPlaying(playing === 'playing' ? 'standing' : 'playing');
  useKeys([
    { key: ' ', shown: 'space', does: 'play and pause', run: toggle },
    { key: 'ArrowLeft', shown: '←', does: 'a beat back', run: () => stand(at - 1) },
    { key: 'ArrowRight', shown: '→', does: 'a beat on', run: () => stand(at + 1) },
  ]);
  return (
    <section className="race" aria-label="The race on two kernels">
      <p className="say" aria-live={playing === 'playing' ? 'off' : 'polite'}>
        <b>
          {at + 1}/{beats.length}
        </b>
        <span>{beat.says}</span>
      </p>
      <div className="two">
        <Side title="Stock kernel" note="sweeps twice" beat={beat} side={beat.stock} />
        <p className={`equals ${beat.differs ? 'differ' : ''}`} aria-hidden="true">
          {beat.differs ? '≠' : '='}
        </p>
        <Side title="Patched kernel" note="second sweep removed" beat={beat} side={beat.patched} />
      </div>
      <nav className="beats" aria-label="The beats of the race">
        <button type="button" className="primary" onClick={toggle}>
          {playing === 'playing' ? 'Pause' : 'Play'}
        </button>
        <button type="button" onClick={() => stand(at - 1)} disabled={at === 0}>
          Back
        </button>
        <button type="button" onClick={() => stand(at + 1)} disabled={at === last}>
          Step
        </button>
        <ol>
          {beats.map(({ name, says, differs }, place) => (
            <li key={says} className={place < at ? 'past' : ''}>
              <button
                type="button"
                aria-current={place === at ? 'step' : undefined}
                onClick={() => stand(place)}
              >
                {name}
                {differs && beats[place - 1]?.differs === false ? <em> ≠</em> : null}
              </button>
            </li>
          ))}
        </ol>
      </nav>
    </section>
  );
}

interface SideProps {
  readonly title: string;
  readonly note: string;
  readonly beat: Beat;
  readonly side: SideBeat;
}

function Side({ title, note, beat, side }: SideProps) {
  const { moment, sweep, verdict } = side;
  const reader = moment.cells.at(-1)?.actor ?? '';
  return (
    <section className="kernel" aria-label={title}>
      <h2>
        {title} <code>{note}</code>
      </h2>
      <Picture
        moment={moment}
        layout={panelLayout(moment)}
        sweep={sweep}
        {...(beat.acting === 'none' ? {} : { acting: beat.acting })}
      />
      <div className={`read ${verdict === 'none' ? '' : verdict.is}`}>
        <span>{reader} reads</span>
        <output>{verdict === 'none' ? '0x??' : verdict.read}</output>
        {verdict === 'none' ? null : (
          <span className="note-line">
            {verdict.is === 'right'
              ? `✓ what ${verdict.writer} wrote`
              : `✕ ${verdict.writer} wrote ${verdict.wrote}, and ${verdict.reader} was not told`}
          </span>
        )}
      </div>
    </section>
  );
}
