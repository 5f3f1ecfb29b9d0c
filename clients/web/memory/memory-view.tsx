import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import { staleCells } from '../model/coherence.ts';
import type { EventHistory } from '../model/event-history.ts';
import type { LabModel } from '../model/lab-model.ts';
import { useAppearance } from '../shell/appearance.ts';
import { useCanvas } from '../stage/use-canvas.ts';
import type { Selected, ViewSource } from '../stage/view-source.ts';
import { mirrorFace, pteFace } from './cell-face.ts';
import { cellSentence } from './cell-sentence.ts';
import { type Column, columnsOf } from './columns.ts';
import { drawMemory } from './draw-memory.ts';
import { FreshCells } from './fresh-cells.ts';
import { columnWidth, type MemoryPlace, memorySizes, placeAt } from './geometry.ts';
import { type RowLayout, rowAt, rowLayout, rowOfPage } from './row-layout.ts';

/** Milliseconds between two looks at which pages there are and what is stale: there may be many. */
const LOOK_MS = 200;
/** A look that takes long is followed by a pause of so many times its length. */
const PAUSE_FACTOR = 30;
/** Browsers do not scroll further than this. */
const SCROLL_PIXELS_MAX = 8_000_000;

export interface MemoryViewProps {
  readonly source: ViewSource;
  readonly selected: Selected;
  /** Tells in a sentence what is pointed at; empty for nothing. */
  readonly onPoint: (sentence: string) => void;
  /** How many cells are stale, and the first of them. */
  readonly onStale?: (count: number) => void;
}

interface Seen {
  readonly history: EventHistory;
  readonly model: LabModel;
  readonly version: number;
  /** When pages and stale cells are looked at again, if something has changed. */
  nextLook: number;
  readonly layout: RowLayout;
  readonly columns: readonly Column[];
}

/** Page tables side by side. Arrow keys move a cursor; pointing at a frame lights every place that maps it. */
export function MemoryView({ source, selected, onPoint, onStale }: MemoryViewProps) {
  const { palette, scale, motion } = useAppearance();
  const sizesNow = useRef(memorySizes(scale));
  const fresh = useRef(new FreshCells());
  const seen = useRef<Seen | 'none'>('none');
  const scroller = useRef<HTMLDivElement>(null);
  const ground = useRef<HTMLDivElement>(null);
  const look = useRef({ cursor: 'none' as MemoryPlace | 'none', litFrame: -1, stale: 0 });

  const modelNow = (history: EventHistory) =>
    selected === 'live' ? history.now : history.at(selected);

  const see = (now: number): Seen => {
    const history = source.history();
    const model = modelNow(history);
    const before = seen.current;
    const isOld =
      before === 'none' ||
      before.history !== history ||
      before.model.vmas !== model.vmas ||
      before.columns.length === 0 ||
      (before.version !== history.version + model.n && now > before.nextLook);
    const next: Seen = isOld
      ? {
          history,
          model,
          version: history.version + model.n,
          nextLook: now + LOOK_MS,
          layout: rowLayout(model),
          columns: columnsOf(model),
        }
      : { ...before, model };
    seen.current = next;
    if (isOld) {
      const begun = performance.now();
      const stale = staleCells(model).length;
      next.nextLook = now + Math.max(LOOK_MS, (performance.now() - begun) * PAUSE_FACTOR);
      if (stale !== look.current.stale) {
        look.current.stale = stale;
        onStale?.(stale);
      }
    }
    return next;
  };

  const { canvas, invalidate } = useCanvas(
    (pen, size, now) => {
      const { history, model, layout, columns } = see(now);
      const view = scroller.current;
      const sizer = ground.current;
      if (view === null || sizer === null) return 'done';
      const sizes = memorySizes(scale, { rows: layout.rows, ...size });
      sizesNow.current = sizes;
      const width = columnWidth(sizes, columns, size.width);
      setSize(sizer, {
        width: sizes.gutterWidth + columns.length * width,
        // The canvas stands before it and takes its own height; the rest is what there is to scroll.
        height: Math.max(
          0,
          Math.min(SCROLL_PIXELS_MAX, sizes.headHeight + layout.rows * sizes.rowHeight) -
            size.height,
        ),
      });
      fresh.current.look(history, now);
      const isLive = selected === 'live';
      const event = isLive ? 'none' : history.eventAt(selected);
      drawMemory(pen, {
        model,
        layout,
        columns,
        viewport: { ...size, scrollTop: view.scrollTop, scrollLeft: view.scrollLeft },
        sizes,
        palette,
        litFrame: look.current.litFrame,
        cursor: look.current.cursor,
        freshness: (column, page) => {
          if (isLive) return fresh.current.freshness(column, page, now, motion);
          if (event === 'none') return 0;
          const isIt =
            (event.kind === 'pte' &&
              column.side === 'cpu' &&
              event.mm === column.mm &&
              event.page === page) ||
            (event.kind === 'mirror' && event.device === column.name && event.page === page);
          return isIt ? 1 : 0;
        },
      });
      return isLive && fresh.current.any ? 'again' : 'done';
    },
    () => `${source.history().version} ${source.history().last} ${selected}`,
  );

  const pointAt = (place: MemoryPlace | 'none') => {
    const { layout, columns, model } = see(performance.now());
    const found = place === 'none' ? 'none' : rowAt(layout, place.row);
    const column = place === 'none' ? undefined : columns[place.column];
    if (found === 'none' || found.page === 'head' || column === undefined) {
      look.current.litFrame = -1;
      onPoint(found === 'none' ? '' : found.band.title);
    } else {
      const { page } = found;
      const pte = model.cpu.get(column.mm)?.get(page);
      const face =
        column.side === 'cpu'
          ? pteFace(pte)
          : mirrorFace(model.devices.get(column.name)?.get(page), pte);
      look.current.litFrame = face.pfn;
      onPoint(cellSentence(model, column, page));
    }
    invalidate();
  };

  const hover = (event: PointerEvent<HTMLCanvasElement>) => {
    const view = scroller.current;
    if (view === null) return;
    const box = event.currentTarget.getBoundingClientRect();
    const { layout, columns } = see(performance.now());
    const viewport = {
      width: box.width,
      height: box.height,
      scrollTop: view.scrollTop,
      scrollLeft: view.scrollLeft,
    };
    const point = { x: event.clientX - box.left, y: event.clientY - box.top };
    const place = placeAt(point, viewport, sizesNow.current, { rows: layout.rows, columns });
    if (event.type === 'pointerdown') look.current.cursor = place;
    pointAt(place);
  };

  const press = (event: KeyboardEvent) => {
    const { layout, columns, model } = see(performance.now());
    const { cursor } = look.current;
    const here = cursor === 'none' ? { row: 0, column: 0 } : cursor;
    const next = nextPlace(event.key, here, () => nextStale(model, layout, columns, here));
    if (next === 'none') return;
    event.preventDefault();
    event.stopPropagation();
    const place = {
      row: Math.max(0, Math.min(layout.rows - 1, next.row)),
      column: Math.max(0, Math.min(columns.length - 1, next.column)),
    };
    look.current.cursor = place;
    bringIntoView(place);
    pointAt(place);
  };

  const bringIntoView = (place: MemoryPlace) => {
    const view = scroller.current;
    if (view === null) return;
    const { rowHeight, headHeight } = sizesNow.current;
    const top = place.row * rowHeight;
    const room = view.clientHeight - headHeight - rowHeight;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top > view.scrollTop + room) view.scrollTop = top - room;
  };

  return (
    <section
      className="view"
      aria-label="Memory: page tables side by side"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a canvas that is read with the arrow keys.
      tabIndex={0}
      onKeyDown={press}
      id="memory"
    >
      <div className="scroller" ref={scroller} onScroll={invalidate} tabIndex={-1}>
        <canvas
          ref={canvas}
          onPointerMove={hover}
          onPointerDown={hover}
          onPointerLeave={() => pointAt(look.current.cursor)}
        />
        <div ref={ground} style={{ marginTop: '-1px', width: 1, height: 1 }} />
      </div>
    </section>
  );
}

function nextPlace(
  key: string,
  { row, column }: MemoryPlace,
  stale: () => MemoryPlace | 'none',
): MemoryPlace | 'none' {
  switch (key) {
    case 'ArrowDown':
      return { row: row + 1, column };
    case 'ArrowUp':
      return { row: row - 1, column };
    case 'ArrowRight':
      return { row, column: column + 1 };
    case 'ArrowLeft':
      return { row, column: column - 1 };
    case 'PageDown':
      return { row: row + 16, column };
    case 'PageUp':
      return { row: row - 16, column };
    case 'x':
      return stale();
    default:
      return 'none';
  }
}

/** The next stale cell behind `here`, or the first one. */
function nextStale(
  model: LabModel,
  layout: RowLayout,
  columns: readonly Column[],
  here: MemoryPlace,
): MemoryPlace | 'none' {
  const places = staleCells(model).flatMap(({ device, page }) => {
    const row = rowOfPage(layout, page);
    const column = columns.findIndex(({ name, side }) => side === 'device' && name === device);
    return row === 'none' || column < 0 ? [] : [{ row, column }];
  });
  const behind = ({ row, column }: MemoryPlace) =>
    row > here.row || (row === here.row && column > here.column);
  return places.find(behind) ?? places[0] ?? 'none';
}

function setSize(
  element: HTMLElement,
  { width, height }: { readonly width: number; readonly height: number },
): void {
  const { style } = element;
  if (style.height !== `${height}px`) style.height = `${height}px`;
  if (style.width !== `${width}px`) style.width = `${width}px`;
}
