/** Actors that can change places without anybody noticing, for the sums of a state. */
import type { ObjectId } from '../task/object-id.ts';

export interface Symmetry {
  /** Each of at least two actors. */
  readonly groups: readonly (readonly string[])[];
  /** Whose `object` is, and what every actor of the group calls its own; 'nobody' for what all share. */
  homeOf(object: ObjectId): { readonly actor: string; readonly name: number } | 'nobody';
}

export const NO_SYMMETRY: Symmetry = { groups: [], homeOf: () => 'nobody' };

export interface Home {
  /** Of the actor, from 1; 0 for what all share. */
  readonly index: number;
  readonly name: number;
}

/** Numbers the actors of a symmetry. */
export class Homes {
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
        found === 'nobody' || this.indexOf(found.actor) === 0
          ? { index: 0, name: object }
          : { index: this.indexOf(found.actor), name: found.name };
      this.#objects.set(object, home);
    }
    return home;
  }
}
