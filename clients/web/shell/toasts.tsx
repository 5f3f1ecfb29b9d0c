/** Short news, told over the page for a while: nothing moves for them, and screen readers hear them. */
import { useSyncExternalStore } from 'preact/compat';

/** Milliseconds that a piece of news stays. */
const STAYS_MS = 7_000;
const SHOWN_MAX = 3;

interface Toast {
  readonly id: number;
  readonly text: string;
}

let toasts: readonly Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

/** Tells a sentence. The same one twice in a row is told once. */
export function showToast(text: string): void {
  if (text === '' || toasts.at(-1)?.text === text) return;
  const id = nextId;
  nextId += 1;
  change([...toasts, { id, text }].slice(-SHOWN_MAX));
  setTimeout(() => dismiss(id), STAYS_MS);
}

function dismiss(id: number): void {
  change(toasts.filter((toast) => toast.id !== id));
}

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text }) => (
        <p key={id}>
          <span>{text}</span>
          <button type="button" onClick={() => dismiss(id)}>
            Dismiss
          </button>
        </p>
      ))}
    </div>
  );
}
