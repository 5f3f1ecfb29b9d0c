import type { Pong } from '../../../server/protocol/ping.ts';
import type { VerbResult } from '../../sdk/conductor.ts';

/** How long a ping took, and what the server knows of who sent it. Rejects as `ping` does. */
export async function pinged(
  ping: () => Promise<Pong>,
): Promise<{ readonly text: string; readonly result: VerbResult }> {
  const began = performance.now();
  const pong = await ping();
  const ms = Math.round((performance.now() - began) * 10) / 10;
  const { state, leaseLeftMs } = pong;
  const lease =
    leaseLeftMs === null
      ? 'the kernel waits for nothing of mine'
      : `the kernel waits for me, and fences me in ${leaseLeftMs} ms`;
  return { text: `${ms} ms there and back; ${state}; ${lease}`, result: { ms, ...pong } };
}
