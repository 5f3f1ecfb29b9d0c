/** Who has kept others waiting for too long. Pure: the clock is an argument. */

import type { ActorName } from '../machine/remote/inbound.ts';
import { HELD_UNORDERED_MS } from '../protocol/limits.ts';
import { KERNEL_QUESTIONS } from '../protocol/server-questions.ts';
import type { LabActor, Millis } from './lab-actor.ts';

/**
 * Leases of silence for a staller that waits for an answer itself. One is what the actor that it waits for has; only if
 * no other was to blame does it wait for itself, and has to go.
 */
const LEASES_WHILE_ASKING = 2;

/**
 * Returns: the actors to be fenced at `now`.
 * - a question of the kernel's has been open for `leaseMs`;
 * - it holds what a task waits for (`stallers`) and has been silent for `leaseMs` (or LEASES_WHILE_ASKING of
 *   them), unless a conductor holds it and it is still connected.
 */
export function overdue(
  actors: Iterable<LabActor>,
  stallers: readonly ActorName[],
  now: Millis,
  leaseMs: number,
): LabActor[] {
  const late: LabActor[] = [];
  for (const actor of actors) {
    if (actor.fenced) continue;
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
  const held = actor.holding > 0 && now - actor.unorderedSince < HELD_UNORDERED_MS;
  if (held && actor.state === 'attached') return false;
  const leases = actor.requests.size > 0 ? LEASES_WHILE_ASKING : 1;
  return now - actor.heardAt >= leases * leaseMs && stallers.includes(actor.name);
}
