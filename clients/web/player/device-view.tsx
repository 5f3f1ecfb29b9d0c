import { useEffect, useState } from 'react';
import { hexAddress, pageIndex } from '../../../server/vocabulary/address.ts';
import { DEVICE_VERBS } from '../../agents/device-verbs.ts';
import { useLabFeed } from '../lab/use-lab-feed.ts';
import { faceWords, pteFace } from '../memory/cell-face.ts';
import { coherenceOf } from '../model/coherence.ts';
import { entryWords, OwnPageTable } from './own-page-table.tsx';
import { PagePager, pagesOf } from './page-pager.tsx';
import { PlayerFrame } from './player-frame.tsx';
import { usePlayer } from './use-player.ts';
import { asksOfPage, type VerbAsk, VerbButtons } from './verb-button.tsx';

/** Unlike zero, so that a stale zero shows. */
const FIRST_VALUE = 0x2a;
const STEPS: ReadonlySet<string> = new Set(['setup', 'copy', 'pages', 'map', 'finalize']);

/** A device on a phone: read, write, migrate here, migrate back, and what my page table holds. */
export function DeviceView({ lab, actor }: { readonly lab: string; readonly actor: string }) {
  const player = usePlayer(lab, actor, 'device');
  const feed = useLabFeed(lab);
  const { now: model } = feed.history;
  const pages = pagesOf(model.vmas);
  const [chosen, setChosen] = useState(-1);
  const [value, setValue] = useState(FIRST_VALUE);
  const page = pages.includes(chosen) ? chosen : (pages[0] ?? -1);
  const { last } = feed.history;
  // biome-ignore lint/correctness/useExhaustiveDependencies: after each event the table may be another.
  useEffect(() => player.refreshTable(), [player, last, player.status.state]);

  const where = page < 0 ? '' : hexAddress(pageIndex(page));
  const range = { first: page, end: page + 1 };
  const isReady = player.status.state === 'live' && page >= 0;
  const pte = model.cpu.get(0)?.get(page);
  const mine = player.table.get(page);
  const isStale = coherenceOf(model, actor, page) === 'stale';
  const hex = `0x${value.toString(16)}`;
  const asks = [
    { label: 'Read', what: `read ${where}`, params: { verb: 'read', range } },
    {
      label: `Write ${hex}`,
      what: `write ${hex} to ${where}`,
      params: { verb: 'write', range, values: [hex] },
    },
    {
      label: 'Migrate here',
      what: `migrate ${where} here`,
      params: { verb: 'migrate-to-dev', range },
    },
    {
      label: 'Migrate back',
      what: `migrate ${where} back`,
      params: { verb: 'migrate-to-sys', range },
    },
  ] as const;
  const more = asksOfPage(DEVICE_VERBS, where, { range });
  const steps = more.filter(({ params }) => STEPS.has(params.verb));
  const others = more.filter(
    ({ params }) => !STEPS.has(params.verb) && asks.every((ask) => ask.params.verb !== params.verb),
  );
  const ask = ({ label, what = label, params }: VerbAsk) => {
    player.perform(what, params).catch(() => undefined);
    if ('values' in params) setValue(value + 1);
  };

  return (
    <PlayerFrame
      player={player}
      verbs={
        <>
          <PagePager vmas={model.vmas} page={page} onPage={setChosen} />
          <div className="verbs">
            <VerbButtons asks={asks} disabled={!isReady} onAsk={ask} />
          </div>
        </>
      }
    >
      {page < 0 ? (
        <p className="note">
          No memory is mapped yet. Somebody has to join as a CPU thread and map some, or the lab has
          to be opened from a scenario.
        </p>
      ) : null}
      <section aria-label="This page">
        <h2>Page {where}</h2>
        <div className="facts">
          <div
            className={isStale ? 'fact alarm' : 'fact'}
            style={{ borderLeftColor: 'var(--device)' }}
          >
            <p>My entry {isStale ? <span className="chip alarm">✕ STALE</span> : null}</p>
            <p className="value" data-testid="my-entry">
              {mine === undefined ? 'nothing' : entryWords(mine)}
            </p>
          </div>
          <div className="fact" style={{ borderLeftColor: 'var(--cpu)' }}>
            <p>The CPU's entry</p>
            <p className="value" data-testid="cpu-entry">
              {faceWords(pteFace(pte))}
            </p>
          </div>
        </div>
      </section>
      <OwnPageTable player={player} model={model} actor={actor} />
      <details>
        <summary>A migration step by step, and more</summary>
        <div className="stack" style={{ marginTop: '0.6rem' }}>
          <div className="row">
            <VerbButtons asks={steps} disabled={!isReady} onAsk={ask} size="small" />
          </div>
          <div className="row">
            <button
              type="button"
              className="small"
              disabled={!isReady}
              onClick={() => player.hold('migrate_vma_setup')}
            >
              Hold me after setup
            </button>
            <VerbButtons asks={others} disabled={!isReady} onAsk={ask} size="small" />
          </div>
        </div>
      </details>
    </PlayerFrame>
  );
}
