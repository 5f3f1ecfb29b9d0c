import { useEffect, useState } from 'react';
import { hexAddress, pageIndex } from '../../../server/vocabulary/address.ts';
import type { DeviceEntry } from '../../agents/hand-verbs.ts';
import { useLabFeed } from '../lab/use-lab-feed.ts';
import { faceWords, mirrorFace, pteFace } from '../memory/cell-face.ts';
import { coherenceOf } from '../model/coherence.ts';
import { PagePager, pagesOf } from './page-pager.tsx';
import { PlayerFrame } from './player-frame.tsx';
import { usePlayer } from './use-player.ts';

/** Unlike zero, so that a stale zero shows. */
const FIRST_VALUE = 0x2a;
const STEPS = ['setup', 'copy', 'pages', 'map', 'finalize'] as const;

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
  const perform = (
    what: string,
    params: { readonly verb: string; readonly [key: string]: unknown },
  ) => {
    player.perform(what, params).catch(() => undefined);
  };
  const pte = model.cpu.get(0)?.get(page);
  const mine = player.table.get(page);
  const isStale = coherenceOf(model, actor, page) === 'stale';
  const hex = `0x${value.toString(16)}`;

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
              onClick={() => perform(`read ${where}`, { verb: 'read', range })}
            >
              Read
            </button>
            <button
              type="button"
              disabled={!isReady}
              onClick={() => {
                perform(`write ${hex} to ${where}`, { verb: 'write', range, values: [hex] });
                setValue(value + 1);
              }}
            >
              Write {hex}
            </button>
            <button
              type="button"
              disabled={!isReady}
              onClick={() => perform(`migrate ${where} here`, { verb: 'migrate-to-dev', range })}
            >
              Migrate here
            </button>
            <button
              type="button"
              disabled={!isReady}
              onClick={() => perform(`migrate ${where} back`, { verb: 'migrate-to-sys', range })}
            >
              Migrate back
            </button>
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
      <section aria-label="My page table">
        <h2>My page table</h2>
        {player.table.size === 0 ? (
          <p className="quiet">Empty: the next access faults.</p>
        ) : (
          <div className="table-frame">
            <table className="table mono">
              <thead>
                <tr>
                  <th scope="col">page</th>
                  <th scope="col">frame</th>
                  <th scope="col">is it right?</th>
                </tr>
              </thead>
              <tbody>
                {[...player.table.values()].map((entry) => (
                  <tr key={entry.page}>
                    <th scope="row">{hexAddress(pageIndex(entry.page))}</th>
                    <td>{entryWords(entry)}</td>
                    <td>{coherenceWords(coherenceOf(model, actor, entry.page))}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      <details>
        <summary>A migration step by step, and more</summary>
        <div className="stack" style={{ marginTop: '0.6rem' }}>
          <div className="row">
            {STEPS.map((verb) => (
              <button
                key={verb}
                type="button"
                className="small"
                disabled={!isReady}
                onClick={() => perform(verb, verb === 'setup' ? { verb, range } : { verb })}
              >
                {verb}
              </button>
            ))}
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
            <button
              type="button"
              className="small"
              disabled={!isReady}
              onClick={() => perform(`exclusive ${where}`, { verb: 'exclusive', range })}
            >
              Exclusive
            </button>
            <button
              type="button"
              className="small"
              disabled={!isReady}
              onClick={() => perform('release', { verb: 'release' })}
            >
              Release
            </button>
          </div>
        </div>
      </details>
    </PlayerFrame>
  );
}

function entryWords({ pfn, access, memory }: DeviceEntry): string {
  if (memory === 'private') {
    const rights = access === 'read' ? 'r' : 'rw';
    return `my own frame 0x${pfn.toString(16)} (${rights})`;
  }
  return faceWords(mirrorFace({ state: 'mapped', pfn, access }, undefined));
}

function coherenceWords(coherence: ReturnType<typeof coherenceOf>): string {
  const words = {
    none: '',
    agrees: 'yes',
    'in-flight': 'being invalidated',
    migrating: 'I migrate it',
    stale: '✕ STALE',
  };
  return words[coherence];
}
