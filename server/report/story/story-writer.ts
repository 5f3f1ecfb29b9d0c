/** Turns events into rows, and remembers what it needs to know for that: entries, mirrors, open calls. */
import type { Event, EventBody, PteView } from '../../abi/event.ts';
import {
  addressWords,
  frameWords,
  isPlainSuccess,
  placeWords,
  pteChangeWords,
  pteWords,
} from '../event-words.ts';
import { decisiveBrackets } from './decisive-brackets.ts';
import { relatedPages } from './related-pages.ts';
import type { StoryRow } from './story-row.ts';

type Of<Kind extends EventBody['kind']> = Extract<Event, { kind: Kind }>;
type Arguments = Of<'call'>['args'];

interface OpenCall {
  readonly row: StoryRow;
  readonly pte: PteView;
}

/** A device that serves a CPU fault: what its driver does meanwhile is part of that. */
interface Service {
  readonly id: number;
  readonly device: string;
  /** The asking task; in the lab the driver's steps run in that very task. */
  readonly asker: string;
}

const NO_ENTRY: PteView = { state: 'none' };
/** As accesses call the frame of the zero page. */
const ZERO_FRAME = 0;
export const BY_A_STALE_ENTRY = ', by a stale TLB entry';

export class StoryWriter {
  readonly rows: StoryRow[] = [];
  readonly #page: number;
  /** The page, and others that belong into its story. */
  readonly #pages: ReadonlySet<number>;
  /** The numbers of starts and ends of invalidations that are shown. */
  readonly #brackets: ReadonlySet<number>;
  /** What the CPU's entries are at this point of the story: those that change, by address space and page. */
  readonly #ptes = new Map<string, PteView>();
  /** Frames that each entry has named. */
  readonly #named = new Map<string, Set<number>>();
  /** The address space that the story began in; rows outside any are shown with its entry. */
  readonly #mm: number;
  /** Whether there is more than one: then it is said which. */
  readonly #manySpaces: boolean;
  /** The frame that each device maps a page to, by device and page. */
  readonly #mirrors = new Map<string, number>();
  /** By actor and function. */
  readonly #open = new Map<string, OpenCall>();
  /** Who migrates the page, and how many others with it: their later calls may name only the migration. */
  readonly #migrating = new Map<string, number>();
  /** Frames that an actor took for the page and has not used yet. */
  readonly #prepared = new Set<number>();
  readonly #invalidating = new Set<string>();
  readonly #services: Service[] = [];

  constructor(page: number, events: readonly Event[]) {
    this.#page = page;
    this.#pages = relatedPages(page, events);
    this.#brackets = decisiveBrackets(page, events);
    const spaces = new Set<number>();
    let begins: number | 'unknown' = 'unknown';
    for (const event of events) {
      if (!('mm' in event)) continue;
      spaces.add(event.mm);
      if (event.kind !== 'pte' || !this.#pages.has(event.page)) continue;
      if (event.page === page && begins === 'unknown') begins = event.mm;
      const place = placeOf(event);
      if (!this.#ptes.has(place)) this.#ptes.set(place, event.from);
    }
    this.#mm = begins === 'unknown' ? 0 : begins;
    this.#manySpaces = spaces.size > 1;
  }

  hear(event: Event): void {
    switch (event.kind) {
      case 'call':
        this.#hearCall(event);
        return;
      case 'return':
        this.#hearReturn(event);
        return;
      case 'callback':
        this.#hearCallback(event);
        return;
      case 'callback-return':
        this.#hearCallbackReturn(event);
        return;
      case 'pte':
        if (this.#pages.has(event.page)) this.#hearPte(event);
        return;
      case 'mirror':
        if (this.#pages.has(event.page)) this.#hearMirror(event);
        return;
      case 'device-access':
        if (this.#pages.has(event.page)) this.#hearDeviceAccess(event);
        return;
      case 'cpu-access': {
        if (!this.#pages.has(event.page)) return;
        const verb = event.mode === 'read' ? 'load' : 'store';
        const stale = this.#isStale(event) ? BY_A_STALE_ENTRY : '';
        const text = `${this.#space(event.mm)}${verb} ${addressWords(event.page)} = ${event.value}${stale}`;
        this.#write(event, event.actor, text, { kind: 'access' });
        return;
      }
      case 'pin-access': {
        if (!this.#pages.has(event.page)) return;
        const { mm, page, mode, value } = event;
        const text = `${this.#space(mm)}${mode} ${addressWords(page)} = ${value}, through its pin`;
        const elsewhere = this.#isStale(event) ? ` of ${frameWords(event.pfn)}` : '';
        this.#write(event, event.actor, `${text}${elsewhere}`, { kind: 'access' });
        return;
      }
      case 'fault':
        if (!this.#pages.has(event.page) || this.#isInRangeFault(event.actor)) return;
        this.#write(
          event,
          event.actor,
          `${this.#space(event.mm)}${event.mode} fault at ${addressWords(event.page)}`,
        );
        return;
      case 'signal':
        if (!this.#pages.has(event.page)) return;
        this.#write(
          event,
          event.actor,
          `${this.#space(event.mm)}${event.signal} at ${addressWords(event.page)}`,
        );
        return;
      case 'frame-alloc':
        if (this.#migrating.get(this.#doerOf(event)) === 1) this.#prepared.add(event.pfn);
        return;
      case 'frame-free':
        this.#hearFrameFree(event);
        return;
      case 'invalidate_range_start':
      case 'invalidate_range_end':
        if (!this.#brackets.has(event.n)) return;
        this.#write(
          event,
          event.actor,
          `invalidation of ${placeWords({ first: event.first, end: event.end })} ${
            event.kind === 'invalidate_range_start' ? 'begins' : 'ends'
          }`,
        );
        return;
      case 'fenced':
        this.#write(event, event.device, 'fenced: its DMA is refused from now on');
        return;
      case 'detach':
        if (!this.rows.some((row) => row.actor === event.actor)) return;
        this.#write(event, event.actor, 'detached');
        return;
      default:
        return;
    }
  }

  #hearCall(event: Of<'call'>): void {
    const { function: name, args } = event;
    const actor = this.#doerOf(event);
    if (isElided(name) || !this.#callConcerns(name, args, actor)) return;
    if (name === 'migrate_vma_setup') this.#migrating.set(actor, pagesOf(args));
    if (name === 'migrate_vma_finalize') this.#migrating.delete(actor);
    const to = typeof args.to === 'number' ? addressWords(args.to) : undefined;
    const words = [placeWords(args), to, args.advice, args.prot].filter(
      (word) => word !== undefined && word !== '',
    );
    const shown = SYSTEM_CALLS.has(name) ? words.join(', ') : '';
    const row = this.#write(event, actor, `${name}(${shown})`, { weight: 'minor' });
    this.#open.set(`${actor} ${name}`, { row, pte: this.#pte });
  }

  #hearReturn(event: Of<'return'>): void {
    const { function: name, result } = event;
    const actor = this.#doerOf(event);
    const call = this.#open.get(`${actor} ${name}`);
    if (call === undefined) return;
    this.#open.delete(`${actor} ${name}`);
    const got = isPlainSuccess(result) ? this.#inferred(name, call) : result;
    if (got === '') return;
    const since = this.rows.slice(this.rows.indexOf(call.row) + 1);
    // A result that came after another actor's step gets a row of its own: the order is the point.
    if (since.every((row) => row.actor === actor)) {
      call.row.text += ` = ${got}`;
      if (since.length === 0) call.row.last = event.n;
    } else this.#write(event, actor, `${name}() = ${got}`);
  }

  /** What a success means here, where the result does not say. */
  #inferred(name: string, call: OpenCall): string {
    if (name.startsWith('hmm_range_fault')) {
      return this.#ptes.size > 0 ? pteWords(this.#pte) : '';
    }
    // A page of system memory stands behind a migration entry until it is finalized.
    const untouched = this.#pte === call.pte && this.#pte.state !== 'migration';
    return name === 'migrate_vma_pages' && untouched ? 'not inserted' : '';
  }

  #hearCallback(event: Of<'callback'>): void {
    const { function: name, device, args } = event;
    if (isOwnInvalidation(device, args) || !this.#argumentsConcern(args)) return;
    if (name === 'migrate_to_ram') {
      this.#services.push({ id: event.n, device, asker: doer(event) });
    }
    const mapped = [...this.#mirrors.keys()].some((place) => place.startsWith(`${device} `));
    if (name === 'invalidate') this.#invalidating.add(device);
    this.#write(event, device, `${name} ${placeWords(args)}`.trimEnd(), {
      kind: name === 'invalidate' ? 'invalidate' : 'step',
      weight: name === 'invalidate' && !mapped ? 'minor' : 'main',
    });
  }

  #hearCallbackReturn(event: Of<'callback-return'>): void {
    const { function: name, device, result } = event;
    if (name === 'invalidate') this.#invalidating.delete(device);
    if (!isPlainSuccess(result)) this.#write(event, device, `${name} = ${result}`);
    if (name !== 'migrate_to_ram') return;
    const at = this.#services.findLastIndex((service) => service.device === device);
    if (at >= 0) this.#services.splice(at, 1);
  }

  #hearPte(event: Of<'pte'>): void {
    const { from, to } = event;
    const space = this.#space(event.mm);
    const text = `${space}PTE ${addressWords(event.page)}: ${pteChangeWords(from, to)}`;
    this.#write(event, this.#doerOf(event), text, { pte: { from, to } });
    const place = placeOf(event);
    const named = this.#named.get(place) ?? new Set();
    const before = frameOf(from);
    if (before !== 'none') named.add(before);
    this.#named.set(place, named);
    this.#ptes.set(place, to);
    if ('pfn' in to) this.#prepared.delete(to.pfn);
  }

  #hearMirror(event: Of<'mirror'>): void {
    const { device, page, to } = event;
    if (to.state === 'none') {
      this.#mirrors.delete(`${device} ${page}`);
      if (this.#invalidating.has(device)) return;
      this.#write(event, device, `drop ${addressWords(page)}`, { kind: 'map', weight: 'minor' });
      return;
    }
    this.#mirrors.set(`${device} ${page}`, to.pfn);
    const rights = { read: 'r', write: 'rw', exclusive: 'exclusive' }[to.access];
    const frame = page === this.#page ? this.#frameWords(to.pfn) : frameWords(to.pfn);
    const text = `map ${addressWords(page)} = ${frame} (${rights})`;
    this.#write(event, device, text, { kind: 'map' });
  }

  #frameWords(pfn: number): string {
    if (this.#pte.state === 'zero') return 'zero page';
    const isThere = 'pfn' in this.#pte && this.#pte.pfn === pfn;
    return isThere && this.#pte.state === 'device-private' ? pteWords(this.#pte) : frameWords(pfn);
  }

  #hearDeviceAccess(event: Of<'device-access'>): void {
    const { device, mode, page, value } = event;
    this.#write(event, device, `${mode} ${addressWords(page)} = ${value}`, {
      kind: 'access',
      // While it serves a fault a device copies; the CPU's access is the one that counts.
      weight: this.#serviceOf(device) === 0 ? 'main' : 'minor',
    });
  }

  get #pte(): PteView {
    return this.#ptes.get(placeOf({ mm: this.#mm, page: this.#page })) ?? NO_ENTRY;
  }

  /** What the entry of the page was, in the address space that the event is about. */
  #entryBefore(event: Event): PteView {
    if (!('mm' in event)) return this.#pte;
    return this.#ptes.get(placeOf({ mm: event.mm, page: this.#page })) ?? this.#pte;
  }

  /** `mm1 `, where there is another. */
  #space(mm: number): string {
    return this.#manySpaces ? `mm${mm} ` : '';
  }

  /** The frame that was reached is not the one that the entry names any more. */
  #isStale({ mm, page, pfn }: Of<'cpu-access' | 'pin-access'>): boolean {
    const place = placeOf({ mm, page });
    const pte = this.#ptes.get(place);
    if (pte === undefined || !this.#named.get(place)?.has(pfn)) return false;
    return frameOf(pte) !== pfn;
  }

  /** The end of a frame belongs to the story if a device still reaches it, or if it was prepared in vain. */
  #hearFrameFree(event: Of<'frame-free'>): void {
    const { pfn } = event;
    if (!(this.#prepared.delete(pfn) || [...this.#mirrors.values()].includes(pfn))) return;
    this.#write(event, this.#doerOf(event), `free ${frameWords(pfn)}`);
  }

  #callConcerns(name: string, args: Arguments, actor: string): boolean {
    if ('first' in args || 'page' in args) return this.#argumentsConcern(args);
    return !name.startsWith('migrate_') || this.#migrating.has(actor);
  }

  #argumentsConcern({ first, end, page }: Arguments): boolean {
    if (typeof page === 'number') return this.#pages.has(page);
    if (typeof first !== 'number') return true;
    if (typeof end !== 'number') return false;
    return [...this.#pages].some((one) => first <= one && one < end);
  }

  #isInRangeFault(actor: string): boolean {
    return [...this.#open.keys()].some((call) => call.startsWith(`${actor} hmm_range_fault`));
  }

  /** Whose step it is: of the device that serves a fault, even where its driver runs in the asking task. */
  #doerOf(event: Event): string {
    const served = this.#services.findLast(({ asker }) => asker === doer(event));
    return served?.device ?? event.actor;
  }

  #serviceOf(actor: string): number {
    return this.#services.findLast(({ device }) => device === actor)?.id ?? 0;
  }

  #write(
    event: Event,
    actor: string,
    text: string,
    more: Partial<Pick<StoryRow, 'kind' | 'pte' | 'weight'>> = {},
  ): StoryRow {
    const { kind = 'step', pte = 'unchanged', weight = 'main' } = more;
    const open = this.#services.at(-1)?.id ?? 0;
    const row: StoryRow = {
      n: event.n,
      last: event.n,
      actor,
      text,
      bug: 'none',
      turn: 'none',
      kind,
      pte,
      pteBefore: this.#entryBefore(event),
      mm: 'mm' in event ? event.mm : this.#mm,
      service: kind === 'invalidate' ? open : this.#serviceOf(actor),
      weight,
    };
    this.rows.push(row);
    return row;
  }
}

function frameOf(pte: PteView): number | 'none' {
  if (pte.state === 'zero') return ZERO_FRAME;
  return 'pfn' in pte ? pte.pfn : 'none';
}

function placeOf({ mm, page }: { readonly mm: number; readonly page: number }): string {
  return `${mm} ${page}`;
}

function doer(event: Event): string {
  return `${event.actor} ${event.task}`;
}

function pagesOf({ first, end }: Arguments): number {
  return typeof first === 'number' && typeof end === 'number' ? end - first : 0;
}

/** A driver ignores what its own migration or exclusive access sets off. */
function isOwnInvalidation(device: string, { event, owner }: Arguments): boolean {
  return owner === device && (event === 'migrate' || event === 'exclusive');
}

// Calls that a race is never about, or that another event shows better.

const ELIDED: ReadonlySet<string> = new Set([
  'mmap_read_lock',
  'mmap_read_unlock',
  'find_vma',
  'mmu_interval_notifier_insert',
  'mmu_interval_notifier_remove',
  'mmu_interval_read_begin',
  'memremap_pages',
  'alloc_pages',
  'zone_device_page_init',
  'put_device_page',
  'unlock_and_put_pages',
  // The accesses themselves are events.
  'dma_read',
  'dma_write',
  'load',
  'store',
]);

/** Calls whose range belongs into the story; the others are about the page that the story is about. */
const SYSTEM_CALLS: ReadonlySet<string> = new Set([
  'mmap',
  'munmap',
  'mprotect',
  'mremap',
  'madvise_dontneed',
  'madvise_free',
  'madvise_pageout',
  'madvise_remove',
  'madvise_collapse',
  'madvise',
  'pin_user_pages',
  'pin_user_pages_fast',
  'unpin_user_pages',
  'get_user_pages',
  'release_pages',
  'fork',
  'exit',
]);

function isElided(name: string): boolean {
  return ELIDED.has(name);
}
