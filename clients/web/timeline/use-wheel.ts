import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

export interface WheelHandlers {
  /** At so many pixels from the left edge. */
  readonly zoomed: (factor: number, x: number) => void;
  readonly panned: (pixels: number) => void;
  readonly scrolled: (pixels: number) => void;
}

/** The wheel zooms, pans if it turns sideways, and with Shift scrolls the lanes. Not passive: the page stays. */
export function useWheel(
  canvas: RefObject<HTMLCanvasElement>,
  { zoomed, panned, scrolled }: WheelHandlers,
): void {
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      if (event.ctrlKey || event.metaKey || Math.abs(event.deltaY) > Math.abs(event.deltaX)) {
        if (event.shiftKey) scrolled(event.deltaY);
        else zoomed(Math.exp(-event.deltaY / 400), event.offsetX);
      } else panned(event.deltaX);
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => element.removeEventListener('wheel', wheel);
  });
}
