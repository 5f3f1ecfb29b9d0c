/** What a drawing of the timeline is made from, and what its parts share. */
import type { EventHistory } from '../model/event-history.ts';
import type { Palette } from '../style/palette.ts';
import type { Pen } from '../style/pen.ts';
import type { FilteredBlocks } from './filter.ts';
import type { TimelineLane } from './lanes.ts';
import type { TimelineSizes, TimelineViewport } from './viewport.ts';

/** A line through all lanes: the point of no return of a counterexample. */
export interface SceneMark {
  readonly n: number;
  readonly label: string;
}

export interface TimelineScene {
  readonly history: EventHistory;
  readonly lanes: readonly TimelineLane[];
  readonly blocks: FilteredBlocks;
  readonly viewport: TimelineViewport;
  readonly sizes: TimelineSizes;
  readonly palette: Palette;
  /** The event that is looked at, or 'live' for the newest. */
  readonly selected: number | 'live';
  readonly milestones: readonly SceneMark[];
}

/** What the parts of one drawing share. */
export interface Drawing extends TimelineScene {
  readonly pen: Pen;
  readonly laneOf: Int16Array;
  readonly kernel: number;
  readonly first: number;
  readonly last: number;
}

/** The middle of a lane. */
export function laneY({ sizes, viewport }: TimelineScene, lane: number): number {
  return sizes.axisHeight + (lane + 0.5) * sizes.laneHeight - viewport.scrollTop;
}
