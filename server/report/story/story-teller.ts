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
import { isElided, SYSTEM_CALLS } from './elided-calls.ts';
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
  /** Whoever asks; in the lab the driver's steps run in that very task. */
  readonly asker: string;
}

const NO_ENTRY: PteView = { state: 'none' };

export class StoryTeller {
  readonly rows: StoryRow[] = [];
  readonly #page: number;
  /** What the CPU's entry is at this point of the story, in each address space where it changes. */
  readonly #ptes = new Map<number, PteView>();
  /** Frames that the entry has named, in each address space. */
  readonly #named = new Map<number, Set<number>>();
  /** The address space that the story began in; rows that are in none are told with its entry. */
  readonly #mm: number;
  /** Whether there is more than one: then it is said which. */
  readonly #manySpaces: boolean;
  /** The frame that each device maps the page to. */
  readonly #mirrors = new Map<string, number>();
  /** By actor and function. */
  readonly #open = new Map<string, OpenCall>();
  /** Who migrates the page, and how many others with it: their later calls may name only the migration. */
  readonly #migrating = new Map<string, number>();
  /** Frames that somebody took for the page and has not used yet. */
  readonly #prepared = new Set<number>();
  readonly #invalidating = new Set<string>();
  readonly #services: Service[] = [];

  constructor(page: number, events: readonly Event[]) {
    this.#page = page;
    const spaces = new Set<number>();
    for (const event of events) {
      if (!('mm' in event)) continue;
      spaces.add(event.mm);
      if (event.kind !== 'pte' || event.page !== page || this.#ptes.has(event.mm)) continue;
      this.#ptes.set(event.mm, event.from);
    }
    this.#mm = this.#ptes.keys().next().value ?? 0;
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
        if (event.page === this.#page) this.#hearPte(event);
        return;
      case 'mirror':
        if (event.page === this.#page) this.#hearMirror(event);
        return;
      case 'device-access':
        if (event.page === this.#page) this.#hearDeviceAccess(event);
        return;
      case 'cpu-access': {
        if (event.page !== this.#page) return;
        const verb = event.mode === 'read' ? 'load' : 'store';
        const stale = this.#isStale(event) ? ', by a stale TLB entry' : '';
        const text = `${this.#space(event.mm)}${verb} ${addressWords(event.page)} = ${event.value}${stale}`;
        this.#tell(event, event.actor, text, { kind: 'access' });
        return;
      }
      case 'fault':
        if (event.page !== this.#page || this.#isInRangeFault(event.actor)) return;
        this.#tell(
          event,
          event.actor,
          `${this.#space(event.mm)}${event.mode} fault at ${addressWords(event.page)}`,
        );
        return;
      case 'signal':
        if (event.page !== this.#page) return;
        this.#tell(
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
      case 'fenced':
        this.#tell(event, event.device, 'fenced: its DMA is refused from now on');
        return;
      case 'detach':
        if (!this.rows.some((row) => row.actor === event.actor)) return;
        this.#tell(event, event.actor, 'detached');
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
    const words = [placeWords(args), args.advice, args.prot].filter(
      (word) => word !== undefined && word !== '',
    );
    const shown = SYSTEM_CALLS.has(name) ? words.join(', ') : '';
    const row = this.#tell(event, actor, `${name}(${shown})`, { weight: 'minor' });
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
    // A result that came after somebody else's step gets a row of its own: the order is the point.
    if (since.every((row) => row.actor === actor)) {
      call.row.text += ` = ${got}`;
      if (since.length === 0) call.row.last = event.n;
    } else this.#tell(event, actor, `${name}() = ${got}`);
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
    const mapped = this.#mirrors.has(device);
    if (name === 'invalidate') this.#invalidating.add(device);
    this.#tell(event, device, `${name} ${placeWords(args)}`.trimEnd(), {
      kind: name === 'invalidate' ? 'invalidate' : 'step',
      weight: name === 'invalidate' && !mapped ? 'minor' : 'main',
    });
  }

  #hearCallbackReturn(event: Of<'callback-return'>): void {
    const { function: name, device, result } = event;
    if (name === 'invalidate') this.#invalidating.delete(device);
    if (!isPlainSuccess(result)) this.#tell(event, device, `${name} = ${result}`);
    if (name !== 'migrate_to_ram') return;
    const at = this.#services.findLastIndex((service) => service.device === device);
    if (at >= 0) this.#services.splice(at, 1);
  }

  #hearPte(event: Of<'pte'>): void {
    const { from, to } = event;
    const space = this.#space(event.mm);
    const text = `${space}PTE ${addressWords(event.page)}: ${pteChangeWords(from, to)}`;
    this.#tell(event, this.#doerOf(event), text, { pte: { from, to } });
    const named = this.#named.get(event.mm) ?? new Set();
    if ('pfn' in from) named.add(from.pfn);
    this.#named.set(event.mm, named);
    this.#ptes.set(event.mm, to);
    if ('pfn' in to) this.#prepared.delete(to.pfn);
  }

  #hearMirror(event: Of<'mirror'>): void {
    const { device, page, to } = event;
    if (to.state === 'none') {
      this.#mirrors.delete(device);
      if (this.#invalidating.has(device)) return;
      this.#tell(event, device, `drop ${addressWords(page)}`, { kind: 'map', weight: 'minor' });
      return;
    }
    this.#mirrors.set(device, to.pfn);
    const rights = { read: 'r', write: 'rw', exclusive: 'exclusive' }[to.access];
    const text = `map ${addressWords(page)} = ${this.#frameWords(to.pfn)} (${rights})`;
    this.#tell(event, device, text, { kind: 'map' });
  }

  #frameWords(pfn: number): string {
    if (this.#pte.state === 'zero') return 'zero page';
    const isThere = 'pfn' in this.#pte && this.#pte.pfn === pfn;
    return isThere && this.#pte.state === 'device-private' ? pteWords(this.#pte) : frameWords(pfn);
  }

  #hearDeviceAccess(event: Of<'device-access'>): void {
    const { device, mode, page, value } = event;
    this.#tell(event, device, `${mode} ${addressWords(page)} = ${value}`, {
      kind: 'access',
      // While it serves a fault a device copies; the CPU's access is the one that counts.
      weight: this.#serviceOf(device) === 0 ? 'main' : 'minor',
    });
  }

  get #pte(): PteView {
    return this.#ptes.get(this.#mm) ?? NO_ENTRY;
  }

  /** `mm1 `, where there is another. */
  #space(mm: number): string {
    return this.#manySpaces ? `mm${mm} ` : '';
  }

  /** The frame that was reached is not the one that the entry names any more. */
  #isStale({ mm, pfn }: Of<'cpu-access'>): boolean {
    const pte = this.#ptes.get(mm);
    if (pte === undefined || !this.#named.get(mm)?.has(pfn)) return false;
    return !('pfn' in pte) || pte.pfn !== pfn;
  }

  /** The end of a frame belongs to the story if a device still reaches it, or if it was prepared in vain. */
  #hearFrameFree(event: Of<'frame-free'>): void {
    const { pfn } = event;
    if (!(this.#prepared.delete(pfn) || [...this.#mirrors.values()].includes(pfn))) return;
    this.#tell(event, this.#doerOf(event), `free ${frameWords(pfn)}`);
  }

  #callConcerns(name: string, args: Arguments, actor: string): boolean {
    if ('first' in args || 'page' in args) return this.#argumentsConcern(args);
    return !name.startsWith('migrate_') || this.#migrating.has(actor);
  }

  #argumentsConcern({ first, end, page }: Arguments): boolean {
    if (typeof page === 'number') return page === this.#page;
    if (typeof first !== 'number') return true;
    return typeof end === 'number' && first <= this.#page && this.#page < end;
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

  #tell(
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
      pteBefore: ('mm' in event ? this.#ptes.get(event.mm) : undefined) ?? this.#pte,
      mm: 'mm' in event ? event.mm : this.#mm,
      service: kind === 'invalidate' ? open : this.#serviceOf(actor),
      weight,
    };
    this.rows.push(row);
    return row;
  }
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
