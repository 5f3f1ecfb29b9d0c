/**
 * What is open at a client, by its number, oldest first: a few at a time, and mostly none. A Map makes a new table
 * each time its last entry goes, and the old table keeps the new one alive.
 */
export class OpenById<Id, Item> {
  readonly #ids: Id[] = [];
  readonly #items: Item[] = [];

  get(id: Id): Item | undefined {
    const at = this.#ids.indexOf(id);
    return at < 0 ? undefined : this.#items[at];
  }

  /** Adds an item, as the newest, or replaces the one with this id in its place. */
  set(id: Id, item: Item): void {
    const at = this.#ids.indexOf(id);
    if (at >= 0) this.#items[at] = item;
    else {
      this.#ids.push(id);
      this.#items.push(item);
    }
  }

  /** Returns what was open under `id`, which is closed now. */
  take(id: Id): Item | undefined {
    const at = this.#ids.indexOf(id);
    if (at < 0) return undefined;
    const item = this.#items[at];
    this.#close(at);
    return item;
  }

  /** Closes `id`, if it is open. */
  delete(id: Id): void {
    const at = this.#ids.indexOf(id);
    if (at >= 0) this.#close(at);
  }

  #close(at: number): void {
    const last = this.#ids.length - 1;
    if (last === 0) {
      this.#ids.pop();
      this.#items.pop();
      return;
    }
    this.#ids.splice(at, 1);
    this.#items.splice(at, 1);
  }

  /** Items, oldest first; not to be kept while items are opened or closed. */
  values(): readonly Item[] {
    return this.#items;
  }

  /** Ids and items, oldest first, as they are now. */
  all(): [Id, Item][] {
    return this.#ids.map((id, at) => [id, this.#items[at] as Item]);
  }
}
