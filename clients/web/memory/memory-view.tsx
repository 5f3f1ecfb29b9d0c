import type { TargetedKeyboardEvent, TargetedPointerEvent } from 'preact';
import { useRef } from 'preact/hooks';
import { useAppearance } from '../shell/appearance.ts';
import { useCanvas } from '../stage/use-canvas.ts';
import type { Selected, ViewSource } from '../stage/view-source.ts';
import { mirrorFace, pteFace } from './cell-face.ts';
import { cellSentence } from './cell-sentence.ts';
import type { Column } from './columns.ts';
import { nextPlace } from './cursor.ts';
import { drawMemory } from './draw-memory.ts';
import { FreshCells } from './fresh-cells.ts';
import { columnWidth, type MemoryPlace, memorySizes, placeAt } from './geometry.ts';
import { rowAt } from './row-layout.ts';
import { type Seen, SeenMemory } from './seen-memory.ts';

const BEFORE_ALL: MemoryPlace = { row: -1, column: -1 };
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

/** Page tables side by side. Arrow keys move a cursor; pointing at a frame lights every place that maps it. */
export function MemoryView({ source, selected, onPoint, onStale }: MemoryViewProps) {
  const { palette, scale, motion } = useAppearance();
  const sizesNow = useRef(memorySizes(scale));
  const fresh = useRef(new FreshCells());
  const memory = useRef(new SeenMemory());
  const scroller = useRef<HTMLDivElement>(null);
  const ground = useRef<HTMLDivElement>(null);
  const look = useRef({
    cursor: 'none' as MemoryPlace | 'none',
    litFrame: -1,
    stale: 0,
    /** Whether the last cell that became stale has been brought into view. */
    staleSince: 'seen' as 'seen' | 'unseen',
  });

  const see = (now: number): Seen => {
    const history = source.history();
    const model = selected === 'live' ? history.now : history.at(selected);
    return memory.current.look(history, model, now, (count) => {
      look.current.staleSince = count > look.current.stale ? 'unseen' : 'seen';
      look.current.stale = count;
      onStale?.(count);
    });
  };

  const { canvas, invalidate } = useCanvas(
    (pen, size, now) => {
      const seen = see(now);
      const { history, model, layout, columns } = seen;
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
      if (look.current.staleSince === 'unseen') {
        look.current.staleSince = 'seen';
        bringIntoView(nextPlace('x', seen, BEFORE_ALL), columns);
      }
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

  const hover = (event: TargetedPointerEvent<HTMLCanvasElement>) => {
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

  const press = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const { cursor } = look.current;
    const here = cursor === 'none' ? { row: 0, column: 0 } : cursor;
    const seen = see(performance.now());
    const place = nextPlace(event.key, seen, here);
    if (place === 'none') return;
    event.preventDefault();
    event.stopPropagation();
    look.current.cursor = place;
    bringIntoView(place, seen.columns);
    pointAt(place);
  };

  const bringIntoView = (place: MemoryPlace | 'none', columns: readonly Column[]) => {
    const view = scroller.current;
    if (view === null || place === 'none') return;
    const { rowHeight, headHeight, gutterWidth } = sizesNow.current;
    const width = columnWidth(sizesNow.current, columns, view.clientWidth);
    const left = place.column * width;
    const across = view.clientWidth - gutterWidth - width;
    if (left < view.scrollLeft) view.scrollLeft = left;
    else if (left > view.scrollLeft + across) view.scrollLeft = left - across;
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

function setSize(
  element: HTMLElement,
  { width, height }: { readonly width: number; readonly height: number },
): void {
  const { style } = element;
  if (style.height !== `${height}px`) style.height = `${height}px`;
  if (style.width !== `${width}px`) style.width = `${width}px`;
}
