/** Where a run sheet stands: which cues are done follows from the event log, so every screen says the same. */
import type { Event } from '../../../server/abi/event.ts';
import type { Cue } from '../../../server/protocol/run-sheet.ts';

export type Cast = ReadonlyMap<string, string>;

export class CueProgress {
  /** For each cue that is done the event that ended it. */
  readonly done: number[] = [];
  readonly #cues: readonly Cue[];
  readonly #cast: Cast;
  readonly #page: number;
  /** Verbs of the current cue that are done. */
  #verbs = 0;
  #last = 0;

  constructor(cues: readonly Cue[], cast: Cast, page: number) {
    this.#cues = cues;
    this.#cast = cast;
    this.#page = page;
  }

  /** The place of the cue that is next; as many as there are cues when all are done. */
  get current(): number {
    return this.done.length;
  }

  /** The last event that it has seen. */
  get last(): number {
    return this.#last;
  }

  /** Verbs of the current cue that are still to be done. */
  get verbsLeft(): Cue['do'] {
    return this.#cues[this.current]?.do.slice(this.#verbs) ?? [];
  }

  /** Events in order. Those that it has seen are left out. */
  see(events: Iterable<Event>): void {
    for (const event of events) {
      if (event.n <= this.#last) continue;
      this.#last = event.n;
      const cue = this.#cues[this.current];
      const actor = cue === undefined ? undefined : this.#cast.get(cue.role);
      const verb = cue?.do[this.#verbs];
      if (cue === undefined || actor === undefined || verb === undefined) continue;
      if (!ends(event, verb, actor, this.#page)) continue;
      this.#verbs += 1;
      if (this.#verbs < cue.do.length) continue;
      this.#verbs = 0;
      this.done.push(event.n);
    }
  }
}

const RETURNS: { readonly [Verb in Cue['do'][number]]?: string } = {
  setup: 'migrate_vma_setup',
  pages: 'migrate_vma_pages',
  finalize: 'migrate_vma_finalize',
};

/** Whether `event` is the end of what `verb` does. */
function ends(event: Event, verb: Cue['do'][number], actor: string, page: number): boolean {
  switch (verb) {
    case 'read':
    case 'write':
      return (
        event.kind === 'device-access' &&
        event.device === actor &&
        event.page === page &&
        event.mode === verb
      );
    case 'load':
    case 'store':
      return (
        event.kind === 'cpu-access' &&
        event.actor === actor &&
        event.page === page &&
        event.mode === (verb === 'load' ? 'read' : 'write')
      );
    default:
      return (
        event.kind === 'return' &&
        event.actor === actor &&
        event.function === RETURNS[verb] &&
        !event.result.startsWith('-E')
      );
  }
}
