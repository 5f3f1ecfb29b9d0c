/**
 * Many identical devices that learn nothing of each other are as good as one. If no step of a device writes what
 * another actor reads or writes (its callbacks count as its own), then every interleaving of the others with it
 * projects onto one without its twins, and nothing that an oracle says of one device can depend on them. The premise is
 * checked at every step of the search; if it fails, the search is done in full.
 */
import { conflicts } from '../../explorer/dependence.ts';
import type { ExecutedStep } from '../../explorer/execution.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { THREADS_LEFT } from '../../scenario/watch-run.ts';
import type { TouchMode } from '../../task/context.ts';
import { type ObjectId, objectName } from '../../task/object-id.ts';
import { ORACLE_OWNERS } from '../../task/object-owners.ts';
import { withoutIdle } from './smaller-scenario.ts';
import { symmetryAmong } from './symmetric-devices.ts';

export interface Reduction {
  /** The scenario with one device of the group. */
  readonly plan: ScenarioPlan;
  /** The device that stands for its twins. */
  readonly member: string;
  /** How many twins were left out. */
  readonly leftOut: number;
  /** Whether `member` has the object to itself, as each twin would have one. */
  readonly isOwn: (object: ObjectId) => boolean;
}

/** Operations after which a twin may find nothing changed. Of what others do, one that matters is found soon enough. */
const LOOKS: ReadonlySet<string> = new Set([
  'prefetch',
  'read',
  'read-mapped',
  'fault-read',
  'snapshot',
]);

/**
 * The scenario without the twins of one group of identical devices, or 'none' if none can be left out: of the largest
 * group that only looks, else of the largest.
 */
export function withoutTwins(plan: ScenarioPlan): Reduction | 'none' {
  // A condition may name any device.
  if (plan.question.kind !== 'none') return 'none';
  const looking = new Set(plan.symmetric.filter((group) => onlyLooks(plan, group)));
  const groups = plan.symmetric.toSorted(
    (a, b) => Number(looking.has(b)) - Number(looking.has(a)) || b.length - a.length,
  );
  for (const group of groups) {
    const reduction = withoutTwinsOf(plan, group);
    if (reduction !== 'none') return reduction;
  }
  return 'none';
}

function onlyLooks({ instances }: ScenarioPlan, group: readonly string[]): boolean {
  const threads = instances
    .filter(({ name }) => group.includes(name))
    .flatMap((one) => one.threads);
  return threads.flat().every(({ do: does }) => LOOKS.has(does));
}

function withoutTwinsOf(plan: ScenarioPlan, group: readonly string[]): Reduction | 'none' {
  const [first, ...twins] = group;
  if (first === undefined || twins.length === 0) return 'none';
  const kept = plan.instances.map(({ name }) => name).filter((name) => !twins.includes(name));
  const smaller = withoutIdle(plan, new Set(kept));
  const member = smaller === 'none' ? undefined : smaller.names.get(first);
  if (smaller === 'none' || member === undefined) return 'none';
  const { homeOf } = symmetryAmong(smaller.plan, [[member]]);
  const isOwn = (object: ObjectId) => {
    const home = homeOf(object);
    return home !== 'shared' && home.actor === member;
  };
  return { plan: smaller.plan, member, leftOut: twins.length, isOwn };
}

/** Which objects a device has touched, and which the other actors have. Plain data. */
export interface TouchedByActors {
  readonly byMember: readonly { readonly object: ObjectId; readonly modes: readonly TouchMode[] }[];
  readonly byOthers: readonly ObjectId[];
}

/** Watches whether `member` keeps to itself: from the other actors, and from twins that would do as it does. */
export class IndependenceCheck {
  readonly #member: string;
  readonly #isOwn: (object: ObjectId) => boolean;
  readonly #touched = new Map<ObjectId, Set<TouchMode>>();
  readonly #foreign = new Set<ObjectId>();

  /** `isOwn` says of an object whether each twin has one of its own. */
  constructor(member: string, isOwn: (object: ObjectId) => boolean) {
    this.#member = member;
    this.#isOwn = isOwn;
  }

  see(step: ExecutedStep): void {
    const own = step.actor === this.#member;
    for (const { object, mode } of step.touches) {
      if (isBookkeeping(object)) continue;
      // That another thread has ended as well changes nothing for one that ends.
      if (!own && object === THREADS_LEFT && mode === 'lower') continue;
      if (!own) this.#foreign.add(object);
      else {
        const modes = this.#touched.get(object);
        if (modes === undefined) this.#touched.set(object, new Set([mode]));
        else modes.add(mode);
      }
    }
  }

  /** What was seen. */
  touched(): TouchedByActors {
    const byMember = [...this.#touched].map(([object, modes]) => ({ object, modes: [...modes] }));
    return { byMember, byOthers: [...this.#foreign] };
  }

  /** What was seen elsewhere counts here, too. */
  join({ byMember, byOthers }: TouchedByActors): void {
    for (const { object, modes } of byMember) {
      this.#touched.set(object, new Set([...modes, ...(this.#touched.get(object) ?? [])]));
    }
    for (const object of byOthers) this.#foreign.add(object);
  }

  /** An object that the member has written and another actor, or a twin, has touched; or 'none'. */
  breach(): ObjectId | 'none' {
    for (const [object, modes] of this.#touched) {
      const written = [...modes].some(writes);
      if (written && this.#foreign.has(object)) return object;
      if (!this.#isOwn(object) && inConflictWithThemselves(modes)) return object;
    }
    return 'none';
  }
}

/** A twin touches what the member touches, in the same modes. */
function inConflictWithThemselves(modes: ReadonlySet<TouchMode>): boolean {
  const all = [...modes];
  return all.some((mode, at) => all.slice(at).some((other) => conflicts(mode, other)));
}

/** Joining a callback shows nothing but that it has ended; what an oracle knows of a device is no actor's business. */
function isBookkeeping(object: ObjectId): boolean {
  const { kind, owner } = objectName(object);
  if (kind !== 'user') return kind === 'task';
  return owner < ORACLE_OWNERS.firstRegister && owner !== ORACLE_OWNERS.sharedPages;
}

function writes(mode: TouchMode): boolean {
  switch (mode) {
    case 'read':
    case 'watch':
    case 'await':
    case 'ended':
    case 'enter':
    case 'again':
    case 'hold':
    case 'acquire-read':
    case 'release-read':
      return false;
    case 'write':
    case 'note':
    case 'end':
    case 'add':
    case 'raise':
    case 'lower':
    case 'acquire-write':
    case 'release-write':
    case 'downgrade':
      return true;
  }
}
