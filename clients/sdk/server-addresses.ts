/** Where a client finds its lab: at the server that had it last, or at others that keep the same labs. */
export class ServerAddresses {
  readonly #given: string;
  #known: readonly string[];
  #at = 0;

  /** `given` stays one of them. */
  constructor(given: string) {
    this.#given = given;
    this.#known = [given];
  }

  /** To be tried next. */
  get next(): string {
    return this.#known[this.#at] ?? this.#given;
  }

  /** Whether there is another to try than the one that was given. */
  get several(): boolean {
    return this.#known.length > 1;
  }

  /** The server there took the hello, and knows of these others. */
  greeted(others: readonly string[]): void {
    this.#begin(this.next, others);
  }

  /** A server says that the lab is there. */
  movedTo(address: string): void {
    this.#begin(address, this.#known);
  }

  /** Nobody answers there, or no longer. */
  failed(): void {
    this.#at = (this.#at + 1) % this.#known.length;
  }

  #begin(first: string, others: readonly string[]): void {
    this.#known = [...new Set([first, this.#given, ...others])];
    this.#at = 0;
  }
}
