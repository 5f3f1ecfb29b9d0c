import { useRef } from 'preact/hooks';
import type { Event } from '../../../server/abi/event.ts';
import type { Control, LabDetail } from '../../../server/protocol/http-api.ts';
import type { LabControl, LabLed } from '../../../server/protocol/lab-control.ts';
import type { Cue, LabSheet } from '../../../server/protocol/run-sheet.ts';
import type { LabFeed } from '../lab/lab-feed.ts';
import { useLabControl } from '../lab/use-lab-control.ts';
import { useLabFeed } from '../lab/use-lab-feed.ts';
import { staleCells } from '../model/coherence.ts';
import type { EventHistory } from '../model/event-history.ts';
import { type PictureMoment, pictureMoment, type Sweep, sweepIn } from '../picture/moment.ts';
import { type PictureVerdict, pictureVerdict } from '../picture/verdict.ts';
import { seatedCast } from '../sheet/cast.ts';
import { type Cast, CueProgress } from '../sheet/cue-progress.ts';

/** Events that one beat looks at. */
const BEAT_EVENTS_MAX = 500;
/** Columns of a stage, the page table's among them. */
const CELLS_MAX = 4;

const NO_CONTROL: Pick<LabControl, 'cast' | 'labels'> = {};

/** A lab as a room sees it. All of it follows from the event log and from how the lab is driven. */
export interface Room {
  readonly feed: LabFeed;
  readonly detail: LabDetail | 'unknown';
  readonly act: (control: Control) => void;
  readonly sheet: LabSheet | 'none';
  readonly cast: Cast;
  /** What the screens call an actor: its name, unless the presenter has renamed it. */
  readonly called: (actor: string) => string;
  readonly page: number | 'none';
  readonly cue: { readonly at: number; readonly now: Cue | 'none'; readonly left: Cue['do'] };
  /** Of a lab whose cues lie inside of calls: it goes as far as each of them says. */
  readonly led: LabLed | 'none';
  readonly moment: PictureMoment | 'none';
  readonly sweep: Sweep;
  readonly verdict: PictureVerdict | 'none';
}

export function useRoom(lab: string): Room {
  const feed = useLabFeed(lab);
  const { detail, act } = useLabControl(lab, feed.control);
  const tracker = useRef<Tracker | 'none'>('none');
  const { history } = feed;
  const { now: model } = history;
  const sheet = detail === 'unknown' ? 'none' : (detail.sheet ?? 'none');
  const { cast: given = {}, labels = {} } = feed.control === 'unknown' ? NO_CONTROL : feed.control;
  const players = [...model.actors]
    .filter(([name, { state }]) => state !== 'fenced' && !isOfScene(detail, name))
    .map(([name, { role }]) => ({ name, role }));
  const cast: Cast = sheet === 'none' ? new Map() : seatedCast(sheet, players, given);
  const page = pageOf(history, detail);
  const led = feed.control === 'unknown' ? 'none' : (feed.control.led ?? 'none');
  const progress = progressOf(tracker, { history, sheet, cast, page });
  const at = led === 'none' ? progress.current : led.cue;
  const racers = (sheet === 'none' ? [] : sheet.cast)
    .flatMap(({ role }) => cast.get(role) ?? [])
    .filter((name) => model.actors.get(name)?.role === 'device');
  const cpu = [...model.actors].find(([, { role }]) => role === 'cpu')?.[0] ?? 'cpu0';
  const moment =
    page === 'none' ? 'none' : pictureMoment(model, { page, racers, cpu, cellsMax: CELLS_MAX });
  return {
    feed,
    detail,
    act,
    sheet,
    cast,
    called: (actor) => labels[actor] ?? actor,
    page,
    cue: {
      at,
      now: sheet === 'none' ? 'none' : (sheet.cues[at] ?? 'none'),
      left: progress.verbsLeft,
    },
    led,
    moment,
    sweep: moment === 'none' ? 'none' : sweepOf(history, moment, progress.done),
    verdict: page === 'none' ? 'none' : pictureVerdict(model, page),
  };
}

/** Threads that have set the scene are in the lab, and nobody plays them. */
function isOfScene(detail: LabDetail | 'unknown', name: string): boolean {
  if (detail === 'unknown') return false;
  return detail.seats.some((seat) => seat.name === name && seat.role === 'cpu' && !seat.taken);
}

/** What the sheet is about; without one what is stale, what was written last, or the first page there is. */
function pageOf({ now: model }: EventHistory, detail: LabDetail | 'unknown'): number | 'none' {
  if (detail !== 'unknown' && detail.page !== null) return detail.page;
  const stale = staleCells(model)[0]?.page;
  const written = [...model.values.written].sort(([, a], [, b]) => b.n - a.n)[0]?.[0];
  return stale ?? written ?? model.vmas[0]?.first ?? 'none';
}

interface Followed {
  readonly history: EventHistory;
  readonly sheet: LabSheet | 'none';
  readonly cast: Cast;
  readonly page: number | 'none';
}

interface Tracker {
  readonly history: EventHistory;
  readonly key: string;
  readonly progress: CueProgress;
}

/** Goes on where it was, unless it is asked about something else. */
function progressOf(
  kept: { current: Tracker | 'none' },
  { history, sheet, cast, page }: Followed,
): CueProgress {
  const key = JSON.stringify([page, [...cast], sheet === 'none' ? '' : sheet.title]);
  let { current } = kept;
  if (current === 'none' || current.history !== history || current.key !== key) {
    const cues = sheet === 'none' || page === 'none' ? [] : sheet.cues;
    const progress = new CueProgress(cues, cast, page === 'none' ? -1 : page);
    current = { history, key, progress };
    kept.current = current;
  }
  const { progress } = current;
  progress.see(history.eventsFrom(progress.last + 1, history.last));
  return progress;
}

/** Of what has happened since the last cue, or in it if nothing has since. */
function sweepOf(history: EventHistory, moment: PictureMoment, done: readonly number[]): Sweep {
  const last = done.at(-1) ?? 0;
  const since = sweepIn(eventsAfter(history, last), moment);
  if (since !== 'none' || done.length === 0) return since;
  const before = eventsAfter(history, done.at(-2) ?? 0).filter(({ n }) => n <= last);
  return sweepIn(before, moment);
}

function eventsAfter(history: EventHistory, n: number): Event[] {
  return history.eventsFrom(Math.max(n + 1, history.last - BEAT_EVENTS_MAX), history.last);
}
