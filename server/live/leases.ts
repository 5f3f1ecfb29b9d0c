/** Who has kept others waiting for too long. Pure: the clock is an argument. */

import type { ActorName } from '../machine/inbound.ts';
import { KERNEL_QUESTIONS } from '../protocol/server-questions.ts';
import type { LabActor, Millis } from './lab-actor.ts';

/**
 * Returns: the actors to be fenced at `now`.
 * - a question of the kernel's has been open for `leaseMs`;
 * - it holds what a task waits for (`stallers`), nothing asks it to go on, and it has been silent for `leaseMs`,
 *   unless a conductor told it to stand still and it is still connected.
 */
export function overdue(
  actors: Iterable<LabActor>,
  stallers: readonly ActorName[],
  now: Millis,
  leaseMs: number,
): LabActor[] {
  const late: LabActor[] = [];
  for (const actor of actors) {
    if (actor.fenced === 'fenced') continue;
    if (questionOverdue(actor, now, leaseMs) || stalls(actor, stallers, now, leaseMs))
      late.push(actor);
  }
  return late;
}

function questionOverdue(actor: LabActor, now: Millis, leaseMs: number): boolean {
  for (const question of actor.questions.values()) {
    if (!Object.hasOwn(KERNEL_QUESTIONS, question.method)) continue;
    // Oldest first: if this one has time left, all have.
    return now - question.askedAt >= leaseMs;
  }
  return false;
}

function stalls(
  actor: LabActor,
  stallers: readonly ActorName[],
  now: Millis,
  leaseMs: number,
): boolean {
  if (actor.holding > 0 && actor.state === 'attached') return false;
  return now - actor.heardAt >= leaseMs && stallers.includes(actor.name);
}
