/** Labs as the HTTP routes show them. */

import { FIRST_KERNEL } from '../abi/kernel-ids.ts';
import type { Lab } from '../live/lab.ts';
import type { LabDetail, LabEntry } from '../protocol/http-api.ts';

/** What lets strangers into a lab of this server: see token.ts. */
export type JoinBy = LabEntry['joinBy'];

export function labEntry(lab: Lab, joinBy: JoinBy): LabEntry {
  const { name, joinCode: code, feed, scene } = lab;
  const { paused, locked, speed } = lab.controlSeen();
  return {
    name,
    code,
    joinBy,
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
      const roundTripMs = kept === undefined ? 'unknown' : kept.roundTripMs;
      return {
        ...actor,
        slowMs: kept?.slowMs ?? 0,
        holding: kept?.holding ?? 0,
        roundTripMs: roundTripMs === 'unknown' ? null : roundTripMs,
      };
    }),
  };
}

export function labDetail(lab: Lab, joinBy: JoinBy): LabDetail {
  const { seats, todo, sheet, page } = lab.scene;
  const { tasks, tasksLeftOut, cast = {}, shows } = lab.controlSeen();
  return {
    ...labEntry(lab, joinBy),
    tasks,
    tasksLeftOut,
    seats: seats.map((seat) => ({ ...seat, taken: lab.actors.has(seat.name) })),
    todo: [...todo],
    sheet: sheet ?? null,
    page: page ?? null,
    cast,
    shows: shows ?? 'race',
  };
}
