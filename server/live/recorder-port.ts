/** Where the inbound log of a machine goes as it grows. journal/recorder.ts writes it to disk. */
import type { Inbound } from '../machine/inbound.ts';
import type { Event } from '../protocol/event.ts';

export interface Recorder {
  /** Before the machine takes it. */
  inbound(inbound: Inbound): void;
  /** What the machine says of it, in order. */
  event(event: Event): void;
  /** The machine has done all it could. */
  settled(): void;
  close(): void;
}
