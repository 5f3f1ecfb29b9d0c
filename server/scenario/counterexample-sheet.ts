/**
 * A counterexample as a run sheet: who does what when, for people with phones. A cue is a whole verb of a client, so an
 * order that lies inside a call has no sheet.
 */
import type { Event } from '../abi/event.ts';
import type { Cue, RunSheet } from '../protocol/run-sheet.ts';
import { DEFAULT_DRIVER } from './instances.ts';
import { CAST_MAX, castOf, pageOfRun, roleNames, type SheetRun, titleOf } from './sheet-parts.ts';

type Verb = Cue['do'][number];

/** One verb of an actor, and the events that it spans. */
interface Deed {
  readonly actor: string;
  /** The thread that does it. */
  readonly task: string;
  verb: Verb;
  readonly first: number;
  last: number;
}

export interface CounterexampleRun extends SheetRun {
  /** What is left of the setup. */
  readonly todo: readonly string[];
}

const VERB_OF: { readonly [called: string]: Verb } = {
  hmm_range_fault: 'read',
  migrate_vma_setup: 'setup',
  migrate_vma_pages: 'pages',
  migrate_vma_finalize: 'finalize',
};
const CUES_MAX = 16;
/** What is written at the end, so that a stale read can be told from a right one. */
const WRITTEN = '0x2a';

/** `why` there is none, in a sentence. */
export function counterexampleSheet(
  run: CounterexampleRun,
): { readonly sheet: RunSheet; readonly page: number } | { readonly why: string } {
  const [left] = run.todo;
  if (left !== undefined) return { why: `Before it begins, somebody has to do this: ${left}.` };
  const faulty = run.seats.find(({ driver }) => driver !== null && driver !== DEFAULT_DRIVER);
  if (faulty !== undefined) {
    return { why: `${faulty.name} has the driver ${faulty.driver}, which no phone plays.` };
  }
  const about = pageOfRun(run);
  if ('why' in about) return about;
  const { page, at, violation } = about;
  const acts = ofTheirOwn(run.events);
  const deeds: Deed[] = [];
  for (const { name, role } of run.seats) {
    for (const own of byTask(acts.filter(({ actor }) => actor === name))) {
      const found = role === 'device' ? deviceDeeds(name, own) : cpuDeeds(name, own);
      if ('why' in found) return found;
      deeds.push(...found);
    }
  }
  deeds.sort((a, b) => a.first - b.first);
  const inside = deeds.find(({ actor, task, first, last }) =>
    acts.some(
      (event) =>
        `${event.actor} ${event.task}` !== `${actor} ${task}` && first < event.n && event.n < last,
    ),
  );
  if (inside !== undefined) {
    return { why: `Its order lies inside a call of ${inside.actor}: no cue gives it.` };
  }
  const roles = roleNames(deeds.map(({ actor }) => actor));
  const cues = cuesOf([...deeds, ...punchline(deeds, violation)], roles);
  if (cues.length === 0 || cues.length > CUES_MAX) return { why: 'It has too many steps.' };
  const cast = castOf(run, roles);
  if (cast.length > CAST_MAX) return { why: 'It has too many actors.' };
  return { sheet: { title: titleOf(run), at, cast, cues }, page };
}

/** Without what an actor does because the kernel asks it to. */
function ofTheirOwn(events: readonly Event[]): readonly Event[] {
  const begins = new Map<string, Event['kind']>();
  for (const { actor, task, kind } of events) {
    const name = `${actor} ${task}`;
    if (!begins.has(name)) begins.set(name, kind);
  }
  return events.filter(({ actor, task }) => begins.get(`${actor} ${task}`) !== 'callback');
}

function byTask(events: readonly Event[]): readonly (readonly Event[])[] {
  return [...Map.groupBy(events, ({ task }) => task).values()];
}

function deviceDeeds(actor: string, events: readonly Event[]): Deed[] {
  const deeds: Deed[] = [];
  let open: Deed | 'none' = 'none';
  // What it copies while it migrates is no deed of its own.
  let state: 'migrating' | 'not' = 'not';
  const begin = (verb: Verb, { n, task }: Event): Deed => {
    const deed = { actor, task, verb, first: n, last: n };
    deeds.push(deed);
    return deed;
  };
  for (const event of events) {
    const verb = event.kind === 'call' ? VERB_OF[event.function] : undefined;
    if (verb !== undefined) {
      open = begin(verb, event);
      if (verb === 'setup') state = 'migrating';
    } else if (event.kind === 'device-access' && state === 'not') {
      if (open === 'none') open = begin(event.mode, event);
      // It faulted for writing.
      if (event.mode === 'write') open.verb = 'write';
      open.last = event.n;
      open = 'none';
    } else if (open !== 'none') {
      open.last = event.n;
      const over = event.kind === 'return' && VERB_OF[event.function] === open.verb;
      if (over && open.verb === 'finalize') state = 'not';
      if (over && open.verb !== 'read') open = 'none';
    }
  }
  return deeds;
}

function cpuDeeds(actor: string, events: readonly Event[]): Deed[] | { readonly why: string } {
  const deeds: Deed[] = [];
  let first: number | 'none' = 'none';
  for (const event of events) {
    if (event.kind === 'call' && VERB_OF[event.function] === undefined) {
      return { why: `${actor} calls ${event.function}(), and no cue does that.` };
    }
    if (first === 'none') first = event.n;
    if (event.kind !== 'cpu-access') continue;
    const verb = event.mode === 'write' ? 'store' : 'load';
    deeds.push({ actor, task: event.task, verb, first, last: event.n });
    first = 'none';
  }
  const last = events.at(-1);
  if (first !== 'none' && last !== undefined) {
    deeds.push({ actor, task: last.task, verb: 'load', first, last: last.n });
  }
  return deeds;
}

/** The execution ends where a rule is broken: the room goes on until somebody reads what is wrong. */
function punchline(deeds: readonly Deed[], violation: Event | undefined): Deed[] {
  const last = deeds.at(-1);
  if (last === undefined || violation?.kind !== 'violation') return [];
  const { actor } = last;
  const more = (who: string, verb: Verb): Deed => {
    return { ...last, actor: who, verb };
  };
  const moves = last.verb === 'setup' || last.verb === 'pages' || last.verb === 'finalize';
  const rest: Deed[] = [];
  if (last.verb === 'setup') rest.push(more(actor, 'pages'));
  if (moves && last.verb !== 'finalize') rest.push(more(actor, 'finalize'));
  const { device } = violation;
  if (device === '' || device === actor) return rest;
  if (moves) rest.push(more(actor, 'write'));
  return [...rest, more(device, 'read')];
}

/** What a migration does without a break is one cue. */
function cuesOf(deeds: readonly Deed[], roles: ReadonlyMap<string, string>): Cue[] {
  const cues: Cue[] = [];
  let before: Deed | 'none' = 'none';
  for (const deed of deeds) {
    const { actor, verb } = deed;
    const role = roles.get(actor) ?? '';
    const last = cues.at(-1);
    const goesOn = before !== 'none' && before.actor === actor && verb === 'finalize';
    if (goesOn && last !== undefined) cues[cues.length - 1] = { ...last, do: [...last.do, verb] };
    else cues.push({ role, do: [verb], ...valueWritten(verb), ...wordsOf(verb, role) });
    before = deed;
  }
  return cues;
}

function valueWritten(verb: Verb): Pick<Cue, 'value'> {
  return verb === 'write' || verb === 'store' ? { value: WRITTEN } : {};
}

function wordsOf(verb: Verb, role: string): Pick<Cue, 'button' | 'says'> {
  const [button, does] = WORDS[verb];
  return { button, says: `{${role}} ${does}` };
}

const WORDS: { readonly [Each in Verb]: readonly [string, string] } = {
  read: ['Read', 'reads, through a mirror of the entry.'],
  write: [`Write ${WRITTEN}`, `writes ${WRITTEN}.`],
  setup: ['Begin to migrate', 'wants the page. A sweep clears every mirror.'],
  pages: ['Move the page', 'moves the page. Is everybody told?'],
  finalize: ['Finish', 'ends the migration.'],
  load: ['Load', 'loads from the page.'],
  store: [`Store ${WRITTEN}`, `stores ${WRITTEN}.`],
};
