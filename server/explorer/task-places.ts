/** Names tasks by where they come from, the same in every execution. */

/** A task by its place in the program. */
export type TaskPlace = number;

export class TaskPlaces {
  readonly #known = new Map<string, TaskPlace>();
  readonly #parents: (TaskPlace | 'none')[] = [];
  readonly #names: string[] = [];

  /** `name` must be unique among the children that `parent` has at one time, or among the tasks without a parent. */
  placeOf(parent: TaskPlace | 'none', name: string): TaskPlace {
    const key = `${parent} ${name}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const place = this.#parents.length;
    this.#known.set(key, place);
    this.#parents.push(parent);
    this.#names.push(name);
    return place;
  }

  /** What the place and all above it are called, the topmost first. */
  pathOf(place: TaskPlace): readonly string[] {
    const path: string[] = [];
    for (let at: TaskPlace | 'none' = place; at !== 'none'; at = this.parentOf(at)) {
      path.unshift(this.#names[at] ?? '');
    }
    return path;
  }

  parentOf(place: TaskPlace): TaskPlace | 'none' {
    return this.#parents[place] ?? 'none';
  }

  /** One of the two waits while the other runs: a task waits for its children. */
  areRelated(a: TaskPlace, b: TaskPlace): boolean {
    return a === b || this.isAbove(a, b) || this.isAbove(b, a);
  }

  /** `below` is a child of `above`, or a child of a child. */
  isAbove(above: TaskPlace, below: TaskPlace): boolean {
    let at = this.parentOf(below);
    while (at !== 'none') {
      if (at === above) return true;
      at = this.parentOf(at);
    }
    return false;
  }
}
