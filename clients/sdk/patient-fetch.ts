/** A request over HTTP that a busy server has put off is asked again, after the seconds that it names. */
import type { HttpErrorName } from '../../server/protocol/http-errors.ts';

/** Milliseconds that a busy server is waited for in all. */
const PATIENCE_MS = 15_000;

/** What passes by itself within seconds. What has been refused for it was not begun. */
const PASSES: readonly unknown[] = [
  'under-pressure',
  'too-many-requests',
  'too-many-histories',
  'restoring',
  'stalled',
] satisfies readonly HttpErrorName[];

/** Rejects as `ask` does. Returns: the last answer, if the server is busy for longer than anybody waits. */
export async function patientFetch(ask: () => Promise<Response>): Promise<Response> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const response = await ask();
    const waitMs = 1_000 * Number(response.headers.get('retry-after') ?? 'never');
    if (!(performance.now() + waitMs < giveUpAt && (await isPutOff(response)))) return response;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

async function isPutOff(response: Response): Promise<boolean> {
  if (response.status !== 503 && response.status !== 429) return false;
  const body = (await response
    .clone()
    .json()
    .catch(() => null)) as { readonly error?: { readonly code?: unknown } } | null;
  return PASSES.includes(body?.error?.code);
}
