import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { LabLed } from '../../../server/protocol/lab-control.ts';
import { LostLab } from '../lab/lost-lab.tsx';
import { StatusChip } from '../lab/status-chip.tsx';
import { NotLive } from '../room/not-live.tsx';
import type { Room } from '../room/use-room.ts';
import { Link } from '../shell/link.tsx';
import { presenterToken } from '../shell/memory.ts';
import { goTo } from '../shell/navigation.ts';
import { showToast } from '../shell/toasts.tsx';
import type { PlayedAction, PlayedClient } from './player.ts';
import { leaveLab } from './players.ts';
import './player.css';

export interface PlayerFrameProps {
  readonly player: PlayedClient;
  readonly room: Room;
  readonly children: ComponentChildren;
  /** What the thumb reaches. */
  readonly verbs: ComponentChildren;
}

/** A client in a hand: what one sees above, what one does below. */
export function PlayerFrame({ player, room, children, verbs }: PlayerFrameProps) {
  const { status, lab, name } = player;
  const told = status.state === 'live' ? status.told : '';
  useEffect(() => showToast(told), [told]);
  const isSeen = useSeen(player, room);
  if (status.state === 'refused') return <LostLab lab={lab} status={status} />;
  const leave = async () => {
    await leaveLab(player);
    goTo({ view: 'home' });
  };
  const code = room.detail === 'unknown' ? lab : room.detail.code;
  const isLate = status.state === 'live' && room.feed.live === 'late';
  return (
    <div
      className={`page filled player ${room.feed.live === 'live' && status.state === 'live' ? '' : 'not-live'}`}
    >
      <header className="player-top">
        <h1>
          {name === 'auto' ? '…' : room.called(name)} <span className="quiet">in {code}</span>
        </h1>
        {isLate ? (
          <span className="chip warn">◌ no connection</span>
        ) : (
          <StatusChip status={status} />
        )}
        <NotLive feed={room.feed} />
      </header>
      {isSeen ? (
        <main className="hand">
          <div className="upper stack">
            {children}
            <section aria-label="What happened to me" className="log">
              <ol>
                {player.actions.slice(0, 6).map(({ id, what, outcome, result }) => (
                  <li key={id}>
                    <span className={outcome === 'bad' ? 'chip alarm' : 'quiet'}>{what}</span>{' '}
                    <code>{result}</code>
                  </li>
                ))}
              </ol>
            </section>
            <p className="row">
              <Link to={{ view: 'lab', lab, event: 'live', hand: 'on' }} className="button">
                Watch the lab
              </Link>
              <button type="button" onClick={() => leave().catch(() => undefined)}>
                Leave for good
              </button>
            </p>
          </div>
          <div className="thumb">
            <Standing player={player} room={room} />
            {verbs}
          </div>
        </main>
      ) : (
        <main className="hand" aria-busy="true" />
      )}
    </div>
  );
}

/**
 * Returns: true from when all that this page is about is there: the lab, how it is driven, and this client in it.
 * What was drawn of a part would move under the thumb when the rest comes.
 */
function useSeen({ name }: PlayedClient, { feed, detail }: Room): boolean {
  const seen = useRef(false);
  const isWhole = feed.beginnings > 0 && feed.control !== 'unknown' && detail !== 'unknown';
  seen.current ||= isWhole && feed.history.now.actors.has(name);
  return seen.current;
}

/** What came of the last press, or why nothing moves. */
function Standing({ player, room }: { readonly player: PlayedClient; readonly room: Room }) {
  const { heldAfter, actions, lab } = player;
  const { detail } = room;
  if (heldAfter !== '') {
    const may =
      player.heldBy === 'self' ||
      (detail !== 'unknown' && !detail.locked) ||
      presenterToken(lab) !== '';
    return (
      <p className="result warn" role="status" data-testid="result">
        <strong>❚❚ held{player.heldBy === 'self' ? '' : ': the presenter holds you here'}</strong>{' '}
        <span>after {heldAfter}()</span>
        {may ? (
          <button type="button" className="primary" onClick={() => player.go()}>
            Go on
          </button>
        ) : null}
      </p>
    );
  }
  const isPaused = detail !== 'unknown' && detail.paused && room.led === 'none';
  const standsAt = room.led === 'none' ? undefined : heldAt(room.led, player.name);
  const newest = actions.find(({ outcome }) => outcome !== 'news');
  return (
    <p className={`result ${kindOf(newest)}`} role="status" data-testid="result">
      {newest === undefined ? (
        <span className="quiet">What you do shows here.</span>
      ) : (
        <>
          {newest.what}: <strong className="mono">{newest.result}</strong>
        </>
      )}
      {standsAt === undefined ? null : (
        <span className="paused">❚❚ The cue holds you: {standsAt}</span>
      )}
      {isPaused ? <span className="paused">❚❚ The presenter has paused the lab.</span> : null}
    </p>
  );
}

function heldAt({ held }: LabLed, name: string): string | undefined {
  return held.find(({ actor }) => actor === name)?.at;
}

function kindOf(newest: PlayedAction | undefined): string {
  if (newest?.outcome === 'good') return 'good';
  return newest?.outcome === 'bad' ? 'alarm' : '';
}
