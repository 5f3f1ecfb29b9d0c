/** The lanes of the timeline from top to bottom: CPU threads, the kernel, devices. */
import { byName } from '../memory/columns.ts';
import type { EventHistory } from '../model/event-history.ts';

export interface TimelineLane {
  readonly name: string;
  readonly role: 'cpu' | 'kernel' | 'device';
}

/** What the kernel does for an actor stands in that actor's lane; here are its messages and its brackets. */
export const KERNEL_LANE: TimelineLane = { name: 'kernel', role: 'kernel' };
const WITHOUT_LANE = new Set(['nobody', 'kernel', '']);

export function lanesOf(history: EventHistory, hidden: ReadonlySet<string>): TimelineLane[] {
  const cpus: TimelineLane[] = [];
  const devices: TimelineLane[] = [];
  for (const name of history.actors) {
    if (WITHOUT_LANE.has(name) || hidden.has(name)) continue;
    const role = history.roles.get(name) ?? 'cpu';
    if (role === 'device') devices.push({ name, role });
    else cpus.push({ name, role });
  }
  const ordered = (lanes: TimelineLane[]) => lanes.sort((a, b) => byName(a.name, b.name));
  return [...ordered(cpus), KERNEL_LANE, ...ordered(devices)];
}

/** For each actor of the history the place of its lane; the kernel's for one that has none; -1 if it is hidden. */
export function laneOfActor(history: EventHistory, lanes: readonly TimelineLane[]): Int16Array {
  const places = new Map(lanes.map(({ name }, at) => [name, at]));
  const kernel = places.get(KERNEL_LANE.name) ?? 0;
  return Int16Array.from(history.actors, (name) =>
    WITHOUT_LANE.has(name) ? kernel : (places.get(name) ?? -1),
  );
}
