import { useState } from 'react';
import { hexAddress, pageIndex } from '../../../server/vocabulary/address.ts';
import { useLabFeed } from '../lab/use-lab-feed.ts';
import { faceWords, pteFace } from '../memory/cell-face.ts';
import { PagePager, pagesOf } from './page-pager.tsx';
import { PlayerFrame } from './player-frame.tsx';
import { usePlayer } from './use-player.ts';

const FIRST_VALUE = 0x70;
/** Where an empty lab gets its memory: the start of a page-table page. */
const FIRST_PAGE = 0x10_0200;
const PAGES_MAPPED = 8;

/** A CPU thread on a phone: load, store, map, unmap, throw away. */
export function CpuView({ lab, actor }: { readonly lab: string; readonly actor: string }) {
  const player = usePlayer(lab, actor, 'cpu');
  const feed = useLabFeed(lab);
  const { now: model } = feed.history;
  const pages = pagesOf(model.vmas);
  const [chosen, setChosen] = useState(-1);
  const [value, setValue] = useState(FIRST_VALUE);
  const page = pages.includes(chosen) ? chosen : (pages[0] ?? -1);
  const address = page < 0 ? '' : hexAddress(pageIndex(page));
  const isLive = player.status.state === 'live';
  const isReady = isLive && page >= 0;
  const hex = `0x${value.toString(16)}`;
  const perform = (
    what: string,
    params: { readonly verb: string; readonly [key: string]: unknown },
  ) => {
    player.perform(what, params).catch(() => undefined);
  };
  const region = { address, pages: 1 };
  const mapAt = hexAddress(pageIndex(freePage(model.vmas)));

  return (
    <PlayerFrame
      player={player}
      verbs={
        <>
          <PagePager vmas={model.vmas} page={page} onPage={setChosen} />
          <div className="verbs">
            <button
              type="button"
              disabled={!isReady}
              onClick={() => perform(`load ${address}`, { verb: 'load', address })}
            >
              Load
            </button>
            <button
              type="button"
              disabled={!isReady}
              onClick={() => {
                perform(`store ${hex} to ${address}`, { verb: 'store', address, value: hex });
                setValue(value + 1);
              }}
            >
              Store {hex}
            </button>
            <button
              type="button"
              disabled={!isLive}
              onClick={() =>
                perform(`map ${PAGES_MAPPED} pages at ${mapAt}`, {
                  verb: 'mmap',
                  address: mapAt,
                  pages: PAGES_MAPPED,
                  prot: 'rw',
                  kind: 'anon-private',
                })
              }
            >
              Map {PAGES_MAPPED} pages
            </button>
            <button
              type="button"
              disabled={!isReady}
              onClick={() =>
                perform(`throw ${address} away`, { verb: 'madvise', ...region, advice: 'DONTNEED' })
              }
            >
              Throw away
            </button>
          </div>
        </>
      }
    >
      {page < 0 ? <p className="note">No memory is mapped yet. Map some below.</p> : null}
      <section aria-label="This page">
        <h2>Page {address}</h2>
        <div className="facts">
          <div className="fact" style={{ borderLeftColor: 'var(--cpu)' }}>
            <p>The CPU's entry</p>
            <p className="value" data-testid="cpu-entry">
              {faceWords(pteFace(model.cpu.get(0)?.get(page)))}
            </p>
          </div>
          <div className="fact">
            <p>Mapped memory</p>
            <p className="value">{pages.length} pages</p>
          </div>
        </div>
      </section>
      <details>
        <summary>More calls</summary>
        <div className="row" style={{ marginTop: '0.6rem' }}>
          <button
            type="button"
            className="small"
            disabled={!isReady}
            onClick={() => perform(`munmap ${address}`, { verb: 'munmap', ...region })}
          >
            munmap
          </button>
          <button
            type="button"
            className="small"
            disabled={!isReady}
            onClick={() =>
              perform(`mprotect ${address} r`, { verb: 'mprotect', ...region, prot: 'r' })
            }
          >
            mprotect r
          </button>
          <button
            type="button"
            className="small"
            disabled={!isReady}
            onClick={() =>
              perform(`mprotect ${address} rw`, { verb: 'mprotect', ...region, prot: 'rw' })
            }
          >
            mprotect rw
          </button>
        </div>
      </details>
    </PlayerFrame>
  );
}

function freePage(vmas: readonly { readonly end: number }[]): number {
  return Math.max(FIRST_PAGE, ...vmas.map(({ end }) => end));
}
