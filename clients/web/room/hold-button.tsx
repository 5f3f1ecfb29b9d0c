import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';

const HOLD_MS = 2_000;

export interface HoldButtonProps {
  readonly children: ComponentChildren;
  readonly onHeld: () => void;
}

/** Does what it says when it has been held down for HOLD_MS, by a finger or by the space bar. */
export function HoldButton({ children, onHeld }: HoldButtonProps) {
  const timer = useRef<ReturnType<typeof setTimeout> | 'none'>('none');
  const [held, setHeld] = useState(false);
  const down = () => {
    if (timer.current !== 'none') return;
    setHeld(true);
    timer.current = setTimeout(onHeld, HOLD_MS);
  };
  const up = () => {
    if (timer.current !== 'none') clearTimeout(timer.current);
    timer.current = 'none';
    setHeld(false);
  };
  return (
    <button
      type="button"
      className={`hold ${held ? 'held' : ''}`}
      onPointerDown={down}
      onPointerUp={up}
      onPointerLeave={up}
      onKeyDown={({ key }) => {
        if (key === ' ' || key === 'Enter') down();
      }}
      onKeyUp={up}
      onBlur={up}
    >
      {children}
    </button>
  );
}
