/** Labs as the HTTP routes show them. */

import { FIRST_KERNEL } from '../abi/kernel-ids.ts';
import type { Lab } from '../live/lab.ts';
import type { LabDetail, LabEntry } from '../protocol/http-api.ts';

export function labEntry(lab: Lab): LabEntry {
  const { name, joinCode: code, feed, scene } = lab;
  const { paused, locked, speed } = lab.controlSeen();
  return {
    name,
    code,
    state: lab.standing.state,
    ...(lab.standing.state === 'damaged' ? { why: lab.standing.why } : {}),
    kernel: lab.config.kernel ?? FIRST_KERNEL,
    patch: lab.config.patch,
    scenario: scene.scenario === 'none' ? null : scene.scenario,
    paused,
    locked,
    speed,
    events: feed.n,
    observers: feed.observers,
    actors: lab.actorsSeen().map((actor) => {
      const kept = lab.actors.get(actor.name);
      return { ...actor, slowMs: kept?.slowMs ?? 0, holding: kept?.holding ?? 0 };
    }),
  };
}

export function labDetail(lab: Lab): LabDetail {
  const { seats, todo } = lab.scene;
  const { tasks, tasksLeftOut } = lab.controlSeen();
  return {
    ...labEntry(lab),
    tasks,
    tasksLeftOut,
    seats: seats.map((seat) => ({ ...seat, taken: lab.actors.has(seat.name) })),
    todo: [...todo],
  };
}
