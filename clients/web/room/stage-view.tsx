import { LostLab } from '../lab/lost-lab.tsx';
import { wideLayout } from '../picture/layout.ts';
import { Picture } from '../picture/picture.tsx';
import { useKeys } from '../shell/keys.ts';
import { presenterToken } from '../shell/memory.ts';
import { CueLine } from './cue-line.tsx';
import { JoinPoster } from './join-poster.tsx';
import { NotLive } from './not-live.tsx';
import { useBox } from './use-box.ts';
import { type Room, useRoom } from './use-room.ts';
import { VerdictLine } from './verdict-line.tsx';
import './room.css';

/** Tiles that fit in a row from 1024 pixels on; more are a number. */
const TILES_MAX = 20;

/** What the projector shows: no controls, the code always, and nothing over the memory. */
export function StageView({ lab }: { readonly lab: string }) {
  const room = useRoom(lab);
  const { detail, feed, act, sheet, moment, verdict, called } = room;
  const shows = shownOn(room);
  useKeys([
    {
      key: 'j',
      shown: 'J',
      does: 'the code, full screen',
      run: () => {
        if (presenterToken(lab) !== '')
          act({ action: 'show', what: shows === 'code' ? 'race' : 'code' });
      },
    },
    {
      key: 'f',
      shown: 'F',
      does: 'full screen',
      run: () => {
        document.documentElement.requestFullscreen?.().catch(() => undefined);
      },
    },
  ]);
  if (feed.status.state === 'refused') return <LostLab lab={lab} status={feed.status} />;
  if (detail === 'unknown') return <main className="stage-view" aria-busy="true" />;
  const isStock = detail.patch === 'stock';
  return (
    <main className={`stage-view ${feed.live === 'live' ? '' : 'not-live'}`}>
      <header>
        <h1>{sheet === 'none' ? detail.name : sheet.title}</h1>
        <p className="kernel-name">{isStock ? 'stock kernel' : detail.patch}</p>
        <p className="join">
          join <b className="code">{detail.code}</b>
          <span>
            {detail.actors.length} here · {location.host}
          </span>
        </p>
      </header>
      {shows === 'code' ? (
        <JoinPoster detail={detail} />
      ) : (
        <>
          {verdict === 'none' ? (
            <CueLine room={room} />
          ) : (
            <VerdictLine verdict={verdict} called={called} />
          )}
          <Memory room={room} />
          <footer>
            {moment === 'none' ? null : (
              <>
                <span>{footWords(room)}</span>
                <span className="tiles">
                  {moment.others.slice(0, TILES_MAX).map(({ name, state }) => (
                    <i key={name} className={state} title={called(name)}>
                      {shortName(name)}
                    </i>
                  ))}
                </span>
              </>
            )}
          </footer>
        </>
      )}
      <NotLive feed={feed} />
    </main>
  );
}

/** Before anybody is there the stage says how to come. */
function shownOn({ feed, detail }: Room): 'race' | 'code' {
  if (feed.control !== 'unknown' && feed.control.shows === 'code') return 'code';
  const devices = detail === 'unknown' ? [] : detail.actors.filter(({ role }) => role === 'device');
  return devices.length === 0 ? 'code' : 'race';
}

function Memory({ room }: { readonly room: Room }) {
  const [element, box] = useBox<HTMLDivElement>();
  const { moment, sweep, cue, cast, verdict, feed, called } = room;
  const unit = Math.min(innerHeight / 720, innerWidth / 1080);
  const actor = cue.now === 'none' ? undefined : cast.get(cue.now.role);
  const size = { width: box.width / unit, height: box.height / unit };
  return (
    <div className="memory" ref={element}>
      {moment === 'none' ? <p className="empty">No memory is mapped yet.</p> : null}
      {moment === 'none' || box.width === 0 ? null : (
        <Picture
          moment={moment}
          layout={wideLayout(moment, size)}
          sweep={sweep}
          machine={String(feed.beginnings)}
          called={called}
          {...(actor === undefined || cue.now === 'none' || verdict !== 'none'
            ? {}
            : { acting: { actor, words: cue.now.button } })}
        />
      )}
    </div>
  );
}

function footWords({ moment }: Room): string {
  if (moment === 'none') return '';
  const racing = moment.cells.length - 1;
  const rest = moment.others.length;
  return rest === 0 ? `${racing} race` : `${racing} race · ${rest} more`;
}

/** `gpu12` is 12 among many. */
function shortName(name: string): string {
  return /\d+$/.exec(name)?.[0] ?? name.slice(0, 3);
}
