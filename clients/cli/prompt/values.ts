/** The values of a verb's arguments, each of the kind that its table says. */
import { PAGE_SIZE } from '../../../server/vocabulary/address.ts';

/** A byte address, a number or words. An argument that was left out and has no default is not there. */
export type Value =
  | { readonly kind: 'address'; readonly address: number }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'u64'; readonly hex: string }
  | { readonly kind: 'word'; readonly word: string };

export class Values {
  readonly #values: ReadonlyMap<string, readonly Value[]>;

  constructor(values: ReadonlyMap<string, readonly Value[]>) {
    this.#values = values;
  }

  has(argument: string): boolean {
    return this.#values.has(argument);
  }

  /** `0x10000`, for verbs of CPUs. */
  address(argument: string): string {
    return `0x${this.#one(argument, 'address').address.toString(16)}`;
  }

  /** As a question has it; undefined for an argument that was left out. */
  plain(argument: string): string | number | undefined {
    const value = this.#values.get(argument)?.[0];
    switch (value?.kind) {
      case 'address':
        return `0x${value.address.toString(16)}`;
      case 'number':
        return value.number;
      case 'u64':
        return value.hex;
      case 'word':
        return value.word;
      case undefined:
        return undefined;
    }
  }

  page(argument: string): number {
    return Math.floor(this.#one(argument, 'address').address / PAGE_SIZE);
  }

  number(argument: string): number {
    return this.#one(argument, 'number').number;
  }

  word(argument: string): string {
    return this.#one(argument, 'word').word;
  }

  /** u64 in 0x-hexadecimal. */
  u64(argument: string): string {
    return this.#one(argument, 'u64').hex;
  }

  u64s(argument: string): string[] {
    const values = this.#values.get(argument) ?? [];
    return values.flatMap((value) => (value.kind === 'u64' ? [value.hex] : []));
  }

  /** Pages [first, end) as devices speak of them. */
  range(first: string, pages: string): { readonly first: number; readonly end: number } {
    const page = this.page(first);
    return { first: page, end: page + this.number(pages) };
  }

  #one<Kind extends Value['kind']>(argument: string, kind: Kind): Extract<Value, { kind: Kind }> {
    const value = this.#values.get(argument)?.[0];
    if (value?.kind !== kind) throw new Error(`the verb table has no ${kind} ${argument}`);
    return value as Extract<Value, { kind: Kind }>;
  }
}
