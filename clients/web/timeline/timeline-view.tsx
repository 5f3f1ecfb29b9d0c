import type { TargetedKeyboardEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EventHistory } from '../model/event-history.ts';
import { useAppearance } from '../shell/appearance.ts';
import { type CanvasSize, useCanvas } from '../stage/use-canvas.ts';
import type { Selected, ViewSource } from '../stage/view-source.ts';
import { drawTimeline } from './draw-timeline.ts';
import { FilteredBlocks, type TimelineFilter } from './filter.ts';
import { HoverCard, type Hovered } from './hover-card.tsx';
import type { LaneGroup } from './lane-group.ts';
import { lanesOf, type TimelineLane } from './lanes.ts';
import type { SceneMark } from './timeline-scene.ts';
import { useDrag } from './use-drag.ts';
import { useWheel } from './use-wheel.ts';
import {
  eventAtX,
  following,
  panned,
  showing,
  showingAll,
  type TimelineSizes,
  type TimelineViewport,
  timelineSizes,
  typeFor,
  zoomed,
} from './viewport.ts';

export interface TimelineViewProps {
  readonly source: ViewSource;
  readonly selected: Selected;
  readonly onSelect: (selected: Selected) => void;
  readonly filter: TimelineFilter;
  readonly onFold: (group: LaneGroup) => void;
  readonly milestones: readonly SceneMark[];
  /** What the buttons beside it do. */
  readonly commands: { current: TimelineCommands | 'none' };
}

export interface TimelineCommands {
  readonly zoom: (factor: number) => void;
  readonly fit: () => void;
  /** Goes with the newest event again. */
  readonly follow: () => void;
}

const SCALE_AT_FIRST = 26;
/** From here on the marks of events can be told apart. */
const SCALE_READABLE = 12;
const ZOOM_STEP = 1.4;
const HEIGHT_MAX = 4_000;

/** The space-time diagram: drag or scroll to move, wheel to zoom, click an event to look at its moment. */
export function TimelineView(props: TimelineViewProps) {
  const { source, selected, onSelect, filter, onFold, milestones, commands } = props;
  const { palette, scale } = useAppearance();
  const type = typeFor(scale, innerWidth);
  const view = useRef<TimelineViewport>({
    width: 1,
    height: 1,
    from: 0,
    scale: SCALE_AT_FIRST * type,
    scrollTop: 0,
  });
  const mode = useRef<'first-look' | 'follow' | 'free'>(
    selected === 'live' ? 'follow' : 'first-look',
  );
  const sizes = useRef<TimelineSizes>(timelineSizes(type, 1, 1));
  const lanes = useRef<readonly TimelineLane[]>([]);
  const blocks = useRef(new FilteredBlocks(filter));
  if (blocks.current.filter !== filter) blocks.current = new FilteredBlocks(filter);
  const [hovered, setHovered] = useState<Hovered | 'none'>('none');

  const measure = (size: CanvasSize) => {
    lanes.current = lanesOf(source.history(), filter);
    sizes.current = timelineSizes(typeFor(scale, innerWidth), lanes.current.length, size.height);
    view.current = { ...view.current, ...size };
  };

  const { canvas, invalidate } = useCanvas(
    (pen, size) => {
      const history = source.history();
      measure(size);
      if (mode.current === 'first-look') {
        view.current = firstLook(view.current, sizes.current, history, selected);
        mode.current = 'free';
      } else if (selected === 'live' && mode.current === 'follow') {
        view.current = following(view.current, sizes.current, history.last);
      }
      drawTimeline(pen, {
        history,
        lanes: lanes.current,
        blocks: blocks.current,
        viewport: view.current,
        sizes: sizes.current,
        palette,
        selected,
        milestones,
      });
      return 'done';
    },
    () => `${source.history().version} ${source.history().last}`,
  );

  useEffect(() => {
    if (selected === 'live') mode.current = 'follow';
    else if (mode.current !== 'first-look') {
      view.current = showing(view.current, sizes.current, selected);
    }
    invalidate();
  }, [selected, invalidate]);

  const move = (next: TimelineViewport) => {
    view.current = next;
    mode.current = 'free';
    invalidate();
  };
  const range = () => {
    const { first, last } = source.history();
    return { first, last };
  };
  const zoomAt = (factor: number, x: number) => {
    const isFollowing = mode.current === 'follow' && selected === 'live';
    move(zoomed(view.current, sizes.current, factor, x));
    if (isFollowing) mode.current = 'follow';
  };
  const zoom = (factor: number) => {
    const { width } = view.current;
    zoomAt(
      factor,
      selected === 'live' ? width : xOfSelected(view.current, sizes.current, selected),
    );
  };
  commands.current = {
    zoom,
    fit: () => move(showingAll(view.current, sizes.current, range())),
    follow: () => {
      mode.current = 'follow';
      invalidate();
    },
  };

  const scrollLanes = (pixels: number) => {
    const content = lanes.current.length * sizes.current.laneHeight + sizes.current.axisHeight;
    const most = Math.max(0, Math.min(HEIGHT_MAX, content - view.current.height));
    const scrollTop = Math.max(0, Math.min(most, view.current.scrollTop + pixels));
    view.current = { ...view.current, scrollTop };
    invalidate();
  };

  useWheel(canvas, {
    zoomed: zoomAt,
    panned: (pixels) => move(panned(view.current, sizes.current, pixels, range())),
    scrolled: scrollLanes,
  });
  const pointer = useDrag({
    dragged: (dx, dy) => {
      scrollLanes(-dy);
      move(panned(view.current, sizes.current, -dx, range()));
    },
    clicked: ({ x, y }) => {
      if (x < sizes.current.gutterWidth) {
        const role = lanes.current[laneAt(view.current, sizes.current, y)]?.role ?? 'kernel';
        if (role !== 'kernel') onFold(role);
        return;
      }
      const { first, last } = range();
      const n = eventAtX(view.current, sizes.current, x);
      if (last > 0) onSelect(Math.max(first, Math.min(last, n)));
    },
    hovered: (at) => {
      const isEvent = at !== 'none' && at.x >= sizes.current.gutterWidth;
      const event = isEvent
        ? source.history().eventAt(eventAtX(view.current, sizes.current, at.x))
        : 'none';
      setHovered(isEvent && event !== 'none' ? { event, ...at } : 'none');
    },
  });

  const press = (event: TargetedKeyboardEvent<HTMLElement>) => {
    if (event.key === '+' || event.key === '=') zoom(ZOOM_STEP);
    else if (event.key === '-') zoom(1 / ZOOM_STEP);
    else if (event.key === '0') move(showingAll(view.current, sizes.current, range()));
    else if (event.key === 'ArrowDown') scrollLanes(sizes.current.laneHeight);
    else if (event.key === 'ArrowUp') scrollLanes(-sizes.current.laneHeight);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <section
      className="view"
      aria-label="Timeline: a lane for each CPU thread, the kernel and each device"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a canvas that is read with the arrow keys.
      tabIndex={0}
      onKeyDown={press}
      id="timeline"
    >
      <canvas ref={canvas} {...pointer} style={{ touchAction: 'none', cursor: 'crosshair' }} />
      {hovered === 'none' ? null : <HoverCard hovered={hovered} width={view.current.width} />}
    </section>
  );
}

/** All of a short history; of a long one, the part around what is looked at. */
function firstLook(
  view: TimelineViewport,
  sizes: TimelineSizes,
  history: EventHistory,
  selected: Selected,
): TimelineViewport {
  const all = showingAll(view, sizes, history);
  if (all.scale >= SCALE_READABLE || selected === 'live') return all;
  return showing({ ...view, from: 0, scale: SCALE_READABLE }, sizes, selected);
}

function laneAt(viewport: TimelineViewport, sizes: TimelineSizes, y: number): number {
  return Math.floor((y + viewport.scrollTop - sizes.axisHeight) / sizes.laneHeight);
}

function xOfSelected(viewport: TimelineViewport, sizes: TimelineSizes, n: number): number {
  return sizes.gutterWidth + (n - viewport.from) * viewport.scale;
}
