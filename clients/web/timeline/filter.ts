/** Which events of the timeline are wanted. */

import type { Event } from '../../../server/abi/event.ts';
import { describeBody } from '../../../server/report/describe-event.ts';
import { PAGE_SIZE } from '../../../server/vocabulary/address.ts';
import type { EventBlock } from '../model/event-history.ts';
import { MARKS, type Mark } from '../model/event-marks.ts';
import type { LaneGroup } from './lane-group.ts';

export interface TimelineFilter {
  readonly hiddenMarks: ReadonlySet<Mark>;
  readonly hiddenActors: ReadonlySet<string>;
  /** Groups of lanes that are drawn as one. */
  readonly folded: ReadonlySet<LaneGroup>;
  /** Words that all must occur, in the event's sentence or its actor's name; an address means its page. */
  readonly text: string;
}

export const NO_FILTER: TimelineFilter = {
  hiddenMarks: new Set(),
  hiddenActors: new Set(),
  folded: new Set(),
  text: '',
};

export function isFiltering({ hiddenMarks, hiddenActors, text }: TimelineFilter): boolean {
  return hiddenMarks.size > 0 || hiddenActors.size > 0 || text.trim() !== '';
}

export function matchesFilter(filter: TimelineFilter, event: Event): boolean {
  const words = wordsOf(filter.text);
  return words.length === 0 || matchesWords(words, event);
}

/** Remembers for each block which of its events the filter's text wants: each event is read once. */
export class FilteredBlocks {
  readonly #filter: TimelineFilter;
  readonly #words: readonly string[];
  readonly #hiddenMarks: Uint8Array;
  readonly #seen = new WeakMap<EventBlock, Uint8Array>();
  readonly #seenUpTo = new WeakMap<EventBlock, number>();

  constructor(filter: TimelineFilter) {
    this.#filter = filter;
    this.#words = wordsOf(filter.text);
    this.#hiddenMarks = Uint8Array.from(MARKS, (mark) => (filter.hiddenMarks.has(mark) ? 1 : 0));
  }

  get filter(): TimelineFilter {
    return this.#filter;
  }

  wants(block: EventBlock, at: number): boolean {
    if (this.#hiddenMarks[block.marks[at] ?? 0] === 1) return false;
    if (this.#words.length === 0) return true;
    return this.#matches(block)[at] === 1;
  }

  #matches(block: EventBlock): Uint8Array {
    let matches = this.#seen.get(block);
    if (matches === undefined) {
      matches = new Uint8Array(block.marks.length);
      this.#seen.set(block, matches);
    }
    const from = this.#seenUpTo.get(block) ?? 0;
    for (let at = from; at < block.events.length; at += 1) {
      const event = block.events[at];
      if (event !== undefined && matchesWords(this.#words, event)) matches[at] = 1;
    }
    this.#seenUpTo.set(block, block.events.length);
    return matches;
  }
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}

function matchesWords(words: readonly string[], event: Event): boolean {
  const sentence = `${event.actor} ${describeBody(event)}`.toLowerCase();
  return words.every((word) => sentence.includes(word) || isAbout(event, word));
}

function isAbout(event: Event, word: string): boolean {
  if (!/^0x[0-9a-f]+$/.test(word)) return false;
  const page = Math.floor(Number(word) / PAGE_SIZE);
  if (page === 0) return false;
  if ('page' in event) return event.page === page;
  if ('first' in event) return event.first <= page && page < event.end;
  if (!('args' in event)) return false;
  const { first, end } = event.args;
  return typeof first === 'number' && typeof end === 'number' && first <= page && page < end;
}
