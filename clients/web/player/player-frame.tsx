import { type ReactNode, useEffect } from 'react';
import { LostLab } from '../lab/lost-lab.tsx';
import { StatusChip } from '../lab/status-chip.tsx';
import { Link } from '../shell/link.tsx';
import { showToast } from '../shell/toasts.tsx';
import { TopBar } from '../shell/top-bar.tsx';
import type { PlayedClient } from './player.ts';

export interface PlayerFrameProps {
  readonly player: PlayedClient;
  readonly children: ReactNode;
  /** What the thumb reaches. */
  readonly verbs: ReactNode;
}

/** A client in a hand: what one sees above, what one does below. */
export function PlayerFrame({ player, children, verbs }: PlayerFrameProps) {
  const { status, lab, name, role, heldAfter } = player;
  const told = status.state === 'live' ? status.told : '';
  useEffect(() => showToast(told), [told]);
  if (status.state === 'refused') return <LostLab lab={lab} why={status.why} />;
  const newest = player.actions.find(({ outcome }) => outcome !== 'news');
  return (
    <div className="page filled">
      <TopBar>
        <span className="spread">
          <strong>
            {role === 'cpu' ? '▢' : '○'} {name}
          </strong>{' '}
          <span className="quiet">in {lab}</span>
        </span>
        <StatusChip status={status} />
      </TopBar>
      <main className="hand">
        <div className="upper stack">
          <h1 className="unseen">
            {name}, a {role === 'cpu' ? 'CPU thread' : 'device'} in {lab}
          </h1>
          {children}
          <section aria-label="What happened to me">
            <h2>What happened to me</h2>
            <ol>
              {player.actions.map(({ id, what, outcome, result }) => (
                <li key={id}>
                  <span className={outcome === 'bad' ? 'chip alarm' : 'quiet'}>{what}</span>{' '}
                  <code>{result}</code>
                </li>
              ))}
            </ol>
            {player.actions.length === 0 ? <p className="quiet">Nothing yet.</p> : null}
          </section>
          <p>
            <Link to={{ view: 'lab', lab, event: 'live', hand: 'on' }}>Watch the lab</Link>
          </p>
        </div>
        <div className="thumb">
          {heldAfter === '' ? (
            <p
              className={`result ${newest === undefined ? '' : resultKind(newest.outcome)}`}
              role="status"
              data-testid="result"
            >
              {newest === undefined ? (
                <span className="quiet">What you do shows here.</span>
              ) : (
                <>
                  {newest.what}: <strong className="mono">{newest.result}</strong>
                </>
              )}
            </p>
          ) : (
            <p className="result row" role="status" data-testid="result">
              <span className="chip warn">❚❚ held</span> after <code>{heldAfter}</code>
              <button type="button" className="primary" onClick={() => player.go()}>
                Go on
              </button>
            </p>
          )}
          {verbs}
        </div>
      </main>
    </div>
  );
}

function resultKind(outcome: string): string {
  if (outcome === 'good') return 'good';
  return outcome === 'bad' ? 'alarm' : '';
}
