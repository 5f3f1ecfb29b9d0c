import type { TargetedPointerEvent } from 'preact';
import { useRef } from 'preact/hooks';

/** Pixels of a pointer's way below which it was a click. */
const CLICK_PIXELS = 5;

type CanvasPointer = TargetedPointerEvent<HTMLCanvasElement>;

/** In pixels from the left and the upper edge. */
export interface PointerPlace {
  readonly x: number;
  readonly y: number;
}

export interface DragHandlers {
  /** By so many pixels since the last time. */
  readonly dragged: (dx: number, dy: number) => void;
  readonly clicked: (at: PointerPlace) => void;
  /** Without a button; 'none' when the pointer leaves or begins to drag. */
  readonly hovered: (at: PointerPlace | 'none') => void;
}

/** The pointer handlers of a canvas that is dragged, clicked or pointed at. */
export function useDrag({ dragged, clicked, hovered }: DragHandlers) {
  const drag = useRef<{ x: number; y: number; moved: number } | 'none'>('none');
  return {
    onPointerDown: (event: CanvasPointer) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      drag.current = { x: event.clientX, y: event.clientY, moved: 0 };
    },
    onPointerMove: (event: CanvasPointer) => {
      const from = drag.current;
      if (from === 'none') {
        hovered(placeOf(event));
        return;
      }
      hovered('none');
      const { clientX: x, clientY: y } = event;
      const [dx, dy] = [x - from.x, y - from.y];
      const moved = from.moved + Math.abs(dx) + Math.abs(dy);
      drag.current = { x, y, moved };
      if (moved >= CLICK_PIXELS) dragged(dx, dy);
    },
    onPointerUp: (event: CanvasPointer) => {
      const from = drag.current;
      drag.current = 'none';
      if (from === 'none' || from.moved >= CLICK_PIXELS) return;
      clicked(placeOf(event));
    },
    onPointerCancel: () => {
      drag.current = 'none';
    },
    onPointerLeave: () => hovered('none'),
  };
}

function placeOf({ clientX, clientY, currentTarget }: CanvasPointer): PointerPlace {
  const { left, top } = currentTarget.getBoundingClientRect();
  return { x: clientX - left, y: clientY - top };
}
