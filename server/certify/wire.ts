/** The way to a device in another process, as the schedules see it: one frame at a time, and no frame by itself. */
import type { FromClient, Outbound } from '../machine/remote/inbound.ts';

export interface Wire {
  /** Whether its client is connected. */
  readonly state: 'connected' | 'gone';
  /**
   * The device begins anew, and says so within `ms`. Every frame of it from then on goes to `arrived`, and reaches
   * nobody else.
   */
  reset(
    ms: number,
    arrived: (inbound: FromClient) => void,
  ): Promise<'ready' | 'silent' | 'refused'>;
  /** Sends one frame. */
  deliver(outbound: Outbound): void;
  /** Resolves with the next frame that comes, or when the client leaves, or after `ms`. */
  nextFrame(ms: number): Promise<'came' | 'nothing'>;
  /** What the gateway has refused since the reset, so that it did not arrive: in words, or 'nothing'. */
  refused(): string | 'nothing';
}
