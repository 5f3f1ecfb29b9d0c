/** A canvas that fills its parent and is drawn again in the next frame whenever something says so. */
import type { RefObject } from 'preact';
import { useCallback, useEffect, useRef } from 'preact/hooks';

export interface CanvasSize {
  readonly width: number;
  readonly height: number;
}

export interface CanvasHandle {
  readonly canvas: RefObject<HTMLCanvasElement>;
  /** Draws again in the next frame. */
  readonly invalidate: () => void;
}

/**
 * `draw` is called in frames in which `stamp` gives something else than in the last one, or after invalidate(). It
 * returns 'again' to be called in the next frame too, for what moves by itself.
 */
export function useCanvas(
  draw: (pen: CanvasRenderingContext2D, size: CanvasSize, now: number) => 'again' | 'done',
  stamp: () => string,
): CanvasHandle {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef({ draw, stamp });
  latest.current = { draw, stamp };
  const state = useRef({ dirty: true, drawn: '' });
  state.current.dirty = true;
  useEffect(() => {
    const element = canvas.current;
    const parent = element?.closest('.view');
    const pen = element?.getContext('2d', { alpha: false });
    if (element === null || !(parent instanceof HTMLElement) || !pen) return;
    let size: CanvasSize = { width: 0, height: 0 };
    const measure = () => {
      size = { width: parent.clientWidth, height: parent.clientHeight };
      const dense = Math.min(2, devicePixelRatio);
      element.width = Math.round(size.width * dense);
      element.height = Math.round(size.height * dense);
      element.style.width = `${size.width}px`;
      element.style.height = `${size.height}px`;
      pen.setTransform(dense, 0, 0, dense, 0, 0);
      state.current.dirty = true;
    };
    const observer = new ResizeObserver(measure);
    observer.observe(parent);
    measure();
    let frame = requestAnimationFrame(function next(now) {
      frame = requestAnimationFrame(next);
      countFrame(now);
      const stampNow = latest.current.stamp();
      if (!state.current.dirty && stampNow === state.current.drawn) return;
      state.current.dirty = latest.current.draw(pen, size, now) === 'again';
      state.current.drawn = stampNow;
    });
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
    };
  }, []);
  const invalidate = useCallback(() => {
    state.current.dirty = true;
  }, []);
  return { canvas, invalidate };
}

/** How long frames take, for the benchmark: it reads `mmraceFrames` in the page. Off until it is asked for. */
const FRAMES_KEPT_MAX = 100_000;

declare global {
  /** Milliseconds from frame to frame, while it is there. */
  var mmraceFrames: number[] | undefined;
}

let before = 0;

function countFrame(now: number): void {
  const frames = globalThis.mmraceFrames;
  if (frames !== undefined && now !== before && before > 0 && frames.length < FRAMES_KEPT_MAX) {
    frames.push(now - before);
  }
  before = now;
}
