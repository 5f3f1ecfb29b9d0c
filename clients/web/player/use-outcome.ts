import { useState } from 'preact/hooks';
import type { PictureVerdict } from '../picture/verdict.ts';
import type { Room } from '../room/use-room.ts';

interface Outcome {
  readonly outcome: PictureVerdict | 'none';
  readonly close: () => void;
}

/** What came of my read, until I have seen it. */
export function useOutcome(room: Room, name: string): Outcome {
  const [seen, setSeen] = useState('');
  const outcome = outcomeOf(room, name);
  if (outcome === 'none') return { outcome, close: () => undefined };
  const key = `${room.feed.beginnings} ${outcome.n} ${outcome.is}`;
  const writer = room.called(outcome.writer);
  return { outcome: seen === key ? 'none' : { ...outcome, writer }, close: () => setSeen(key) };
}

/** A wrong read is told at once; a right one is news only where the race ends with it. */
function outcomeOf({ verdict, sheet, cue }: Room, name: string): PictureVerdict | 'none' {
  if (verdict === 'none' || verdict.reader !== name) return 'none';
  const isEnd = sheet !== 'none' && cue.now === 'none';
  return verdict.is === 'wrong' || isEnd ? verdict : 'none';
}
