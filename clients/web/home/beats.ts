/** The beats of a recorded race: moments to stand at, each a state of both machines. */
import type { Event } from '../../../server/abi/event.ts';
import { applyEvent, emptyModel, type LabModel } from '../model/lab-model.ts';
import { type PictureMoment, pictureMoment, type Sweep, sweepIn } from '../picture/moment.ts';
import { type PictureVerdict, pictureVerdict } from '../picture/verdict.ts';
import { seatedCast, spoken } from '../sheet/cast.ts';
import type { RecordedRace, RecordedSide } from './recorded-race.ts';

export interface SideBeat {
  readonly moment: PictureMoment;
  readonly sweep: Sweep;
  readonly verdict: PictureVerdict | 'none';
}

export interface Beat {
  readonly name: string;
  readonly says: string;
  /** Milliseconds that it stands while it plays by itself. */
  readonly ms: number;
  readonly acting: { readonly actor: string; readonly words: string } | 'none';
  readonly stock: SideBeat;
  readonly patched: SideBeat;
  /** From here on the two kernels are in different states. */
  readonly differs: boolean;
}

const CPU = 'cpu0';
const BEAT_MS = 1_350;
/** Where a sweep passes, or the page moves. */
const SWEEP_MS = 1_900;
const VERDICT_MS = 3_200;

export function beatsOf(race: RecordedRace): Beat[] {
  const { sheet, page } = race;
  const devices = ['gpu0', 'gpu1'];
  const cast = seatedCast(
    sheet,
    devices.map((name) => ({ name, role: 'device' as const })),
    {},
  );
  const stock = sideBeats(race.stock, page, devices);
  const patched = sideBeats(race.patched, page, devices);
  const beat = (at: number, rest: Pick<Beat, 'name' | 'says' | 'acting'>): Beat => {
    const sides = { stock: stock[at] as SideBeat, patched: patched[at] as SideBeat };
    const ms = at === stock.length - 1 ? VERDICT_MS : msOf(sides);
    const differs = JSON.stringify(facts(sides.stock)) !== JSON.stringify(facts(sides.patched));
    return { ...rest, ...sides, ms, differs };
  };
  const cues = sheet.cues.map((cue, at) => {
    const actor = cast.get(cue.role) ?? cue.role;
    const verb = cue.do[0] ?? 'read';
    return beat(at + 1, {
      name: at === sheet.cues.length - 1 ? verb : (BEAT_NAMES[verb] ?? verb),
      says: spoken(cue.says, cast),
      acting: { actor, words: DOING[verb] ?? verb },
    });
  });
  const reader = cast.get('reader') ?? 'gpu1';
  return [
    beat(0, {
      name: 'entry',
      says: `${CPU}’s entry points to the page: all zeros.`,
      acting: { actor: CPU, words: 'reads' },
    }),
    ...cues,
    beat(cues.length + 1, {
      name: 'verdict',
      says: `One sweep less, and ${reader} reads zeros for ever.`,
      acting: 'none',
    }),
  ];
}

const BEAT_NAMES: { readonly [verb: string]: string } = {
  read: 'mirror',
  setup: 'sweep',
  pages: 'move',
  write: 'write',
};
const DOING: { readonly [verb: string]: string } = {
  read: 'reads',
  setup: 'migrates',
  pages: 'moves it',
  write: 'writes',
};

function msOf({ stock, patched }: Pick<Beat, 'stock' | 'patched'>): number {
  return stock.sweep === 'none' && patched.sweep === 'none' ? BEAT_MS : SWEEP_MS;
}

function facts({ moment }: SideBeat): unknown {
  return moment.cells.map(({ holds, coherence }) => [holds, coherence]);
}

/** Before the first cue, after each cue, and at the end, when the oracles have judged. */
function sideBeats(side: RecordedSide, page: number, racers: readonly string[]): SideBeat[] {
  const model = emptyModel(side.patch);
  const end = side.events.at(-1)?.n ?? 0;
  let from = 0;
  return [...side.cues, end].map((to) => {
    const events = side.events.filter(({ n }) => n > from && n <= to);
    from = to;
    return sideBeat(model, events, page, racers);
  });
}

function sideBeat(
  model: LabModel,
  events: readonly Event[],
  page: number,
  racers: readonly string[],
): SideBeat {
  for (const event of events) applyEvent(model, event);
  const moment = pictureMoment(model, { page, racers, cpu: CPU, cellsMax: 3 });
  // A read that is yet to be judged is no verdict.
  const verdict = events.some(({ kind }) => kind === 'device-access')
    ? 'none'
    : pictureVerdict(model, page);
  return { moment, sweep: sweepIn(events, moment), verdict };
}
