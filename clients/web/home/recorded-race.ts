/** A race by its run sheet, as a server has seen it, on two kernels: what the home page plays. */
import type { Event } from '../../../server/abi/event.ts';
import type { RunSheet } from '../../../server/protocol/run-sheet.ts';

export interface RecordedSide {
  readonly patch: string;
  readonly events: readonly Event[];
  /** The last event before the first cue, then of each cue. */
  readonly cues: readonly number[];
}

export interface RecordedRace {
  readonly sheet: RunSheet;
  /** The page that it is about. */
  readonly page: number;
  readonly stock: RecordedSide;
  readonly patched: RecordedSide;
}
