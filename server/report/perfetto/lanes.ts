/**
 * Puts slices on threads so that they nest: a slice goes inside another only if the same task is at work in both; an
 * actor that does two things at once has a second lane.
 */
import type { ActorSeen } from '../timeline/actors.ts';

/** Unlike every process id. */
const FIRST_TID = 10_000;

export interface Slice {
  readonly host: string;
  readonly thread: string;
  /** Nanoseconds; no two slices begin or end at the same. */
  readonly begins: number;
  readonly ends: number;
  readonly name: string;
  readonly category: string;
  readonly args: { readonly [name: string]: string | number };
}

export interface Lane {
  readonly actor: ActorSeen;
  /** 0 for the actor's first. */
  readonly index: number;
  readonly tid: number;
}

interface Filling {
  readonly index: number;
  readonly open: Slice[];
}

export interface Placed {
  readonly lanes: readonly Lane[];
  laneOf(slice: Slice): Lane;
}

/** Slices of hosts that are no actors are not placed; laneOf() throws for them. */
export function placeSlices(slices: readonly Slice[], actors: readonly ActorSeen[]): Placed {
  const filling = new Map<string, Filling[]>(actors.map(({ name }) => [name, []]));
  const indices = new Map<Slice, number>();
  for (const slice of slices.toSorted((a, b) => a.begins - b.begins)) {
    const lanes = filling.get(slice.host);
    if (lanes !== undefined) indices.set(slice, placeIn(lanes, slice));
  }
  const lanes: Lane[] = [];
  for (const actor of actors) {
    const count = Math.max(1, filling.get(actor.name)?.length ?? 0);
    for (let index = 0; index < count; index += 1) {
      lanes.push({ actor, index, tid: FIRST_TID + lanes.length });
    }
  }
  const byPlace = new Map(lanes.map((lane) => [`${lane.index} ${lane.actor.name}`, lane]));
  return {
    lanes,
    laneOf(slice) {
      const lane = byPlace.get(`${indices.get(slice)} ${slice.host}`);
      if (lane === undefined) throw new RangeError(`${slice.host} is no actor`);
      return lane;
    },
  };
}

function placeIn(lanes: Filling[], slice: Slice): number {
  for (const { open } of lanes) {
    while ((open.at(-1)?.ends ?? Number.POSITIVE_INFINITY) < slice.begins) open.pop();
  }
  const lane =
    lanes.find(({ open }) => holds(open.at(-1), slice)) ??
    lanes.find(({ open }) => open.length === 0) ??
    newLane(lanes);
  lane.open.push(slice);
  return lane.index;
}

function holds(outer: Slice | undefined, inner: Slice): boolean {
  return outer !== undefined && outer.thread === inner.thread && outer.ends > inner.ends;
}

function newLane(lanes: Filling[]): Filling {
  const lane: Filling = { index: lanes.length, open: [] };
  lanes.push(lane);
  return lane;
}
