/** Events as lines of trace_pipe while they come: as the report `ftrace`, which sees the whole log, writes them. */

import type { Event } from '../../../server/abi/event.ts';
import { isDevicePfn } from '../../../server/kernel/memory/frames.ts';
import type { TracePlace } from '../../../server/report/ftrace/tracepoints.ts';
import { ftraceLine, placeOf } from '../../../server/report/ftrace.ts';
import { type Moved, movedPages } from '../../../server/report/timeline/moved-pages.ts';
import { spansOf } from '../../../server/report/timeline/spans.ts';
import { pfn } from '../../../server/vocabulary/address.ts';

/** Events looked back at for what a migration has moved. Of a longer one nothing is counted. */
const LOOK_BACK_EVENTS = 2_000;

export class FtraceStream {
  readonly #devices: Set<string>;
  readonly #deviceFrames = new Set<number>();
  readonly #places = new Map<string, TracePlace>();
  #last: Event[] = [];

  /** `devices` are those that are there already. */
  constructor(devices: readonly string[] = []) {
    this.#devices = new Set(devices);
    for (const device of devices) this.#place(device);
  }

  line(event: Event): string {
    this.#learn(event);
    return ftraceLine(event, {
      devices: this.#devices,
      deviceFrames: this.#deviceFrames,
      moved: event.kind === 'migration-end' ? this.#moved() : NONE,
      places: this.#places,
    });
  }

  #learn(event: Event): void {
    this.#place(event.actor);
    if (event.kind === 'attach' && event.role === 'device') this.#devices.add(event.actor);
    if ('device' in event && event.device !== '') this.#devices.add(event.device);
    if ('pfn' in event && isDevicePfn(pfn(event.pfn))) this.#deviceFrames.add(event.pfn);
    this.#last.push(event);
    if (this.#last.length > 2 * LOOK_BACK_EVENTS) this.#last = this.#last.slice(-LOOK_BACK_EVENTS);
  }

  #moved(): ReadonlyMap<number, Moved> {
    return movedPages(this.#last, spansOf(this.#last));
  }

  #place(actor: string): void {
    if (!this.#places.has(actor)) this.#places.set(actor, placeOf(actor, this.#places.size));
  }
}

const NONE: ReadonlyMap<number, Moved> = new Map();
