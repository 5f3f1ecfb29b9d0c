/** The way to a device in another process, as the schedules see it: one frame at a time, and no frame by itself. */
import type { FromClient, Outbound } from '../machine/remote/inbound.ts';

export interface Wire {
  /** Whether its client is connected. */
  readonly state: 'connected' | 'gone';
  /**
   * The device begins anew, and says so within `ms`; if it does not, that is 'silent', or 'busy' as of nextFrame().
   * Every frame of it from then on goes to `arrived`, and reaches nothing else.
   */
  reset(
    ms: number,
    arrived: (inbound: FromClient) => void,
  ): Promise<'ready' | 'silent' | 'busy' | 'refused'>;
  /** Sends one frame. */
  deliver(outbound: Outbound): void;
  /**
   * Resolves with the next frame that comes, or when the client leaves, or after `ms`: 'nothing', or 'busy' if this
   * process itself got so little time meanwhile that a client on the same machine may have got none.
   */
  nextFrame(ms: number): Promise<'came' | 'nothing' | 'busy'>;
  /** What the gateway has refused since the reset, so that it did not arrive: in words, or 'nothing'. */
  refused(): string | 'nothing';
}
