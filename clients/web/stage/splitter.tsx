import type { TargetedKeyboardEvent, TargetedPointerEvent } from 'preact';
import { useState } from 'preact/hooks';

/** Percent of the height that the upper view has. */
export const SHARE_AT_FIRST = 42;
const SHARE_MIN = 15;
const SHARE_MAX = 85;
const STEP = 4;

export interface SplitterProps {
  readonly share: number;
  readonly onShare: (share: number) => void;
}

/** Between the two views: drag it, or move it by the arrow keys; a double click puts it back. */
export function Splitter({ share, onShare }: SplitterProps) {
  const [held, setHeld] = useState(false);
  const take = (wanted: number) => onShare(Math.max(SHARE_MIN, Math.min(SHARE_MAX, wanted)));
  const moved = (event: TargetedPointerEvent<HTMLElement>) => {
    const box = event.currentTarget.parentElement?.getBoundingClientRect();
    if (held && box !== undefined) take((100 * (event.clientY - box.top)) / box.height);
  };
  const pressed = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const by = { ArrowUp: -STEP, ArrowDown: STEP }[event.key];
    if (by === undefined) return;
    take(share + by);
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule that is moved is no hr.
    <div
      className="splitter"
      role="separator"
      aria-orientation="horizontal"
      aria-label="Height of the memory view"
      aria-valuenow={Math.round(share)}
      aria-valuemin={SHARE_MIN}
      aria-valuemax={SHARE_MAX}
      tabIndex={0}
      onKeyDown={pressed}
      onDblClick={() => onShare(SHARE_AT_FIRST)}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setHeld(true);
      }}
      onPointerMove={moved}
      onPointerUp={() => setHeld(false)}
      onPointerCancel={() => setHeld(false)}
    />
  );
}
