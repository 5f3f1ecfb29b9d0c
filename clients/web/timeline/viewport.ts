/** What part of the timeline is seen, and how it moves. Pure: the pointer and the clock are elsewhere. */

export interface TimelineViewport {
  readonly width: number;
  readonly height: number;
  /** The event at the left edge; a fraction between two. */
  readonly from: number;
  /** Pixels an event. */
  readonly scale: number;
  readonly scrollTop: number;
}

export interface TimelineSizes {
  readonly gutterWidth: number;
  readonly axisHeight: number;
  readonly laneHeight: number;
  readonly font: number;
}

export const SCALE_MAX = 160;
/** Below this single events are no longer drawn, but how many there are. */
export const DENSITY_BELOW = 3;
const LANE_HEIGHT_MIN = 40;
const LANE_HEIGHT_MAX = 116;
/** Events of room to the right of the newest one. */
const HEAD_ROOM = 2;

/** Pixels: a window so wide is a projector's, or may be; what it shows is read from the back row. */
const BACK_ROW_WIDTH = 1_800;
/** With it no word of the timeline is smaller than 16 pixels: see SMALL. */
const BACK_ROW_TYPE = 1.5;
/** The smallest type, of the type. */
export const SMALL = 0.9;

/** `type` of the appearance; `width` of the window. */
export function typeFor(type: number, width: number): number {
  return width >= BACK_ROW_WIDTH ? Math.max(type, BACK_ROW_TYPE) : type;
}

export function timelineSizes(type: number, lanes: number, height: number): TimelineSizes {
  const axisHeight = Math.round(24 * type);
  const share = (height - axisHeight) / Math.max(1, lanes);
  const least = LANE_HEIGHT_MIN * type;
  return {
    gutterWidth: Math.round(96 * type),
    axisHeight,
    laneHeight: Math.round(Math.max(least, Math.min(LANE_HEIGHT_MAX * type, share))),
    font: Math.round(12 * type),
  };
}

export function xOf(viewport: TimelineViewport, sizes: TimelineSizes, n: number): number {
  return sizes.gutterWidth + (n - viewport.from) * viewport.scale;
}

export function eventAtX(viewport: TimelineViewport, sizes: TimelineSizes, x: number): number {
  return Math.round(viewport.from + (x - sizes.gutterWidth) / viewport.scale);
}

export function visibleEvents(viewport: TimelineViewport, sizes: TimelineSizes): number {
  return Math.max(1, (viewport.width - sizes.gutterWidth) / viewport.scale);
}

/** The newest events, as wide as now. */
export function following(
  viewport: TimelineViewport,
  sizes: TimelineSizes,
  last: number,
): TimelineViewport {
  const seen = visibleEvents(viewport, sizes);
  return { ...viewport, from: Math.max(0, last + HEAD_ROOM - seen) };
}

/** Every event from `first` to `last` at once, no larger than they are nice to look at. */
export function showingAll(
  viewport: TimelineViewport,
  sizes: TimelineSizes,
  range: { readonly first: number; readonly last: number },
): TimelineViewport {
  const room = viewport.width - sizes.gutterWidth;
  const events = Math.max(1, range.last - range.first + 1 + HEAD_ROOM);
  const scale = Math.min(48, room / events);
  return { ...viewport, scale, from: range.first - 1 };
}

/** Larger by `factor` around the event at `x`. */
export function zoomed(
  viewport: TimelineViewport,
  sizes: TimelineSizes,
  factor: number,
  x: number,
): TimelineViewport {
  const scale = Math.max(0.002, Math.min(SCALE_MAX, viewport.scale * factor));
  const under = viewport.from + (x - sizes.gutterWidth) / viewport.scale;
  return { ...viewport, scale, from: under - (x - sizes.gutterWidth) / scale };
}

export function panned(
  viewport: TimelineViewport,
  sizes: TimelineSizes,
  pixels: number,
  range: { readonly first: number; readonly last: number },
): TimelineViewport {
  const seen = visibleEvents(viewport, sizes);
  const wanted = viewport.from + pixels / viewport.scale;
  const least = range.first - seen / 2;
  const most = Math.max(least, range.last - seen / 2);
  return { ...viewport, from: Math.max(least, Math.min(most, wanted)) };
}

/** As it is if event `n` can be seen well, else with it in the middle. */
export function showing(
  viewport: TimelineViewport,
  sizes: TimelineSizes,
  n: number,
): TimelineViewport {
  const seen = visibleEvents(viewport, sizes);
  const margin = Math.min(4, seen / 8);
  if (n >= viewport.from + margin && n <= viewport.from + seen - margin) return viewport;
  return { ...viewport, from: n - seen / 2 };
}
