/** What happened in a lab before this page looked, if the server still has it all. */
import type { Event } from '../../../server/abi/event.ts';

/** Bytes of the first message above which it is not waited for. */
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

/** Returns: all events from the first one on, or 'too-old' if the first ones are forgotten. */
export async function earlierEvents(lab: string): Promise<readonly Event[] | 'too-old'> {
  const stop = new AbortController();
  try {
    const address = `/api/labs/${encodeURIComponent(lab)}/events?since=0`;
    const response = await fetch(address, { signal: stop.signal });
    if (!response.ok || response.body === null) return 'too-old';
    return eventsIn(await firstMessage(response.body));
  } finally {
    stop.abort();
  }
}

/** The stream goes on for ever; only what it begins with is wanted. */
async function firstMessage(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (text.length < MESSAGE_BYTES_MAX) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
    const end = text.indexOf('\n\n');
    if (end >= 0) return text.slice(0, end);
  }
  return '';
}

/** The events of a message of an event stream; 'too-old' for any other message. */
export function eventsIn(message: string): readonly Event[] | 'too-old' {
  const lines = message.split('\n');
  if (!lines.includes('event: events')) return 'too-old';
  const data = lines.find((line) => line.startsWith('data: '))?.slice('data: '.length) ?? '{}';
  const { events } = JSON.parse(data) as { readonly events?: readonly Event[] };
  return events?.[0]?.n === 1 ? events : 'too-old';
}
