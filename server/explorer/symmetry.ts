/** Actors that can change places without anybody noticing. */
import type { ObjectId } from '../task/object-id.ts';
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

/** Who takes whose place. */
type Exchange = ReadonlyMap<string, string>;

/** Numbers the actors of a symmetry. */
export class ObjectOwners {
  readonly #symmetry: Symmetry;
  readonly #indices = new Map<string, number>();
  readonly #groups: number[] = [0];
  readonly #objects = new Map<ObjectId, Home>();

  constructor(symmetry: Symmetry) {
    this.#symmetry = symmetry;
    for (const [group, actors] of symmetry.groups.entries()) {
      for (const actor of actors) {
        this.#indices.set(actor, this.#groups.length);
        this.#groups.push(group + 1);
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

  /** `touch`, and what it would be if interchangeable actors had changed places. */
  alike(touch: PlacedTouch, places: TaskPlaces): readonly PlacedTouch[] {
    if (this.size === 1) return [touch];
    const involved = new Set<string>();
    for (const name of places.pathOf(touch.place)) this.#note(involved, name.split(' ')[0] ?? '');
    for (const object of [touch.object, ...touch.locks]) {
      const home = this.#symmetry.homeOf(object);
      if (home !== 'shared') this.#note(involved, home.actor);
    }
    return this.#exchanges([...involved]).map((exchange) => ({
      place: this.#placeAfter(touch.place, exchange, places),
      object: this.#objectAfter(touch.object, exchange),
      mode: touch.mode,
      locks: touch.locks.map((lock) => this.#objectAfter(lock, exchange)),
    }));
  }

  #note(involved: Set<string>, actor: string): void {
    if (this.indexOf(actor) !== 0) involved.add(actor);
  }

  /** All ways to put others of their groups in the places of `actors`, each another one. */
  #exchanges(actors: readonly string[]): Exchange[] {
    let ways: Exchange[] = [new Map()];
    for (const actor of actors) {
      const group = this.#symmetry.groups[this.groupOf(this.indexOf(actor)) - 1] ?? [];
      ways = ways.flatMap((way) => {
        const taken = new Set(way.values());
        const free = group.filter((other) => !taken.has(other));
        return free.map((other) => new Map([...way, [actor, other]]));
      });
    }
    return ways;
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
