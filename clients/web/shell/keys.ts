/** Keys of the page: one table a view, listed by `?`. Nothing is bound while a person types. */
import { useEffect, useRef } from 'preact/hooks';

export interface KeyBinding {
  /** As KeyboardEvent.key has it. */
  readonly key: string;
  /** As people read it. */
  readonly shown: string;
  readonly does: string;
  readonly run: () => void;
}

const tables: (readonly KeyBinding[])[] = [];

export function keysInForce(): readonly KeyBinding[] {
  return tables.flat();
}

/** Binds keys for as long as the component is there. The last one bound wins. */
export function useKeys(bindings: readonly KeyBinding[]): void {
  const table = useRef<KeyBinding[]>([]);
  table.current.splice(0, table.current.length, ...bindings);
  useEffect(() => {
    const { current } = table;
    tables.push(current);
    return () => {
      tables.splice(tables.indexOf(current), 1);
    };
  }, []);
}

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  // A dialog has the keys to itself: Escape closes it, whatever it means to the view behind.
  if (document.querySelector('dialog[open]') !== null) return;
  if (isTyping(event.target, event.key)) return;
  const bound = tables.flat().findLast(({ key }) => key === event.key);
  if (bound === undefined) return;
  event.preventDefault();
  bound.run();
});

/** Letters belong to fields, and Enter and space to buttons. */
function isTyping(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches('input, textarea, select')) return key !== 'Escape';
  return target.matches('button, a') && (key === 'Enter' || key === ' ');
}
