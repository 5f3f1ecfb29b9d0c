/** Where everything of a picture stands, in units of its view box. */
import type { MomentCell, MomentPlace, PictureMoment } from './moment.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface PlacedCell extends Box {
  readonly cell: MomentCell;
  readonly valueSize: number;
}

export interface PlacedFrame extends Box {
  readonly frame: MomentPlace['frames'][number];
  readonly valueSize: number;
}

export interface PlacedPlace extends Box {
  readonly place: MomentPlace;
  readonly frames: readonly PlacedFrame[];
}

export interface PictureLayout {
  readonly shape: 'panel' | 'wide';
  readonly width: number;
  readonly height: number;
  readonly cells: readonly PlacedCell[];
  readonly places: readonly PlacedPlace[];
  readonly arrows: readonly { readonly cell: MomentCell; readonly path: string }[];
  /** What an invalidation sweeps: all mirrors. */
  readonly swept: Box;
}

const CELL_HEIGHT_MIN = 24;
/** Widths of a sign of the monospaced type, in sizes. */
const SIGN = 0.61;

/** Entries on the left, one above the other, memories on the right. */
export function panelLayout({ cells, places }: PictureMoment): PictureLayout {
  const [width, height] = [600, 340];
  const left = { x: 32, w: 226 };
  const swept = { x: 26, y: 122, w: 240, h: 216 };
  const mirrors = Math.max(1, cells.length - 1);
  const step = swept.h / mirrors;
  const placed = cells.map((cell, at) =>
    at === 0
      ? sized(cell, { ...left, y: 4, h: 84 }, 42)
      : sized(cell, { ...left, y: swept.y + (at - 1) * step, h: Math.min(84, step - 8) }, 42),
  );
  const share = height / places.length;
  const homes = places.map((place, at): PlacedPlace => {
    const box = { x: 372, y: 4 + at * share, w: 226, h: share - 24 };
    return { ...box, place, frames: framesIn(place, { ...box, y: box.y + 30, h: box.h - 42 }, 42) };
  });
  return {
    shape: 'panel',
    width,
    height,
    cells: placed,
    places: homes,
    arrows: arrowsOf(placed, homes, (from, to) => {
      const [x1, y1] = [from.x + from.w + 2, from.y + from.h / 2];
      const [x2, y2] = [to.x - 8, to.y + to.h / 2];
      return `M${x1} ${y1}C${x1 + 60} ${y1} ${x2 - 50} ${y2} ${x2} ${y2}`;
    }),
    swept,
  };
}

/** Columns beside each other, memories below: for a stage. Nothing is smaller than a back row can read. */
export function wideLayout(
  { cells, places }: PictureMoment,
  { width, height }: { readonly width: number; readonly height: number },
): PictureLayout {
  const [gap, head, bar] = [34, 50, 60];
  const w = (width - gap * (cells.length - 1)) / cells.length;
  const lines = Math.max(48, Math.min(90, height * 0.15));
  // A box that is not laid out yet has no height.
  const h = Math.max(CELL_HEIGHT_MIN, height - head - lines - bar);
  const placed = cells.map((cell, at) => sized(cell, { x: at * (w + gap), y: head, w, h }, 118));
  const share = (width - 60 * (places.length - 1)) / places.length;
  const homes = places.map((place, at): PlacedPlace => {
    const box = { x: at * (share + 60), y: height - bar, w: share, h: bar - 2 };
    const room = Math.min(share * 0.5, 190 * place.frames.length);
    const inner = { x: box.x + share - room, y: box.y, w: room, h: box.h };
    return { ...box, place, frames: framesBeside(place, inner) };
  });
  return {
    shape: 'wide',
    width,
    height,
    cells: placed,
    places: homes,
    arrows: arrowsOf(placed, homes, (from, to) => {
      const [x1, y1] = [from.x + from.w / 2, from.y + from.h + 2];
      const [x2, y2] = [to.x + to.w / 2, to.y - 4];
      const middle = (y1 + y2) / 2;
      return `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`;
    }),
    swept: { x: w + gap / 2, y: head - 6, w: Math.max(0, width - w - gap / 2), h: h + 12 },
  };
}

function sized(cell: MomentCell, box: Box, sizeMax: number): PlacedCell {
  const signs = cell.holds === 'nothing' ? 8 : Math.max(3, cell.holds.value.length);
  // The word STALE stands beside the value.
  const room = box.w - (cell.coherence === 'stale' && sizeMax > 100 ? 190 : 40);
  const valueSize = Math.min(sizeMax, box.h * 0.5, room / (SIGN * signs));
  return { ...box, cell, valueSize };
}

function framesIn(place: MomentPlace, box: Box, sizeMax: number): PlacedFrame[] {
  const h = box.h / Math.max(1, place.frames.length);
  return place.frames.map((frame, at) => ({
    frame,
    x: box.x + 14,
    y: box.y + at * h,
    w: box.w - 28,
    h: h - 6,
    valueSize: Math.min(sizeMax, (h - 6) * 0.5),
  }));
}

function framesBeside(place: MomentPlace, box: Box): PlacedFrame[] {
  const w = box.w / Math.max(1, place.frames.length);
  return place.frames.map((frame, at) => ({
    frame,
    x: box.x + at * w,
    y: box.y + 3,
    w: w - 6,
    h: box.h - 6,
    valueSize: Math.min(40, (w - 50) / (SIGN * Math.max(3, frame.value.length))),
  }));
}

function arrowsOf(
  cells: readonly PlacedCell[],
  places: readonly PlacedPlace[],
  path: (from: Box, to: Box) => string,
): PictureLayout['arrows'] {
  const frames = places.flatMap((place) => place.frames);
  return cells.flatMap((from) => {
    const { holds } = from.cell;
    const to = frames.find(({ frame }) => holds !== 'nothing' && frame.frame === holds.frame);
    return to === undefined ? [] : [{ cell: from.cell, path: path(from, to) }];
  });
}
