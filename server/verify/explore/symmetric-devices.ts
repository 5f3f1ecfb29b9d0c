/** Devices of a scenario that can change places without anybody noticing, as the explorer asks for them. */
import type { Symmetry } from '../../explorer/symmetry.ts';
import { migrationsObject } from '../../kernel/hmm/open-migrations.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { newScenarioRun } from '../../scenario/scenario-world.ts';
import { type ObjectId, type ObjectKind, objectId, objectName } from '../../task/object-id.ts';

/** Operations that put nothing into a device's own memory: a page there has a number that says whose it is. */
const ANONYMOUS_OPS: ReadonlySet<string> = new Set([
  'fault-read',
  'fault-write',
  'prefetch',
  'read',
  'read-mapped',
  'snapshot',
]);
/** Objects whose owner is the number of a device. */
const OWNED: ReadonlySet<ObjectKind> = new Set([
  'driver_lock',
  'mirror',
  'device_memory',
  'device',
  'user',
]);
/** Owners of objects of kind 'user' from here on are no devices. */
const DEVICES_MAX = 511;

/** 'none' where no two devices are alike. */
export function symmetryOf(plan: ScenarioPlan): Symmetry | 'none' {
  const groups = plan.symmetric.filter((group) =>
    group.every((name) => isAnonymous(plan, name) && !isCalledInOrder(plan, name)),
  );
  return groups.length === 0 ? 'none' : symmetryAmong(plan, groups);
}

/** Says of each object which of the plan's devices has it to itself. */
export function symmetryAmong(
  plan: ScenarioPlan,
  groups: readonly (readonly string[])[],
): Symmetry {
  const names = plan.devices.map(({ name }) => name);
  const numbers = new Map(names.map((name, number) => [name, number]));
  const owned = ownObjects(plan, names);
  return {
    groups,
    homeOf(object) {
      const own = owned.homes.get(object);
      if (own !== undefined) return own;
      const { kind, owner, index } = objectName(object);
      const actor = OWNED.has(kind) && owner < DEVICES_MAX ? names[owner] : undefined;
      return actor === undefined ? 'shared' : { actor, name: objectId(kind, 0, index) };
    },
    objectOf(actor, name) {
      const own = owned.objects.get(`${actor} ${name}`);
      if (own !== undefined) return own;
      const { kind, index } = objectName(name as ObjectId);
      return objectId(kind, numbers.get(actor) ?? 0, index);
    },
  };
}

/** Classic notifiers are called in the order of their registration. */
function isCalledInOrder({ devices }: ScenarioPlan, name: string): boolean {
  return devices.some((one) => one.name === name && one.driver.notifiers === 'classic');
}

function isAnonymous(plan: ScenarioPlan, name: string): boolean {
  const instance = plan.instances.find((one) => one.name === name);
  if (instance === undefined || instance.kind !== 'device') return false;
  return instance.threads.flat().every((op) => ANONYMOUS_OPS.has(op.do) && !('as' in op));
}

interface OwnObjects {
  readonly homes: ReadonlyMap<ObjectId, { readonly actor: string; readonly name: number }>;
  /** By `actor name`. */
  readonly objects: ReadonlyMap<string, ObjectId>;
}

/** Objects whose number does not say whose they are: subscriptions, and open migrations. */
function ownObjects(plan: ScenarioPlan, names: readonly string[]): OwnObjects {
  const homes = new Map<ObjectId, { actor: string; name: number }>();
  const objects = new Map<string, ObjectId>();
  const add = (actor: string, object: ObjectId, name: number): void => {
    homes.set(object, { actor, name });
    objects.set(`${actor} ${name}`, object);
  };
  for (const actor of names) add(actor, migrationsObject(actor), objectId('answer', 1, 0));
  const { world } = newScenarioRun(plan);
  const counts = new Map<string, number>();
  for (const { buckets } of world.mm.subscriptions.itree.classes.values()) {
    for (const items of buckets.values()) {
      for (const { device, sub } of items.values()) {
        if (homes.has(sub.object)) continue;
        const count = counts.get(device) ?? 0;
        counts.set(device, count + 1);
        add(device, sub.object, objectId('answer', 2, count));
      }
    }
  }
  return { homes, objects };
}
