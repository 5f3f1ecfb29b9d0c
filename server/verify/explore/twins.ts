/**
 * Many identical devices that cannot tell of each other are as good as one. If no step of a device writes what another
 * actor reads or writes (its callbacks count as its own), then every interleaving of the others with it projects onto
 * one without its twins, and nothing that an oracle says of one device can depend on them. The premise is checked at
 * every step of the search; if it fails, the search is done in full.
 */
import type { ExecutedStep } from '../../explorer/execution.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import type { TouchMode } from '../../task/context.ts';
import { type ObjectId, objectName } from '../../task/object-id.ts';
import { withoutIdle } from './smaller-scenario.ts';

export interface Reduction {
  /** The scenario with one device of the group. */
  readonly plan: ScenarioPlan;
  /** The device that stands for its twins. */
  readonly member: string;
  /** How many twins were left out. */
  readonly leftOut: number;
}

/** The scenario without the twins of the largest group of identical devices that can be left out, or 'none'. */
export function withoutTwins(plan: ScenarioPlan): Reduction | 'none' {
  // A condition may name any device.
  if (plan.question.kind !== 'none') return 'none';
  const groups = plan.symmetric.toSorted((a, b) => b.length - a.length);
  for (const group of groups) {
    const reduction = withoutTwinsOf(plan, group);
    if (reduction !== 'none') return reduction;
  }
  return 'none';
}

function withoutTwinsOf(plan: ScenarioPlan, group: readonly string[]): Reduction | 'none' {
  const [first, ...twins] = group;
  if (first === undefined || twins.length === 0) return 'none';
  const kept = plan.instances.map(({ name }) => name).filter((name) => !twins.includes(name));
  const smaller = withoutIdle(plan, new Set(kept));
  const member = smaller === 'none' ? undefined : smaller.names.get(first);
  if (smaller === 'none' || member === undefined) return 'none';
  return { plan: smaller.plan, member, leftOut: twins.length };
}

/** Watches whether `member` keeps to itself. */
export class Isolation {
  readonly #member: string;
  readonly #written = new Set<ObjectId>();
  readonly #foreign = new Set<ObjectId>();

  constructor(member: string) {
    this.#member = member;
  }

  see(step: ExecutedStep): void {
    const own = step.actor === this.#member;
    for (const { object, mode } of step.touches) {
      if (isBookkeeping(object)) continue;
      if (!own) this.#foreign.add(object);
      else if (writes(mode)) this.#written.add(object);
    }
  }

  /** An object that the member has written and another actor has touched, or 'none'. */
  breach(): ObjectId | 'none' {
    for (const object of this.#written) if (this.#foreign.has(object)) return object;
    return 'none';
  }
}

/** Joining a callback tells nothing but that it has ended; what an oracle knows of a device is no actor's business. */
function isBookkeeping(object: ObjectId): boolean {
  const { kind, owner } = objectName(object);
  return kind === 'task' || (kind === 'user' && owner < ORACLE_DEVICES_MAX);
}

/** Objects of kind 'user' below this owner are the oracle's notes of devices' entries. */
const ORACLE_DEVICES_MAX = 512;

function writes(mode: TouchMode): boolean {
  switch (mode) {
    case 'read':
    case 'watch':
    case 'await':
    case 'enter':
    case 'again':
    case 'hold':
    case 'acquire-read':
    case 'release-read':
      return false;
    case 'write':
    case 'note':
    case 'add':
    case 'raise':
    case 'lower':
    case 'acquire-write':
    case 'release-write':
      return true;
  }
}
