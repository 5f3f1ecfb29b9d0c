import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectId, objectName } from '../task/object-id.ts';
import { ObjectOwners, type Symmetry } from './symmetry.ts';
import { TaskPlaces } from './task-places.ts';

const ACTORS = ['dev0', 'dev1', 'dev2'];

/** Locks belong to devices, all else to everybody. */
const DEVICES: Symmetry = {
  groups: [['dev1', 'dev2'], ['dev0']],
  homeOf(object) {
    const { kind, owner, index } = objectName(object);
    const actor = kind === 'driver_lock' ? ACTORS[owner] : undefined;
    return actor === undefined ? 'shared' : { actor, name: objectId(kind, 0, index) };
  },
  objectOf: (actor, name) =>
    objectId('driver_lock', ACTORS.indexOf(actor), objectName(name as never).index),
};

test('the order of actors is that of their sums within each group, and one object for each', () => {
  const owners = new ObjectOwners(DEVICES);
  const sums = (...lows: number[]) => lows.map((low) => ({ low, high: 0 }));
  const straight = owners.orderBy(sums(0, 1, 2, 0));
  assert.deepEqual(straight, [1, 2, 3]);
  assert.deepEqual(owners.orderBy(sums(0, 2, 1, 0)), [2, 1, 3]);
  assert.equal(owners.orderBy(sums(9, 5, 5, 7)), straight);
});

test('an exchange takes the task, the object and the locks along, and nobody from another group', () => {
  const owners = new ObjectOwners(DEVICES);
  const places = new TaskPlaces();
  const callback = (actor: string) =>
    places.placeOf(places.placeOf('none', 'dev0 0'), `${actor} invalidate ${actor}`);
  const touch = (device: number, actor: string) => ({
    place: callback(actor),
    object: objectId('driver_lock', device, 3),
    mode: 'read' as const,
    locks: [objectId('driver_lock', 0, 0), objectId('driver_lock', device, 0)],
  });
  const [straight, crossed] = [
    [1, 2, 3],
    [2, 1, 3],
  ] as const;
  assert.deepEqual(owners.exchanged(touch(1, 'dev1'), straight, crossed, places), touch(2, 'dev2'));
  assert.deepEqual(owners.exchanged(touch(1, 'dev1'), crossed, crossed, places), touch(1, 'dev1'));
});
