/** A room that plays Break it: what is asked of the phones, and what they say. */
import { useEffect } from 'preact/hooks';
import type { LabVote, VoteChoice } from '../../../server/protocol/lab-control.ts';
import { useLabFeed } from '../lab/use-lab-feed.ts';
import { sentenceOf, serverApi } from '../server-api.ts';
import { presenterToken } from '../shell/memory.ts';
import { showToast } from '../shell/toasts.tsx';

export interface RoomVote {
  readonly counts: LabVote['counts'];
  readonly voices: number;
  readonly devices: number;
  /** What most have said, the first of those that are asked in a draw; 'none' as long as nobody has said anything. */
  readonly leads: string | 'none';
}

/** Asks the room about `choices`; about nothing while there are none, and when the page is left. */
export function useRoomVote(room: string, about: string, choices: readonly VoteChoice[]): RoomVote {
  const feed = useLabFeed(room);
  const text = JSON.stringify(choices);
  useEffect(() => {
    ask(room, about, JSON.parse(text) as VoteChoice[]);
  }, [room, about, text]);
  useEffect(() => () => ask(room, '', []), [room]);
  const vote = feed.control === 'unknown' ? undefined : feed.control.vote;
  // What is shown may be an answer to the question before.
  const isOfThis = vote?.about === about && JSON.stringify(vote.choices) === text;
  return voteSeen(choices, isOfThis ? vote.counts : {}, devicesIn(feed));
}

export function voteSeen(
  choices: readonly VoteChoice[],
  counts: LabVote['counts'],
  devices: number,
): RoomVote {
  const voices = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const most = Math.max(0, ...Object.values(counts));
  const leader = choices.find(({ choice }) => (counts[choice] ?? 0) === most);
  const leads = most === 0 || leader === undefined ? 'none' : leader.choice;
  return { counts, voices, devices, leads };
}

function devicesIn({ history }: ReturnType<typeof useLabFeed>): number {
  return [...history.now.actors.values()].filter(({ role }) => role === 'device').length;
}

function ask(room: string, about: string, choices: VoteChoice[]): void {
  serverApi
    .control(room, { action: 'ask', about, choices }, presenterToken(room))
    .catch((error: unknown) => showToast(sentenceOf(error)));
}
