/** Actors that can change places without anybody noticing. */
import type { ObjectId } from '../task/object-id.ts';
import type { Lanes } from './lanes.ts';
import type { PlacedTouch } from './subtree-touches.ts';
import type { TaskPlace, TaskPlaces } from './task-places.ts';

export interface Symmetry {
  /** Each of at least two actors. */
  readonly groups: readonly (readonly string[])[];
  /** Whose `object` is, and what every actor of the group calls its own; 'shared' for what all share. */
  homeOf(object: ObjectId): { readonly actor: string; readonly name: number } | 'shared';
  /** The inverse of homeOf(). */
  objectOf(actor: string, name: number): ObjectId;
}

export const NO_SYMMETRY: Symmetry = {
  groups: [],
  homeOf: () => 'shared',
  objectOf: (_actor, name) => name as ObjectId,
};

export interface Home {
  /** Of the actor, from 1; 0 for what all share. */
  readonly index: number;
  readonly name: number;
}

/** Indices of interchangeable actors. Two that are the same are the same object. */
export type Order = readonly number[];

export const NO_ORDER: Order = [];

/** Who takes whose place. */
type Exchange = ReadonlyMap<string, string>;

/** Numbers the actors of a symmetry. */
export class ObjectOwners {
  readonly #symmetry: Symmetry;
  readonly #indices = new Map<string, number>();
  readonly #groups: number[] = [0];
  readonly #names: string[] = ['nobody'];
  readonly #orders = new Map<string, Order>();
  readonly #objects = new Map<ObjectId, Home>();

  constructor(symmetry: Symmetry) {
    this.#symmetry = symmetry;
    for (const [group, actors] of symmetry.groups.entries()) {
      for (const actor of actors) {
        this.#indices.set(actor, this.#groups.length);
        this.#groups.push(group + 1);
        this.#names.push(actor);
      }
    }
  }

  /** Number of indices, the 0 included. */
  get size(): number {
    return this.#groups.length;
  }

  indexOf(actor: string): number {
    return this.#indices.get(actor) ?? 0;
  }

  groupOf(index: number): number {
    return this.#groups[index] ?? 0;
  }

  /** What an actor is called where it must not matter which of its group it is. */
  nameOf(actor: string): string {
    const index = this.indexOf(actor);
    return index === 0 ? actor : this.nameOfIndex(index);
  }

  nameOfIndex(index: number): string {
    return `group ${this.groupOf(index)}`;
  }

  ofObject(object: ObjectId): Home {
    let home = this.#objects.get(object);
    if (home === undefined) {
      const found = this.#symmetry.homeOf(object);
      home =
        found === 'shared' || this.indexOf(found.actor) === 0
          ? { index: 0, name: object }
          : { index: this.indexOf(found.actor), name: found.name };
      this.#objects.set(object, home);
    }
    return home;
  }

  /** What `touch` is when each actor of `from` has taken the place of the one that stands there in `to`. */
  exchanged(touch: PlacedTouch, from: Order, to: Order, places: TaskPlaces): PlacedTouch {
    const exchange = new Map(
      from.map((index, at) => [this.#names[index] ?? '', this.#names[to[at] ?? index] ?? '']),
    );
    return {
      place: this.#placeAfter(touch.place, exchange, places),
      object: this.#objectAfter(touch.object, exchange),
      mode: touch.mode,
      locks: touch.locks.map((lock) => this.#objectAfter(lock, exchange)),
    };
  }

  /** The interchangeable actors, group by group, each group by `sums`, and by their indices where those are equal. */
  orderBy(sums: readonly Lanes[]): Order {
    const order = this.#groups.slice(1).map((_, at) => at + 1);
    order.sort((a, b) => this.groupOf(a) - this.groupOf(b) || differ(sums[a], sums[b]) || a - b);
    return this.orderOf(order);
  }

  /** The one that stands for all that are the same. */
  orderOf(order: Order): Order {
    if (order.length === 0) return NO_ORDER;
    const name = order.join();
    const known = this.#orders.get(name);
    if (known !== undefined) return known;
    this.#orders.set(name, order);
    return order;
  }

  #objectAfter(object: ObjectId, exchange: Exchange): ObjectId {
    const home = this.#symmetry.homeOf(object);
    const other = home === 'shared' ? undefined : exchange.get(home.actor);
    if (home === 'shared' || other === undefined) return object;
    return this.#symmetry.objectOf(other, home.name);
  }

  #placeAfter(place: TaskPlace, exchange: Exchange, places: TaskPlaces): TaskPlace {
    let at: TaskPlace | 'none' = 'none';
    for (const name of places.pathOf(place)) {
      const words = name.split(' ').map((word) => exchange.get(word) ?? word);
      at = places.placeOf(at, words.join(' '));
    }
    return at === 'none' ? place : at;
  }
}

function differ(a: Lanes | undefined, b: Lanes | undefined): number {
  if (a === undefined || b === undefined) return 0;
  return a.low - b.low || a.high - b.high;
}
