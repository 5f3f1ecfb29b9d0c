import { useEffect, useState } from 'preact/hooks';
import { hexAddress, pageIndex } from '../../../server/vocabulary/address.ts';
import { DEVICE_VERBS } from '../../agents/device-verbs.ts';
import { type Room, useRoom } from '../room/use-room.ts';
import { useNamedRoute } from './named-route.ts';
import { OutcomeScreen } from './outcome-screen.tsx';
import { OwnCells } from './own-cells.tsx';
import { OwnPageTable } from './own-page-table.tsx';
import { PagePager, pagesOf } from './page-pager.tsx';
import { PlayerFrame } from './player-frame.tsx';
import { RoleCard } from './role-card.tsx';
import { TurnButton } from './turn-button.tsx';
import { useOutcome } from './use-outcome.ts';
import { usePlayer } from './use-player.ts';
import { asksOfPage, type VerbAsk, VerbButtons } from './verb-button.tsx';
import { VotePanel } from './vote-panel.tsx';

/** Unlike zero, so that a stale zero shows. */
const FIRST_VALUE = 0x2a;
const STEPS: ReadonlySet<string> = new Set(['setup', 'copy', 'pages', 'map', 'finalize']);

/** A device on a phone: who I am, what I hold, and the one thing that is mine to do now. */
export function DeviceView({ lab, actor }: { readonly lab: string; readonly actor: string }) {
  const player = usePlayer(lab, actor, 'device');
  const room = useRoom(lab);
  const { feed, page } = room;
  useNamedRoute(player, 'device');
  const { last } = feed.history;
  // biome-ignore lint/correctness/useExhaustiveDependencies: after each event the table may be another.
  useEffect(() => player.refreshTable(), [player, last, player.status.state]);
  const { outcome, close } = useOutcome(room, player.name);
  if (outcome !== 'none') return <OutcomeScreen verdict={outcome} onClose={close} />;
  return (
    <PlayerFrame
      player={player}
      room={room}
      verbs={
        isAsked(room) ? (
          <VotePanel room={room} player={player} />
        ) : (
          <>
            <TurnButton room={room} player={player} />
            <FreePlay lab={room} player={player} />
          </>
        )
      }
    >
      <RoleCard room={room} name={player.name} />
      <OwnCells room={room} name={player.name} />
      {page === 'none' ? null : (
        <details>
          <summary>My whole page table</summary>
          <OwnPageTable player={player} model={feed.history.now} actor={player.name} />
        </details>
      )}
    </PlayerFrame>
  );
}

function isAsked({ feed: { control } }: Room): boolean {
  return control !== 'unknown' && control.vote !== undefined;
}

interface FreePlayProps {
  readonly lab: ReturnType<typeof useRoom>;
  readonly player: ReturnType<typeof usePlayer>;
}

/** Everything else that a device can do, on any page. Beside a run sheet it waits behind a word. */
function FreePlay({ lab: room, player }: FreePlayProps) {
  const { feed, sheet, page: ofSheet } = room;
  const { now: model } = feed.history;
  const pages = pagesOf(model.vmas);
  const [chosen, setChosen] = useState(-1);
  const [value, setValue] = useState(FIRST_VALUE);
  const first = ofSheet === 'none' ? pages[0] : ofSheet;
  const page = pages.includes(chosen) ? chosen : (first ?? -1);
  const where = page < 0 ? '' : hexAddress(pageIndex(page));
  const range = { first: page, end: page + 1 };
  const disabled = player.status.state !== 'live' || page < 0;
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
  const hand = (
    <>
      <PagePager vmas={model.vmas} page={page} onPage={setChosen} />
      <div className="verbs">
        <VerbButtons asks={asks} disabled={disabled} onAsk={ask} />
      </div>
      <details>
        <summary>A migration step by step, and more</summary>
        <div className="stack">
          <div className="row">
            <VerbButtons asks={steps} disabled={disabled} onAsk={ask} size="small" />
          </div>
          <div className="row">
            <button
              type="button"
              className="small"
              disabled={disabled}
              onClick={() => player.hold('migrate_vma_setup')}
            >
              Hold me after setup
            </button>
            <VerbButtons asks={others} disabled={disabled} onAsk={ask} size="small" />
          </div>
        </div>
      </details>
    </>
  );
  if (sheet === 'none') return hand;
  return (
    <details className="free-play">
      <summary>Something else…</summary>
      {hand}
    </details>
  );
}
