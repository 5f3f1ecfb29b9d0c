import { useState } from 'preact/hooks';
import type { Control } from '../../../server/protocol/http-api.ts';
import { LostLab } from '../lab/lost-lab.tsx';
import { StatusChip } from '../lab/status-chip.tsx';
import { wideLayout } from '../picture/layout.ts';
import { Picture } from '../picture/picture.tsx';
import { sentenceOf, serverApi } from '../server-api.ts';
import { useKeys } from '../shell/keys.ts';
import { Link } from '../shell/link.tsx';
import { keepPresenterToken, presenterToken } from '../shell/memory.ts';
import { goTo } from '../shell/navigation.ts';
import { showToast } from '../shell/toasts.tsx';
import { TopBar } from '../shell/top-bar.tsx';
import { HoldButton } from './hold-button.tsx';
import { JoinAddress } from './join-address.tsx';
import { NotLive } from './not-live.tsx';
import { PeopleList } from './people-list.tsx';
import { RunSheetPanel } from './run-sheet-panel.tsx';
import { usePresenter } from './use-presenter.ts';
import { type Room, useRoom } from './use-room.ts';
import { VerdictLine } from './verdict-line.tsx';
import { WhoGoesNext } from './who-goes-next.tsx';
import './console.css';

/** The presenter's own screen: what to say and press next, and who is gone. */
export function ConsoleView({ lab }: { readonly lab: string }) {
  const room = useRoom(lab);
  const isPresenter = usePresenter(lab);
  const { feed, detail, sheet, verdict } = room;
  const barred =
    isPresenter === 'presenter' || (detail !== 'unknown' && !detail.locked)
      ? ''
      : 'You watch. The presenter has locked the controls.';
  const act = (control: Control) => {
    if (barred === '') room.act(control);
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
    { key: 'u', shown: 'U', does: 'undo the last thing done', run: () => act({ action: 'undo' }) },
  ]);
  if (feed.status.state === 'refused') return <LostLab lab={lab} status={feed.status} />;
  if (detail === 'unknown') return <p className="working quiet">Asking how the lab is</p>;
  const isStock = detail.patch === 'stock';
  const other = isStock ? 'remove-second-invalidate' : 'stock';
  const showsCode = feed.control !== 'unknown' && feed.control.shows === 'code';
  return (
    <div className={`page filled console ${feed.live === 'live' ? '' : 'not-live'}`}>
      <TopBar>
        <span className="spread">
          <strong>{sheet === 'none' ? lab : sheet.title}</strong>{' '}
          <span className="code">{detail.code}</span>{' '}
          <span className={isStock ? 'chip' : 'chip warn'}>{detail.patch}</span>{' '}
          {detail.paused ? <span className="chip warn">❚❚ paused</span> : null}
        </span>
        <a className="button" href={`/lab/${encodeURIComponent(lab)}/stage`} target="mmrace-stage">
          Open the stage
        </a>
        <button
          type="button"
          aria-pressed={showsCode}
          onClick={() => act({ action: 'show', what: showsCode ? 'race' : 'code' })}
        >
          Code, full screen
        </button>
        <button type="button" onClick={() => act({ action: 'patch', patch: other })}>
          Again, with {isStock ? 'the patch' : 'stock'}
        </button>
        <NotLive feed={feed} />
        <StatusChip status={feed.status} />
      </TopBar>
      <main>
        <h1 className="unseen">Console of {lab}</h1>
        <RunSheetPanel room={room} act={act} />
        <section className="middle" aria-label="The stage and who goes next">
          <h2>What the stage shows</h2>
          <Preview room={room} />
          {verdict === 'none' ? null : <VerdictLine verdict={verdict} called={room.called} />}
          <p className="row">
            <button
              type="button"
              onClick={() => act({ action: detail.paused ? 'resume' : 'pause' })}
            >
              {detail.paused ? '▶ Resume' : '❚❚ Pause everybody'}
            </button>
            <button type="button" onClick={() => act({ action: 'undo' })}>
              ↶ Undo
            </button>
            <button type="button" onClick={() => act({ action: 'restart' })}>
              Begin anew
            </button>
            <Link to={{ view: 'break', level: '', moves: '', room: lab }} className="button">
              Break it together
            </Link>
            <Link to={{ view: 'lab', lab, event: 'live', hand: 'on' }} className="button">
              Memory and time, in detail
            </Link>
          </p>
          <WhoGoesNext room={room} act={act} />
        </section>
        <section className="people" aria-label="Who is here">
          <PeopleList room={room} act={act} />
          <JoinAddress detail={detail} />
          <CloseLab room={room} lab={lab} />
        </section>
      </main>
    </div>
  );
}

function Preview({ room }: { readonly room: Room }) {
  const { moment, sweep, feed } = room;
  if (moment === 'none') return <p className="quiet">No memory is mapped yet.</p>;
  return (
    <div className="preview">
      <Picture
        moment={moment}
        layout={wideLayout(moment, { width: 1_000, height: 360 })}
        sweep={sweep}
        machine={String(feed.beginnings)}
        called={room.called}
      />
    </div>
  );
}

/** Held down, so that no slip of a finger ends a show. */
function CloseLab({ lab }: { readonly room: Room; readonly lab: string }) {
  const [trouble, setTrouble] = useState('');
  const close = async () => {
    try {
      await serverApi.closeLab(lab, presenterToken(lab));
      keepPresenterToken(lab, '');
      goTo({ view: 'home' });
    } catch (error) {
      setTrouble(sentenceOf(error));
    }
  };
  if (presenterToken(lab) === '') return null;
  return (
    <div className="stack">
      <HoldButton onHeld={() => close().catch(() => undefined)}>Close the lab: hold 2 s</HoldButton>
      {trouble === '' ? null : <p className="note alarm">{trouble}</p>}
    </div>
  );
}
