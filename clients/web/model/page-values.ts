/** What stands in frames, and what was read and written, as far as the event log shows it. */
import type { Event, PteView } from '../../../server/abi/event.ts';

export const ZERO_FRAME = 0;
export const ZERO_VALUE = '0x0';
/** The rule that says what a read must return. */
const VALUES_RULE = 'OR3';

export interface SeenWrite {
  readonly n: number;
  readonly actor: string;
  readonly value: string;
}

export interface SeenRead {
  readonly n: number;
  readonly actor: string;
  readonly page: number;
  readonly value: string;
  /** What was written last before it, or 'none'. */
  readonly against: SeenWrite | 'none';
  /** 'wrong': an oracle has said so. */
  readonly judged: 'fine' | 'wrong';
}

export interface PageValues {
  /** By frame. Where nothing is known the frame is absent. */
  readonly frames: Map<number, string>;
  /** What the CPU's entry of the page leads to, by page. */
  readonly pages: Map<number, string>;
  readonly written: Map<number, SeenWrite>;
  /** The newest of each actor, by readKey(). */
  readonly reads: Map<string, SeenRead>;
}

export function noPageValues(): PageValues {
  return { frames: new Map(), pages: new Map(), written: new Map(), reads: new Map() };
}

export function copyPageValues({ frames, pages, written, reads }: PageValues): PageValues {
  return {
    frames: new Map(frames),
    pages: new Map(pages),
    written: new Map(written),
    reads: new Map(reads),
  };
}

export function readKey(actor: string, page: number): string {
  return `${actor}\n${page}`;
}

type Access = Extract<Event, { kind: 'device-access' | 'cpu-access' | 'pin-access' }>;

/** A device's own copying is no access of its program: `doing` says which this is. */
export function seeAccess(values: PageValues, event: Access, doing: 'access' | 'copy'): void {
  const { page, pfn, value, mode, n } = event;
  const actor = event.kind === 'device-access' ? event.device : event.actor;
  if (pfn !== ZERO_FRAME) values.frames.set(pfn, value);
  if (doing === 'copy') return;
  if (mode === 'write') {
    values.written.set(page, { n, actor, value });
    values.pages.set(page, value);
    return;
  }
  const against = values.written.get(page) ?? 'none';
  values.reads.set(readKey(actor, page), { n, actor, page, value, against, judged: 'fine' });
}

/** What a page holds moves with it into a frame that is new to us. */
export function seeEntry(values: PageValues, page: number, from: PteView, to: PteView): void {
  const left = valueAt(values, from);
  if (left !== 'unknown') values.pages.set(page, left);
  const pfn = frameOf(to);
  if (pfn === 'none' || pfn === ZERO_FRAME || values.frames.has(pfn)) return;
  values.frames.set(pfn, values.pages.get(page) ?? ZERO_VALUE);
}

export function seeViolation(
  values: PageValues,
  event: Extract<Event, { kind: 'violation' }>,
): void {
  if (event.rule !== VALUES_RULE) return;
  const key = readKey(event.device === '' ? event.actor : event.device, event.page);
  const read = values.reads.get(key);
  if (read !== undefined) values.reads.set(key, { ...read, judged: 'wrong' });
}

/** What an access through the entry gives. */
export function valueAt(values: PageValues, entry: PteView): string | 'unknown' {
  const pfn = frameOf(entry);
  if (pfn === 'none') return 'unknown';
  return pfn === ZERO_FRAME ? ZERO_VALUE : (values.frames.get(pfn) ?? 'unknown');
}

/** The zero page is frame 0. */
export function frameOf(entry: PteView): number | 'none' {
  switch (entry.state) {
    case 'zero':
      return ZERO_FRAME;
    case 'present':
    case 'migration':
    case 'device-private':
    case 'device-exclusive':
      return entry.pfn;
    default:
      return 'none';
  }
}
