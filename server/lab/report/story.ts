/**
 * What happened to one page, told in kernel words: one row for each step that a reader must know, in the column of
 * whoever did it. Locks, allocations and answers that say nothing are left out.
 */
import type { Event, EventBody, PteView } from '../../protocol/event.ts';
import { isBoring, SYSTEM_CALLS } from './boring-calls.ts';
import { addressWords, frameWords, isPlainSuccess, placeWords, pteWords } from './event-words.ts';

export interface StoryRow {
  /** The number of the event that the row began with. */
  readonly n: number;
  readonly actor: string;
  text: string;
  /** What is wrong with this step. */
  bug: string | 'none';
}

export interface Story {
  readonly page: number;
  readonly rows: readonly StoryRow[];
  /** The violation that the rows lead to, in the oracle's words. */
  readonly verdict: string | 'none';
}

type Violation = Extract<Event, { kind: 'violation' }>;
type Call = Extract<EventBody, { kind: 'call' }>;

/** The story of `page`, or of the page that the first violation is about, or of the page with the most events. */
export function storyOf(events: readonly Event[], page: number | 'choose' = 'choose'): Story {
  const violations = events.filter((event) => event.kind === 'violation');
  const focus = page === 'choose' ? (violations[0]?.page ?? busiestPage(events)) : page;
  const teller = new Teller(focus, events);
  for (const event of events) teller.hear(event);
  const verdict = markBug(teller.rows, violations, focus);
  return { page: focus, rows: mergeRuns(teller.rows), verdict };
}

class Teller {
  readonly rows: StoryRow[] = [];
  readonly #page: number;
  /** What the CPU's entry is at this point of the story. */
  #pte: PteView;
  /** Frames that somebody reached the page through: their end is part of the story. */
  readonly #frames = new Set<number>();
  /** Rows of calls that have not returned, by actor and function. */
  readonly #open = new Map<string, StoryRow>();
  /** Actors that migrate the page: their later calls name only the migration. */
  readonly #migrating = new Set<string>();
  /** Devices whose invalidate callback runs: dropping the entry is what it is for. */
  readonly #invalidating = new Set<string>();

  constructor(page: number, events: readonly Event[]) {
    this.#page = page;
    const first = events.find((event) => event.kind === 'pte' && event.page === page);
    this.#pte = first?.kind === 'pte' ? first.from : { state: 'none' };
  }

  hear(event: Event): void {
    if (!this.#concerns(event)) return;
    switch (event.kind) {
      case 'call':
        this.#hearCall(event);
        return;
      case 'return':
        this.#hearReturn(event, event.function, event.result);
        return;
      case 'callback': {
        if (event.function === 'invalidate') this.#invalidating.add(event.device);
        this.#tell(event, event.device, `${event.function} ${placeWords(event.args)}`.trimEnd());
        return;
      }
      case 'callback-return':
        if (event.function === 'invalidate') this.#invalidating.delete(event.device);
        if (isPlainSuccess(event.result)) return;
        this.#tell(event, event.device, `${event.function} = ${event.result}`);
        return;
      case 'pte':
        this.#pte = event.to;
        this.#tell(
          event,
          event.actor,
          `PTE ${addressWords(event.page)}: ${pteWords(event.from)} -> ${pteWords(event.to)}`,
        );
        return;
      case 'mirror':
        this.#hearMirror(event);
        return;
      case 'device-access':
        this.#frames.add(event.pfn);
        this.#tell(
          event,
          event.device,
          `${event.mode} ${addressWords(event.page)} = ${event.value}`,
        );
        return;
      case 'cpu-access': {
        this.#frames.add(event.pfn);
        const verb = event.mode === 'read' ? 'load' : 'store';
        this.#tell(event, event.actor, `${verb} ${addressWords(event.page)} = ${event.value}`);
        return;
      }
      case 'fault':
        if (this.#faultsForHmm(event.actor)) return;
        this.#tell(event, event.actor, `${event.mode} fault at ${addressWords(event.page)}`);
        return;
      case 'signal':
        this.#tell(event, event.actor, `${event.signal} at ${addressWords(event.page)}`);
        return;
      case 'frame-free':
        this.#tell(event, event.actor, `free ${frameWords(event.pfn)}`);
        return;
      case 'fenced':
        this.#tell(event, event.device, 'fenced: its DMA is refused from now on');
        return;
      case 'detach':
        this.#tell(event, event.actor, 'detached');
        return;
      default:
        return;
    }
  }

  /** False for what happened to other pages, or to nobody in particular. */
  #concerns(event: Event): boolean {
    switch (event.kind) {
      case 'pte':
      case 'mirror':
      case 'device-access':
      case 'cpu-access':
      case 'fault':
      case 'signal':
        return event.page === this.#page;
      case 'frame-free':
        return this.#frames.has(event.pfn);
      case 'callback':
        return !isOwnInvalidation(event.device, event.args) && this.#argumentsConcern(event.args);
      case 'call':
        return !isBoring(event.function) && this.#callConcerns(event, event.actor);
      case 'detach':
        return this.rows.some((row) => row.actor === event.actor);
      default:
        return true;
    }
  }

  #argumentsConcern({ first, end, page }: Call['args']): boolean {
    if (typeof page === 'number') return page === this.#page;
    if (typeof first !== 'number') return true;
    if (typeof end !== 'number') return false;
    return first <= this.#page && this.#page < end;
  }

  #callConcerns(call: Call, actor: string): boolean {
    if ('first' in call.args || 'page' in call.args) return this.#argumentsConcern(call.args);
    return !call.function.startsWith('migrate_') || this.#migrating.has(actor);
  }

  #hearCall(event: Event & Call): void {
    const name = event.function;
    if (name === 'migrate_vma_setup') this.#migrating.add(event.actor);
    if (name === 'migrate_vma_finalize') this.#migrating.delete(event.actor);
    const { advice, prot } = event.args;
    const words = [placeWords(event.args), advice, prot].filter(
      (word) => word !== undefined && word !== '',
    );
    const shown = SYSTEM_CALLS.has(name) ? words.join(', ') : '';
    this.#open.set(`${event.actor} ${name}`, this.#tell(event, event.actor, `${name}(${shown})`));
  }

  #hearReturn(event: Event, name: string, result: string): void {
    const call = this.#open.get(`${event.actor} ${name}`);
    if (call === undefined) return;
    this.#open.delete(`${event.actor} ${name}`);
    const got = isPlainSuccess(result) ? this.#inferred(name) : result;
    if (got === '') return;
    const since = this.rows.slice(this.rows.indexOf(call) + 1);
    // A result that came after somebody else's step gets a row of its own: the order is the point.
    if (since.every((row) => row.actor === call.actor)) call.text += ` = ${got}`;
    else this.#tell(event, event.actor, `${name}() = ${got}`);
  }

  /** What a range fault saw, when its result does not say: the entry as it is now. */
  #inferred(name: string): string {
    return name.startsWith('hmm_range_fault') ? pteWords(this.#pte) : '';
  }

  #hearMirror(event: Extract<Event, { kind: 'mirror' }>): void {
    const { device, page, to } = event;
    if (to.state === 'mapped') {
      this.#frames.add(to.pfn);
      const what = this.#pte.state === 'zero' ? 'zero page' : frameWords(to.pfn);
      const rights = { read: 'r', write: 'rw', exclusive: 'exclusive' }[to.access];
      this.#tell(event, device, `map ${addressWords(page)} = ${what} (${rights})`);
    } else if (!this.#invalidating.has(device)) {
      this.#tell(event, device, `drop ${addressWords(page)}`);
    }
  }

  #faultsForHmm(actor: string): boolean {
    return [...this.#open.keys()].some((call) => call.startsWith(`${actor} hmm_range_fault`));
  }

  #tell(event: Event, actor: string, text: string): StoryRow {
    const row: StoryRow = { n: event.n, actor, text, bug: 'none' };
    this.rows.push(row);
    return row;
  }
}

/** A driver ignores what its own migration or exclusive access sets off. */
function isOwnInvalidation(device: string, { event, owner }: Call['args']): boolean {
  return owner === device && (event === 'migrate' || event === 'exclusive');
}

function busiestPage(events: readonly Event[]): number {
  const counts = new Map<number, number>();
  for (const event of events) {
    if (!('page' in event)) continue;
    counts.set(event.page, (counts.get(event.page) ?? 0) + 1);
  }
  let busiest = 0;
  for (const [page, count] of counts) if (count > (counts.get(busiest) ?? 0)) busiest = page;
  return busiest;
}

/** Marks the step that shows the bug; an access that went wrong shows it better than the entry left behind. */
function markBug(
  rows: readonly StoryRow[],
  violations: readonly Violation[],
  page: number,
): string | 'none' {
  const candidates = violations
    .filter((violation) => violation.page === page)
    .map((violation) => ({ violation, row: rowOf(rows, violation) }));
  const shown =
    candidates.find(({ row }) => row !== 'none' && /^(?:read|write|load|store) /.test(row.text)) ??
    candidates.find(({ row }) => row !== 'none');
  if (shown === undefined || shown.row === 'none') return violations[0]?.text ?? 'none';
  shown.row.bug = bugWord(shown.violation);
  return `[${shown.violation.rule}] ${shown.violation.text}`;
}

/** The last step before the violation: of the device that it is about, if that did one just then. */
function rowOf(rows: readonly StoryRow[], violation: Violation): StoryRow | 'none' {
  const before = rows.filter((row) => row.n < violation.n);
  const told = new Set([...violation.deviceHistory, ...violation.cpuHistory]);
  return (
    before.findLast((row) => told.has(row.n) && row.actor === violation.device) ??
    before.at(-1) ??
    'none'
  );
}

const BUG_WORDS: readonly (readonly [oracle: RegExp, word: string])[] = [
  [/coheren|mirror|value/, 'stale'],
  [/frame/, 'freed frame'],
  [/dirty/, 'lost write'],
  [/left|leak|balance/, 'left behind'],
  [/progress|deadlock|livelock/, 'stuck'],
  [/contract|driver/, 'contract'],
];

function bugWord(violation: Violation): string {
  return BUG_WORDS.find(([oracle]) => oracle.test(violation.oracle.toLowerCase()))?.[1] ?? '';
}

/** The same step again and again is one row: `hmm_range_fault() = EBUSY (x3)`. */
function mergeRuns(rows: readonly StoryRow[]): StoryRow[] {
  const merged: StoryRow[] = [];
  let times = 1;
  for (const [at, row] of rows.entries()) {
    const next = rows[at + 1];
    if (next?.actor === row.actor && next.text === row.text && row.bug === next.bug) {
      times += 1;
      continue;
    }
    merged.push(times === 1 ? row : { ...row, text: `${row.text} (x${times})` });
    times = 1;
  }
  return merged;
}
