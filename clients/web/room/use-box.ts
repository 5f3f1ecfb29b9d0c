import { useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface BoxSize {
  readonly width: number;
  readonly height: number;
}

/** The size of an element, in pixels, before it is painted the first time and whenever it changes. */
export function useBox<Element extends HTMLElement>(): readonly [
  { readonly current: Element | null },
  BoxSize,
] {
  const element = useRef<Element>(null);
  const [box, setBox] = useState<BoxSize>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return;
    const look = () => {
      const { width, height } = current.getBoundingClientRect();
      setBox((before) =>
        before.width === width && before.height === height ? before : { width, height },
      );
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(current);
    return () => observer.disconnect();
  });
  return [element, box];
}
