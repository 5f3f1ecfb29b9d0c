import { useState } from 'preact/hooks';
import type { Room } from '../room/use-room.ts';
import { sentenceOf, serverApi } from '../server-api.ts';
import type { PlayedClient } from './player.ts';

export interface VotePanelProps {
  readonly room: Room;
  readonly player: PlayedClient;
}

/** The room is the scheduler: who goes next, says each phone. */
export function VotePanel({ room, player }: VotePanelProps) {
  const [said, setSaid] = useState({ round: 0, choice: '' });
  const [trouble, setTrouble] = useState('');
  const { control } = room.feed;
  const vote = control === 'unknown' ? undefined : control.vote;
  if (vote === undefined) return null;
  const { round, about, choices } = vote;
  const mine = said.round === round ? said.choice : '';
  const say = async (choice: string) => {
    setSaid({ round, choice });
    try {
      await serverApi.vote(player.lab, { actor: player.name, round, choice });
      setTrouble('');
    } catch (error) {
      setSaid({ round: 0, choice: '' });
      setTrouble(sentenceOf(error));
    }
  };
  return (
    <section className="vote" aria-label="Break it: who goes next?">
      <p className="turn-words">
        {mine === ''
          ? `${about}. You are the scheduler: who goes next?`
          : `You say ${mine}. Wait for the room.`}
      </p>
      {choices.map(({ choice, words }) => (
        <button
          key={choice}
          type="button"
          className={choice === mine ? 'primary' : ''}
          aria-pressed={choice === mine}
          disabled={player.status.state !== 'live'}
          data-vote={choice}
          onClick={() => say(choice).catch(() => undefined)}
        >
          <strong>{choice}</strong> {words}
        </button>
      ))}
      {trouble === '' ? null : <p className="note warn">{trouble}</p>}
    </section>
  );
}
