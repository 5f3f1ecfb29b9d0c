/**
 * The window of a race: events that must have come in this order for the race to have been possible at all. An
 * execution in which they never did says nothing about the question.
 */
import type { Event } from '../abi/event.ts';
import type { PageIndex } from '../vocabulary/address.ts';
import type { Matcher } from './scenario-schema.ts';

export interface WindowStep {
  readonly event: Event['kind'];
  readonly function: string | 'any';
  readonly by: string | 'anybody';
  readonly page: PageIndex | 'any';
  /** The state that an entry changed to. */
  readonly to: string | 'any';
  /** What a call or a callback returned. */
  readonly result: string | 'any';
}

/** One way to fill in the actors of a window: for each matcher who it is about. */
export type CompiledWindow = readonly (readonly WindowStep[])[];

/** Ways to fill in templates; more of them are not tried. */
const WAYS_MAX = 256;

/**
 * `instancesOf` says which actors a name stands for. The same name is the same actor in all matchers, whichever it
 * is.
 */
export function compileWindow(
  matchers: readonly Matcher[],
  instancesOf: (name: string) => readonly string[],
  pageAt: (place: string) => PageIndex,
): CompiledWindow {
  const names = [...new Set(matchers.flatMap(({ by }) => (by === undefined ? [] : [by])))];
  let ways: ReadonlyMap<string, string>[] = [new Map()];
  for (const name of names) {
    ways = ways.flatMap((way) =>
      instancesOf(name).map((instance) => new Map([...way, [name, instance]])),
    );
    ways.splice(WAYS_MAX);
  }
  return ways.map((way) =>
    matchers.map((matcher) => ({
      event: matcher.event,
      function: matcher.function ?? 'any',
      by: matcher.by === undefined ? 'anybody' : (way.get(matcher.by) ?? matcher.by),
      page: matcher.at === undefined ? 'any' : pageAt(matcher.at),
      to: matcher.to ?? 'any',
      result: matcher.result ?? 'any',
    })),
  );
}

export interface WindowWatch {
  readonly see: (event: Event) => void;
  readonly entered: () => boolean;
  /** How far each way has come, as text. */
  readonly reached: () => string;
}

/**
 * `far` are devices in processes of their own. What such a device does while it serves a callback is done for the task
 * that waits for it: a near driver does it in that task itself.
 */
export function watchWindow(
  window: CompiledWindow,
  far: ReadonlySet<string> = new Set(),
): WindowWatch {
  const served = newServedActors(far);
  const reached = new Array<number>(window.length).fill(0);
  let entered = window.some((steps) => steps.length === 0);
  return {
    see(event) {
      served.see(event);
      if (entered) return;
      for (let way = 0; way < window.length; way += 1) {
        const steps = window[way] ?? [];
        const next = steps[reached[way] ?? 0];
        if (next === undefined || !matches(next, event, served)) continue;
        reached[way] = (reached[way] ?? 0) + 1;
        if (reached[way] === steps.length) entered = true;
      }
    },
    entered: () => entered,
    reached: () => (entered ? 'entered' : reached.join()),
  };
}

interface ServedActors {
  see(event: Event): void;
  /** Those whose callbacks `device` serves. */
  of(device: string): readonly string[];
}

function newServedActors(far: ReadonlySet<string>): ServedActors {
  const served = new Map<string, string[]>();
  return {
    see(event) {
      if (event.kind !== 'callback' && event.kind !== 'callback-return') return;
      if (event.function !== 'migrate_to_ram' || !far.has(event.device)) return;
      const actors = served.get(event.device) ?? [];
      if (event.kind === 'callback') served.set(event.device, [...actors, event.actor]);
      else actors.splice(actors.indexOf(event.actor) >>> 0, 1);
    },
    of: (device) => served.get(device) ?? [],
  };
}

function matches(step: WindowStep, event: Event, served: ServedActors): boolean {
  if (event.kind !== step.event) return false;
  if (step.function !== 'any' && !('function' in event && event.function === step.function)) {
    return false;
  }
  if (step.by !== 'anybody' && !isBy(step.by, event, served)) return false;
  if (step.page !== 'any' && !isAbout(event, step.page)) return false;
  if (step.result !== 'any' && !('result' in event && event.result === step.result)) return false;
  return step.to === 'any' || ('to' in event && event.to.state === step.to);
}

function isBy(name: string, event: Event, served: ServedActors): boolean {
  return actorOf(event) === name || served.of(event.actor).includes(name);
}

/** The device that an event is about, else who acted. */
function actorOf(event: Event): string {
  return 'device' in event ? event.device : event.actor;
}

function isAbout(event: Event, page: PageIndex): boolean {
  if ('page' in event) return event.page === page;
  if ('first' in event) return event.first <= page && page < event.end;
  if (event.kind !== 'call' && event.kind !== 'callback') return false;
  const { first, end, page: only } = event.args;
  if (typeof only === 'number') return only === page;
  return typeof first === 'number' && typeof end === 'number' && first <= page && page < end;
}
