import { useState } from 'preact/hooks';
import { hexAddress, pageIndex } from '../../../server/vocabulary/address.ts';
import { CPU_VERBS } from '../../agents/cpu-verbs.ts';
import { useRoom } from '../room/use-room.ts';
import { useNamedRoute } from './named-route.ts';
import { OutcomeScreen } from './outcome-screen.tsx';
import { OwnCells } from './own-cells.tsx';
import { PagePager, pagesOf } from './page-pager.tsx';
import { PlayerFrame } from './player-frame.tsx';
import { RoleCard } from './role-card.tsx';
import { TurnButton } from './turn-button.tsx';
import { useOutcome } from './use-outcome.ts';
import { usePlayer } from './use-player.ts';
import { asksOfPage, type VerbAsk, VerbButtons } from './verb-button.tsx';

const FIRST_VALUE = 0x70;
/** Where an empty lab gets its memory: the start of a page-table page. */
const FIRST_PAGE = 0x10_0200;
const PAGES_MAPPED = 8;

/** A CPU thread on a phone: load, store, map, unmap, throw away. */
export function CpuView({ lab, actor }: { readonly lab: string; readonly actor: string }) {
  const player = usePlayer(lab, actor, 'cpu');
  const room = useRoom(lab);
  const { feed } = room;
  useNamedRoute(player, 'cpu');
  const { outcome, close } = useOutcome(room, player.name);
  const { now: model } = feed.history;
  const pages = pagesOf(model.vmas);
  const [chosen, setChosen] = useState(-1);
  const [value, setValue] = useState(FIRST_VALUE);
  const page = pages.includes(chosen) ? chosen : (pages[0] ?? -1);
  const address = page < 0 ? '' : hexAddress(pageIndex(page));
  const isLive = player.status.state === 'live';
  const isReady = isLive && page >= 0;
  const hex = `0x${value.toString(16)}`;
  const region = { address, pages: 1 };
  const mapAt = hexAddress(pageIndex(freePage(model.vmas)));
  const asks = [
    { label: 'Load', what: `load ${address}`, params: { verb: 'load', address } },
    {
      label: `Store ${hex}`,
      what: `store ${hex} to ${address}`,
      params: { verb: 'store', address, value: hex },
    },
    {
      label: `Map ${PAGES_MAPPED} pages`,
      what: `map ${PAGES_MAPPED} pages at ${mapAt}`,
      params: {
        verb: 'mmap',
        address: mapAt,
        pages: PAGES_MAPPED,
        prot: 'rw',
        kind: 'anon-private',
      },
    },
    {
      label: 'Throw away',
      what: `throw ${address} away`,
      params: { verb: 'madvise', ...region, advice: 'DONTNEED' },
    },
  ] as const;
  const more = asksOfPage(CPU_VERBS, address, region).filter(
    ({ params }) => params.verb !== 'load' && params.verb !== 'exit',
  );
  const ask = ({ label, what = label, params }: VerbAsk) => {
    player.perform(what, params).catch(() => undefined);
    if ('value' in params) setValue(value + 1);
  };

  const freePlay = (
    <>
      <PagePager vmas={model.vmas} page={page} onPage={setChosen} />
      <div className="verbs">
        <VerbButtons asks={asks.slice(0, 2)} disabled={!isReady} onAsk={ask} />
        <VerbButtons asks={asks.slice(2, 3)} disabled={!isLive} onAsk={ask} />
        <VerbButtons asks={asks.slice(3)} disabled={!isReady} onAsk={ask} />
      </div>
    </>
  );
  if (outcome !== 'none') return <OutcomeScreen verdict={outcome} onClose={close} />;
  return (
    <PlayerFrame
      player={player}
      room={room}
      verbs={
        <>
          <TurnButton room={room} player={player} />
          {room.sheet === 'none' ? (
            freePlay
          ) : (
            <details className="free-play">
              <summary>Something else…</summary>
              {freePlay}
            </details>
          )}
        </>
      }
    >
      <RoleCard room={room} name={player.name} />
      {page < 0 ? <p className="note">No memory is mapped yet. Map some below.</p> : null}
      <OwnCells room={room} name={player.name} />
      <details>
        <summary>More calls</summary>
        <div className="row" style={{ marginTop: '0.6rem' }}>
          <VerbButtons asks={more} disabled={!isReady} onAsk={ask} size="small" />
        </div>
      </details>
    </PlayerFrame>
  );
}

function freePage(vmas: readonly { readonly end: number }[]): number {
  return Math.max(FIRST_PAGE, ...vmas.map(({ end }) => end));
}
