/** The last ids of a kind, to be asked about rarely and added to often. */
export class RecentIds<Id> {
  readonly #ids: Id[] = [];
  readonly #max: number;
  #next = 0;

  /** Of more than `max` ids the oldest are forgotten. */
  constructor(max: number) {
    this.#max = max;
  }

  add(id: Id): void {
    this.#ids[this.#next] = id;
    this.#next = this.#next + 1 === this.#max ? 0 : this.#next + 1;
  }

  has(id: Id): boolean {
    return this.#ids.includes(id);
  }
}
