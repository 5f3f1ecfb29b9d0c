/** What is known of a lab from its event log: who is there, what is mapped, the CPU page tables, and what happened. */

import type { Event, PteView } from '../../../server/abi/event.ts';
import { DEFAULT_KERNEL } from '../../../server/abi/kernel-ids.ts';
import type { LabSnapshot } from '../../../server/protocol/lab-snapshot.ts';
import { type MappingSeen, mappingsAfter } from '../../../server/report/timeline/mappings.ts';

/** Events that are kept for `log`; older ones are forgotten. */
export const PROMPT_EVENTS_MAX = 5_000;

type ActorSeen = LabSnapshot['actors'][number];
type VmaEvent = Extract<Event, { kind: 'vma' }>;

/** The address space that every lab begins with. */
const FIRST_MM = 0;

export class PromptLabView {
  /** The last event that is in here. */
  n = 0;
  kernel: string = DEFAULT_KERNEL;
  patch = 'stock';
  readonly #actors = new Map<string, ActorSeen>();
  readonly #ptes = new Map<number, Map<number, PteView>>();
  readonly #mmOf = new Map<string, number>();
  #mappings = new Map<number, readonly MappingSeen[]>();
  /** Changes of mappings that are not in #mappings yet: what mremap() does shows only in a row of them. */
  #changed: VmaEvent[] = [];
  /** Who forks, and whom. */
  readonly #forking = new Map<string, string>();
  #events: Event[] = [];

  /** Begins from a state. Events of another machine are forgotten. */
  restart(snapshot: LabSnapshot): void {
    if (snapshot.n < this.n) this.#events = [];
    this.n = snapshot.n;
    this.kernel = snapshot.kernel;
    this.patch = snapshot.patch;
    this.#actors.clear();
    this.#ptes.clear();
    for (const actor of snapshot.actors) this.#actors.set(actor.name, actor);
    for (const { mm, page, entry } of snapshot.ptes) this.#setPte(mm, page, entry as PteView);
    this.#changed = [];
    this.#mappings = mappingsAfter(snapshot.vmas.map(asEvent));
  }

  apply(events: readonly Event[]): void {
    for (const event of events) {
      this.n = event.n;
      this.#one(event);
      this.#events.push(event);
    }
    this.#remap();
    const over = this.#events.length - PROMPT_EVENTS_MAX;
    if (over > 0) this.#events.splice(0, over);
  }

  get actors(): readonly ActorSeen[] {
    return [...this.#actors.values()];
  }

  /** Sorted by address. */
  mappings(mm: number): readonly MappingSeen[] {
    return this.#mappings.get(mm) ?? [];
  }

  /** The entries that are not empty, by page. */
  pageTable(mm: number): ReadonlyMap<number, PteView> {
    return this.#ptes.get(mm) ?? new Map();
  }

  /** The address space of a CPU thread; a number below zero is one of which nothing has shown yet. */
  mmOf(actor: string): number {
    return this.#mmOf.get(actor) ?? FIRST_MM;
  }

  /** The last `count` events that `concerns` picks, in order. */
  log(count: number, concerns: (event: Event) => boolean): readonly Event[] {
    return this.#events.filter(concerns).slice(-count);
  }

  #one(event: Event): void {
    switch (event.kind) {
      case 'vma':
        this.#changed.push(event);
        break;
      case 'call':
        if (event.function === 'fork') this.#forks(event.actor, String(event.args.child), event.n);
        break;
      case 'return':
        if (event.function === 'fork') this.#forking.delete(event.actor);
        break;
      case 'attach':
        this.#actors.set(event.actor, {
          name: event.actor,
          role: event.role === 'cpu' ? 'cpu' : 'device',
          state: 'attached',
        });
        break;
      case 'detach':
        this.#actors.delete(event.actor);
        this.#mmOf.delete(event.actor);
        break;
      case 'fenced':
        this.#actors.set(event.device, { name: event.device, role: 'device', state: 'fenced' });
        break;
      case 'pte': {
        this.#setPte(event.mm, event.page, event.to);
        const child = this.#forking.get(event.actor);
        if (child !== undefined && event.mm !== this.mmOf(event.actor)) {
          this.#learn(child, event.mm);
        }
        break;
      }
      case 'fault':
      case 'cpu-access':
      case 'signal':
        this.#learn(event.actor, event.mm);
        break;
      default:
        // Nothing that stays.
        break;
    }
  }

  /** The child has what its parent has mapped. Which number its address space has shows only later. */
  #forks(parent: string, child: string, n: number): void {
    this.#remap();
    this.#forking.set(parent, child);
    this.#mmOf.set(child, -n);
    this.#mappings.set(-n, this.mappings(this.mmOf(parent)));
  }

  #learn(actor: string, mm: number): void {
    const before = this.#mmOf.get(actor) ?? mm;
    this.#mmOf.set(actor, mm);
    if (before >= 0) return;
    this.#remap();
    this.#mappings.set(mm, this.mappings(before));
    this.#mappings.delete(before);
  }

  #remap(): void {
    if (this.#changed.length === 0) return;
    this.#mappings = mappingsAfter([...this.#mappingEvents(), ...this.#changed]);
    this.#changed = [];
  }

  #setPte(mm: number, page: number, entry: PteView): void {
    const table = this.#ptes.get(mm) ?? new Map<number, PteView>();
    this.#ptes.set(mm, table);
    if (entry.state === 'none') table.delete(page);
    else table.set(page, entry);
  }

  #mappingEvents(): VmaEvent[] {
    return [...this.#mappings].flatMap(([mm, mappings]) =>
      mappings.map((mapping) => asEvent({ mm, ...mapping })),
    );
  }
}

/** A mapping that was there before as if it had been made just now. */
function asEvent(mapping: {
  readonly mm: number;
  readonly first: number;
  readonly end: number;
  readonly prot: string;
  readonly kind?: string;
}): VmaEvent {
  const { mm, first, end, prot, kind = 'mapping' } = mapping;
  return { n: 0, actor: '', task: '', kind: 'vma', mm, first, end, prot, change: `mmap ${kind}` };
}
