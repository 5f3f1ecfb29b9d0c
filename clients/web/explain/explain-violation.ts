/** A violation in plain words, from the events that led to it: what happened, and why nothing prevented it. */

import type { Event } from '../../../server/abi/event.ts';
import { pteWords } from '../../../server/report/event-words.ts';
import { hexAddress, pageIndex } from '../../../server/vocabulary/address.ts';
import { RULES } from '../../../server/vocabulary/rules.ts';
import { faceWords, mirrorFace } from '../memory/cell-face.ts';
import type { SeenViolation } from '../model/event-history.ts';

export interface Explanation {
  readonly headline: string;
  /** In the order in which to read them. */
  readonly story: readonly string[];
  readonly rule: string;
  readonly ruleText: string;
  readonly cpuSide: readonly Event[];
  readonly deviceSide: readonly Event[];
}

/** `events` in order; those that the violation's histories name are among them, if they are still kept. */
export function explainViolation(violation: SeenViolation, events: readonly Event[]): Explanation {
  const { rule, device, page, text, cpuHistory, deviceHistory } = violation;
  const byNumber = new Map(events.map((event) => [event.n, event]));
  const named = (numbers: readonly number[]) =>
    numbers.flatMap((n) => {
      const event = byNumber.get(n);
      return event === undefined ? [] : [event];
    });
  return {
    headline: headlineOf(violation),
    story: device === '' ? [sentence(text)] : storyOfDevice(violation, events),
    rule,
    ruleText:
      (RULES as { readonly [id: string]: string })[rule] ??
      `${violation.oracle}: at ${hexAddress(pageIndex(page))}`,
    cpuSide: named(cpuHistory),
    deviceSide: named(deviceHistory),
  };
}

function headlineOf({ oracle, device, page, text, actor }: SeenViolation): string {
  const where = hexAddress(pageIndex(page));
  const who = device === '' ? actor : device;
  switch (oracle) {
    case 'values':
      return `${who} read a value at ${where} that is no longer there`;
    case 'mirror coherence':
      return `${who} uses an entry for ${where} that is stale`;
    case 'frame safety':
      return `${who} can reach a frame that was freed`;
    default:
      return sentence(text);
  }
}

function storyOfDevice(violation: SeenViolation, events: readonly Event[]): string[] {
  const { n, device, page, text } = violation;
  const before = events.filter((event) => event.n < n);
  const mapped = before.findLast(
    (event): event is Extract<Event, { kind: 'mirror' }> =>
      event.kind === 'mirror' &&
      event.device === device &&
      event.page === page &&
      event.to.state === 'mapped',
  );
  if (mapped === undefined) return [sentence(text)];
  const changes = before.filter(
    (event): event is Extract<Event, { kind: 'pte' }> =>
      event.kind === 'pte' && event.page === page && event.mm === 0 && event.n > mapped.n,
  );
  const brackets = bracketsOf(before, page);
  const early = brackets.findLast(({ end }) => end < mapped.n);
  const late = brackets.find(({ start }) => start > mapped.n);
  const first = changes[0];
  const last = changes.at(-1);
  return [
    `At event ${mapped.n}, ${device} put the page into its own page table: ` +
      `${faceWords(mirrorFace(mapped.to, undefined))}.`,
    ...(first === undefined || last === undefined
      ? []
      : [
          `At event ${first.n}, ${first.actor} changed the CPU's entry of the same page in ` +
            `${first.task}: ${pteWords(first.from)} became ${pteWords(last.to)}.`,
        ]),
    late === undefined
      ? `Between the two ${device} was not told: no invalidation of the page was sent after it had mapped it.` +
        (early === undefined
          ? ''
          : ` The one before, events ${early.start} to ${early.end}, had ended by then, so it could not help.`)
      : `An invalidation was sent at event ${late.start}, but ${device} kept its entry all the same.`,
    `So at event ${n}: ${sentence(text)}`,
  ];
}

interface PastBracket {
  readonly start: number;
  readonly end: number;
}

function bracketsOf(events: readonly Event[], page: number): PastBracket[] {
  const started = new Map<number, number>();
  const found: PastBracket[] = [];
  for (const event of events) {
    if (event.kind === 'invalidate_range_start') {
      if (event.mm === 0 && event.first <= page && page < event.end) started.set(event.id, event.n);
    } else if (event.kind === 'invalidate_range_end') {
      const start = started.get(event.id);
      if (start !== undefined) found.push({ start, end: event.n });
    }
  }
  return found;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
