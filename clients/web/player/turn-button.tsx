import type { Cue } from '../../../server/protocol/run-sheet.ts';
import type { VerbParams } from '../../sdk/conductor.ts';
import type { Room } from '../room/use-room.ts';
import { sentenceOf, serverApi } from '../server-api.ts';
import { verbsOfCue } from '../sheet/cue-verbs.ts';
import { showToast } from '../shell/toasts.tsx';
import type { PlayedClient } from './player.ts';

export interface TurnButtonProps {
  readonly room: Room;
  readonly player: PlayedClient;
}

/** The cue, if it is mine: the one big button. Else whose turn it is. */
export function TurnButton({ room, player }: TurnButtonProps) {
  const { sheet, cue, cast, page, led } = room;
  if (sheet === 'none' || page === 'none') return null;
  if (cue.now === 'none') return <p className="turn-words">That was the race.</p>;
  if (led !== 'none' && led.state === 'lost') return <p className="turn-words">{led.why}</p>;
  const actor = cast.get(cue.now.role);
  if (actor !== player.name) {
    return (
      <p className="turn-words">
        {actor === undefined ? `The ${cue.now.role}` : room.called(actor)} is next: {cue.now.button}
      </p>
    );
  }
  const { now, left, at } = cue;
  const press = () => {
    const pressed =
      led === 'none'
        ? performAll(player, now, verbsOfCue(now, left, page))
        : serverApi.cue(player.lab, { actor: player.name, cue: at });
    pressed.catch((error: unknown) => showToast(sentenceOf(error)));
  };
  const isReady = led === 'none' ? !isBusy(player) : led.state === 'next';
  return (
    <>
      <p className="turn-words">
        Your turn: cue {cue.at + 1} of {sheet.cues.length}
      </p>
      <button
        type="button"
        className="primary turn"
        data-testid="turn"
        disabled={player.status.state !== 'live' || !isReady}
        onClick={press}
      >
        {now.button}
      </button>
    </>
  );
}

function isBusy({ actions }: PlayedClient): boolean {
  return actions.some(({ outcome }) => outcome === 'open');
}

async function performAll(player: PlayedClient, cue: Cue, verbs: readonly VerbParams[]) {
  for (const params of verbs) await player.perform(cue.button, params);
}
