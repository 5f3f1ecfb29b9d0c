/** Which events are about a client, and which of them are news to it. */

import type { Event } from '../../../server/abi/event.ts';
import { addressWords, pteWords } from '../../../server/report/event-words.ts';

export interface PromptClient {
  readonly role: 'device' | 'cpu';
  /** The actors of the process. */
  readonly actors: readonly string[];
  /** The address space of a CPU. */
  readonly mm: number;
}

/** What he did, and what was done to him. */
export function concerns(event: Event, { role, actors, mm }: PromptClient): boolean {
  if (actors.includes(event.actor)) return true;
  if ('device' in event && actors.includes(event.device)) return true;
  if (role === 'device') return false;
  return (event.kind === 'pte' || event.kind === 'vma') && event.mm === mm;
}

/** A line about what others do to him while he types; 'none' for what is no news. */
export function newsOf(event: Event, client: PromptClient): string | 'none' {
  const { role, actors, mm } = client;
  if (event.kind === 'violation' && (role === 'cpu' || actors.includes(event.device))) {
    return `VIOLATION [${event.rule}] ${event.device} at ${addressWords(event.page)}: ${event.text}`;
  }
  if (event.kind === 'callback') {
    const ownMigration = actors.includes(String(event.args.owner));
    return actors.includes(event.device) && !ownMigration ? calledBack(event) : 'none';
  }
  if (actors.includes(event.actor)) return 'none';
  switch (event.kind) {
    case 'fenced':
      return actors.includes(event.device)
        ? `${event.device} is fenced: its DMA is refused`
        : 'none';
    case 'pte':
      if (role === 'device' || event.mm !== mm) return 'none';
      return (
        `${event.actor} changes the entry of ${addressWords(event.page)}: ` +
        `${pteWords(event.from)} -> ${pteWords(event.to)}`
      );
    case 'vma':
      if (role === 'device' || event.mm !== mm) return 'none';
      return `${event.actor}: ${event.change} ${addressWords(event.first)} ${event.prot}`;
    default:
      return 'none';
  }
}

function calledBack(event: Extract<Event, { kind: 'callback' }>): string {
  const { first, end, page, event: why } = event.args;
  const at = typeof first === 'number' ? first : page;
  const place = typeof at === 'number' ? ` ${addressWords(at)}` : '';
  const more = typeof first === 'number' && typeof end === 'number' ? end - first : 1;
  const pages = more > 1 ? `, ${more} pages` : '';
  switch (event.function) {
    case 'invalidate':
      return `${askerOf(event)}${place}${pages} (${why ?? 'change'}): my entries go`;
    case 'migrate_to_ram':
      return `a CPU touches${place}, which is in my memory: it goes home`;
    case 'release':
      return 'the process that I mirror has exited: every entry goes';
    default:
      return `${event.function}${place}`;
  }
}

/** Where several devices are notified at once, each call is in the name of the device itself. */
function askerOf({ actor, device, args }: Extract<Event, { kind: 'callback' }>): string {
  if (actor !== device) return `${actor} invalidates`;
  const { owner } = args;
  return typeof owner === 'string' && owner !== 'none' ? `${owner} invalidates` : 'invalidation of';
}
