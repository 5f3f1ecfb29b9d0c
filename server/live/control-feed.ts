/** Notifies observers how the lab is driven, when that has changed, and not more often than they can look. */
import type { LabControl } from '../protocol/lab-control.ts';
import { guarded } from './guarded.ts';

/** Milliseconds between two tellings. */
export const CONTROL_MS = 50;

export class ControlFeed {
  readonly #look: () => LabControl;
  readonly #send: (params: string) => void;
  readonly #onThrow: (thrown: unknown) => void;
  #sent = '';
  #timer: NodeJS.Timeout | 'none' = 'none';

  /** `send` gets JSON text, made once for all observers; `onThrow` what a look has thrown. */
  constructor(
    look: () => LabControl,
    send: (params: string) => void,
    onThrow: (thrown: unknown) => void,
  ) {
    this.#look = look;
    this.#send = send;
    this.#onThrow = onThrow;
  }

  /** Something may have changed. */
  changed(): void {
    if (this.#timer !== 'none') return;
    this.#timer = setTimeout(() => {
      this.#timer = 'none';
      guarded(() => this.#tellChange(), this.#onThrow);
    }, CONTROL_MS);
    this.#timer.unref();
  }

  #tellChange(): void {
    const text = JSON.stringify(this.#look());
    if (text !== this.#sent) this.#send(text);
    this.#sent = text;
  }

  close(): void {
    if (this.#timer !== 'none') clearTimeout(this.#timer);
    this.#timer = 'none';
  }
}
