/** What lasts, between the event that begins it and the one that ends it: calls, brackets, locks, migrations. */
import type { Event } from '../../../server/abi/event.ts';

export type SpanKind = 'call' | 'callback' | 'bracket' | 'lock' | 'migration';

export interface EventSpan {
  readonly kind: SpanKind;
  /** Whose lane it is in. */
  readonly actor: string;
  readonly label: string;
  readonly from: number;
  /** The event that ended it, or Infinity while it is open. */
  to: number;
  /** Pages, or -1 where it is not about pages. */
  readonly first: number;
  readonly end: number;
  /** How many spans of the same kind and actor were open when it began. */
  readonly depth: number;
}

/** Pairs beginnings with ends as events arrive. */
export class OpenSpans {
  readonly #open = new Map<string, EventSpan[]>();

  /** Spans that have begun and not ended. */
  all(): EventSpan[] {
    return [...this.#open.values()].flat();
  }

  /**
   * `migrating` is the device whose migration a call belongs to.
   *
   * Returns: the span that `event` begins, or 'none'. Ends the one that it ends.
   */
  see(event: Event, migrating: string): EventSpan | 'none' {
    switch (event.kind) {
      case 'call':
        return this.#call(event, migrating);
      case 'return':
        this.#end(`call\n${event.actor}\n${event.task}\n${event.function}`, event.n);
        return 'none';
      case 'migration-end':
        this.#endOldest(`migration\n${event.device}`, event.n);
        return 'none';
      case 'callback':
        return this.#begin(`callback\n${event.device}\n${event.task}`, event.device, {
          kind: 'callback',
          label: event.function,
          from: event.n,
          ...pagesOf(event.args),
        });
      case 'callback-return':
        this.#end(`callback\n${event.device}\n${event.task}`, event.n);
        return 'none';
      case 'invalidate_range_start':
        return this.#begin(`bracket\n${event.id}`, event.actor, {
          kind: 'bracket',
          label: `invalidate (${event.event})`,
          from: event.n,
          first: event.first,
          end: event.end,
        });
      case 'invalidate_range_end':
        this.#end(`bracket\n${event.id}`, event.n);
        return 'none';
      case 'lock':
        return this.#begin(`lock\n${event.actor}\n${event.lock}`, event.actor, {
          kind: 'lock',
          label: event.mode === 'read' ? `${event.lock} (read)` : event.lock,
          from: event.n,
          first: -1,
          end: -1,
        });
      case 'unlock':
        this.#end(`lock\n${event.actor}\n${event.lock}`, event.n);
        return 'none';
      case 'detach':
        this.#endAllOf(event.actor, event.n);
        return 'none';
      default:
        return 'none';
    }
  }

  #call(event: Extract<Event, { kind: 'call' }>, migrating: string): EventSpan {
    const pages = pagesOf(event.args);
    if (event.function === 'migrate_vma_setup') {
      this.#begin(`migration\n${migrating}`, migrating, {
        kind: 'migration',
        label: 'migration',
        from: event.n,
        ...pages,
      });
    }
    return this.#begin(`call\n${event.actor}\n${event.task}\n${event.function}`, event.actor, {
      kind: 'call',
      label: event.function,
      from: event.n,
      ...pages,
    });
  }

  /** The migration that a call of migrate_vma_setup() has just begun: its own span beside the call's. */
  migrationOf(call: EventSpan, migrating: string): EventSpan | 'none' {
    if (call.label !== 'migrate_vma_setup') return 'none';
    return this.#open.get(`migration\n${migrating}`)?.at(-1) ?? 'none';
  }

  #begin(
    key: string,
    actor: string,
    span: Pick<EventSpan, 'kind' | 'label' | 'from' | 'first' | 'end'>,
  ): EventSpan {
    let depth = 0;
    for (const open of this.#open.values()) {
      for (const each of open) if (each.kind === span.kind && each.actor === actor) depth += 1;
    }
    const begun: EventSpan = { ...span, actor, to: Number.POSITIVE_INFINITY, depth };
    const open = this.#open.get(key);
    if (open === undefined) this.#open.set(key, [begun]);
    else open.push(begun);
    return begun;
  }

  #end(key: string, n: number): void {
    const open = this.#open.get(key);
    const ended = open?.pop();
    if (ended !== undefined) ended.to = n;
    if (open?.length === 0) this.#open.delete(key);
  }

  #endOldest(key: string, n: number): void {
    const open = this.#open.get(key);
    const ended = open?.shift();
    if (ended !== undefined) ended.to = n;
    if (open?.length === 0) this.#open.delete(key);
  }

  #endAllOf(actor: string, n: number): void {
    for (const [key, open] of this.#open) {
      if (open[0]?.actor !== actor) continue;
      for (const span of open) span.to = n;
      this.#open.delete(key);
    }
  }
}

function pagesOf(args: Extract<Event, { kind: 'call' }>['args']): Pick<EventSpan, 'first' | 'end'> {
  const { first, end, page } = args;
  if (typeof first === 'number' && typeof end === 'number') return { first, end };
  if (typeof page === 'number') return { first: page, end: page + 1 };
  return { first: -1, end: -1 };
}
