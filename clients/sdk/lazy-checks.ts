import type { RequestSpec } from '../../server/protocol/request-spec.ts';
import { type Check, compileCheck } from '../../server/protocol/validators.ts';

/** Checks of what the server sends, each compiled when it is first needed: a client uses few of the methods. */
export class LazyChecks {
  readonly #part: 'params' | 'result';
  readonly #table: ReadonlyMap<string, Partial<RequestSpec>>;
  readonly #compiled = new Map<string, Check>();

  constructor(part: 'params' | 'result', table: { readonly [method: string]: object }) {
    this.#part = part;
    this.#table = new Map(Object.entries(table));
  }

  knows(method: string): boolean {
    return this.#table.has(method);
  }

  /** False also for a method that the table does not have. */
  accepts(method: string, value: unknown): boolean {
    const compiled = this.#compiled.get(method);
    if (compiled !== undefined) return compiled.accepts(value);
    const schema = this.#table.get(method)?.[this.#part];
    if (schema === undefined) return false;
    const check = compileCheck(schema);
    this.#compiled.set(method, check);
    return check.accepts(value);
  }
}
