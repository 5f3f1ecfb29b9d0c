/** One page as people look at it: who sees what there, and where it is. A function of the state and of nothing else. */
import type { Event } from '../../../server/abi/event.ts';
import { byName } from '../memory/columns.ts';
import { bracketed, type Coherence, coherenceOf } from '../model/coherence.ts';
import type { LabModel } from '../model/lab-model.ts';
import { frameOf, valueAt, ZERO_FRAME } from '../model/page-values.ts';

/** What an entry leads to. */
export type FrameKind = 'zero' | 'main' | 'device';

export interface SeenFrame {
  readonly frame: number;
  readonly kind: FrameKind;
  /** The device whose memory it is; 'main' for main memory. */
  readonly place: string;
  /** What a read gives now; '?' where the log does not say. */
  readonly value: string;
}

export interface MomentCell {
  readonly actor: string;
  readonly side: 'entry' | 'mirror';
  readonly holds: SeenFrame | 'nothing';
  /** What stands there instead of a value. */
  readonly words: string;
  readonly coherence: Coherence;
}

export interface MomentPlace {
  readonly name: string;
  readonly frames: readonly (SeenFrame & { readonly standing: 'the page' | 'left behind' })[];
}

export interface PictureMoment {
  readonly page: number;
  /** The page table first, then the devices that race. */
  readonly cells: readonly MomentCell[];
  readonly places: readonly MomentPlace[];
  /** Devices that only watch. */
  readonly others: readonly { readonly name: string; readonly state: string }[];
  readonly bracket: 'open' | 'none';
}

export interface MomentQuestion {
  readonly page: number;
  /** Devices that are shown in any case, in this order. */
  readonly racers: readonly string[];
  /** How the CPU's column is called. */
  readonly cpu: string;
  readonly cellsMax: number;
}

export function pictureMoment(model: LabModel, question: MomentQuestion): PictureMoment {
  const { page, cpu, cellsMax } = question;
  const shown = shownDevices(model, question).slice(0, cellsMax - 1);
  const entry = model.cpu.get(0)?.get(page) ?? ({ state: 'none' } as const);
  const cells: MomentCell[] = [
    {
      actor: cpu,
      side: 'entry',
      holds: frameAt(model, frameOf(entry)),
      words: entry.state === 'none' ? 'nothing' : entry.state,
      coherence: 'none',
    },
    ...shown.map((actor): MomentCell => {
      const mirror = model.devices.get(actor)?.get(page) ?? ({ state: 'none' } as const);
      return {
        actor,
        side: 'mirror',
        holds: frameAt(model, mirror.state === 'mapped' ? mirror.pfn : 'none'),
        words: 'nothing',
        coherence: coherenceOf(model, actor, page),
      };
    }),
  ];
  const others = [...model.devices.keys()]
    .filter((name) => !shown.includes(name))
    .sort(byName)
    .map((name) => ({ name, state: model.actors.get(name)?.state ?? 'attached' }));
  return {
    page,
    cells,
    places: placesOf(cells, shown),
    others,
    bracket: bracketed(model, page) ? 'open' : 'none',
  };
}

/** Racers first; then those whose mirror is stale, which must be seen; then those that hold the page. Of none, two. */
function shownDevices(model: LabModel, { page, racers }: MomentQuestion): string[] {
  const present = [...model.devices.keys()].sort(byName);
  const others = present.filter((name) => !racers.includes(name));
  const stale = others.filter((name) => coherenceOf(model, name, page) === 'stale');
  const holding = others.filter(
    (name) => !stale.includes(name) && model.devices.get(name)?.get(page)?.state === 'mapped',
  );
  const chosen = [...stale, ...holding];
  return racers.length === 0 && chosen.length === 0 ? present.slice(0, 2) : [...racers, ...chosen];
}

function frameAt(model: LabModel, frame: number | 'none'): SeenFrame | 'nothing' {
  if (frame === 'none') return 'nothing';
  const owner = model.frameOwners.get(frame);
  const ofMemory = owner === undefined ? 'main' : 'device';
  const kind = frame === ZERO_FRAME ? 'zero' : ofMemory;
  const value = valueAt(model.values, { state: 'present', pfn: frame, access: 'read' });
  return { frame, kind, place: owner ?? 'main', value: value === 'unknown' ? '?' : value };
}

/** Main memory first, then the memory of a device that has the page, or might get it. */
function placesOf(cells: readonly MomentCell[], shown: readonly string[]): MomentPlace[] {
  const truth = cells[0]?.holds ?? 'nothing';
  const seen = new Map<number, SeenFrame>();
  for (const { holds } of cells) if (holds !== 'nothing') seen.set(holds.frame, holds);
  const owners = [...seen.values()].filter(({ kind }) => kind === 'device').map((one) => one.place);
  const names = ['main', ...(owners.length > 0 ? new Set(owners) : shown.slice(0, 1))];
  return names.map((name) => ({
    name,
    frames: [...seen.values()]
      .filter(({ place }) => place === name)
      .map((frame) => ({
        ...frame,
        standing: truth !== 'nothing' && truth.frame === frame.frame ? 'the page' : 'left behind',
      })),
  }));
}

/**
 * 'swept': an invalidation of the page was among the events. 'missed': its entry changed without one, and a mirror of
 * the shown ones is stale for it.
 */
export type Sweep = 'swept' | 'missed' | 'none';

export function sweepIn(events: Iterable<Event>, moment: PictureMoment): Sweep {
  const { page } = moment;
  let swept: Sweep = 'none';
  let changed = false;
  for (const event of events) {
    if (event.kind === 'invalidate_range_start' && event.mm === 0) {
      if (event.first <= page && page < event.end) swept = 'swept';
    } else if (event.kind === 'pte' && event.mm === 0 && event.page === page) changed = true;
  }
  if (swept === 'swept') return swept;
  const isStale = moment.cells.some(({ coherence }) => coherence === 'stale');
  return changed && isStale ? 'missed' : 'none';
}

/** The picture in a sentence, for those who hear it. */
export function momentSentence({ cells }: PictureMoment): string {
  return cells
    .map(({ actor, side, holds, words, coherence }) => {
      const what = holds === 'nothing' ? words : `${holds.value}, ${frameWords(holds)}`;
      const torn = coherence === 'stale' ? ', stale' : '';
      return `${actor} ${side === 'entry' ? 'page table' : 'mirror'}: ${what}${torn}`;
    })
    .join('. ');
}

export function frameWords({ kind, place }: SeenFrame): string {
  if (kind === 'zero') return 'zero page';
  return kind === 'main' ? 'main memory' : `${place} memory`;
}
