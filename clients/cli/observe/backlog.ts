/** What happened before the observer came, as far as the server still has it. */

import type { Event } from '../../../server/abi/event.ts';
import { movedFetch } from '../../sdk/moved-fetch.ts';
import { httpUrlOf } from '../reach-server.ts';

/** Milliseconds for the answer. */
const ANSWER_MS = 10_000;
const SEPARATOR = '\n\n';

/**
 * The events behind number `since` up to the time of the answer, or 'too-old' if the server no longer has them all, or
 * 'unknown' if it has no such answer.
 */
export async function eventsSince(
  url: string,
  lab: string,
  since: number,
): Promise<readonly Event[] | 'too-old' | 'unknown'> {
  const path = `/api/labs/${encodeURIComponent(lab)}/events?since=${since}`;
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), ANSWER_MS);
  try {
    const response = await movedFetch(`${httpUrlOf(url)}${path}`, { signal: over.signal });
    if (!response.ok || response.body === null) return 'unknown';
    const message = await firstMessage(response.body);
    if (message.event === 'snapshot') return 'too-old';
    return (JSON.parse(message.data) as { readonly events: readonly Event[] }).events;
  } catch {
    return 'unknown';
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

/** Of a text/event-stream. */
async function firstMessage(
  body: ReadableStream<Uint8Array>,
): Promise<{ readonly event: string; readonly data: string }> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes(SEPARATOR)) break;
  }
  const fields = new Map<string, string>();
  for (const line of (text.split(SEPARATOR)[0] ?? '').split('\n')) {
    const at = line.indexOf(': ');
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 2));
  }
  return { event: fields.get('event') ?? '', data: fields.get('data') ?? '' };
}
