/** The lanes of the timeline from top to bottom: CPU threads, the kernel, devices. */
import { byName } from '../memory/columns.ts';
import type { EventHistory } from '../model/event-history.ts';
import type { TimelineFilter } from './filter.ts';
import type { LaneGroup } from './lane-group.ts';

export interface TimelineLane {
  readonly name: string;
  readonly role: LaneGroup | 'kernel';
  /** Whose it is, of a folded group; empty if it is that of its name alone. */
  readonly of: readonly string[];
}

const GROUP_WORDS: { readonly [Group in LaneGroup]: string } = { cpu: 'CPUs', device: 'devices' };

/** What the kernel does for an actor stands in that actor's lane; here are its messages and its brackets. */
export const KERNEL_LANE: TimelineLane = { name: 'kernel', role: 'kernel', of: [] };
const WITHOUT_LANE = new Set(['nobody', 'kernel', '']);

export function lanesOf(
  history: EventHistory,
  { hiddenActors: hidden, folded }: Pick<TimelineFilter, 'hiddenActors' | 'folded'>,
): TimelineLane[] {
  const groups: { readonly [Group in LaneGroup]: string[] } = { cpu: [], device: [] };
  for (const name of history.actors) {
    if (WITHOUT_LANE.has(name) || hidden.has(name)) continue;
    groups[history.roles.get(name) ?? 'cpu'].push(name);
  }
  const lanes = (role: LaneGroup): TimelineLane[] => {
    const names = groups[role].sort(byName);
    if (!folded.has(role) || names.length < 2) return names.map((name) => ({ name, role, of: [] }));
    return [{ name: `${names.length} ${GROUP_WORDS[role]}`, role, of: names }];
  };
  return [...lanes('cpu'), KERNEL_LANE, ...lanes('device')];
}

/** For each actor of the history the place of its lane; the kernel's for one that has none; -1 if it is hidden. */
export function laneOfActor(history: EventHistory, lanes: readonly TimelineLane[]): Int16Array {
  const places = new Map(
    lanes.flatMap(({ name, of }, at) => [name, ...of].map((each) => [each, at] as const)),
  );
  const kernel = places.get(KERNEL_LANE.name) ?? 0;
  return Int16Array.from(history.actors, (name) =>
    WITHOUT_LANE.has(name) ? kernel : (places.get(name) ?? -1),
  );
}
