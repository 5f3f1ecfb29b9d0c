/**
 * Conditions over the end of an execution: `reader.r0 = 0 and not stuck`. Also in the spelling of litmus tests:
 * /\ for and, \/ for or, ~ for not. A name of an actor that is repeated means any of its instances.
 */
export type Term =
  | { readonly kind: 'register'; readonly actor: string; readonly register: string }
  | { readonly kind: 'pte'; readonly place: string }
  | { readonly kind: 'mirror'; readonly actor: string; readonly place: string };

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | { readonly kind: 'stuck' }
  | {
      readonly kind: 'compare';
      readonly term: Term;
      readonly relation: '=' | '!=';
      /** Numbers as 0x-hexadecimal. */
      readonly value: string;
    };

/** What a condition looks at. */
export interface EndState {
  readonly stuck: boolean;
  /** One value for each instance that has the register; none if it was never set. */
  registers(actor: string, register: string): readonly string[];
  pte(place: string): string;
  mirrors(actor: string, place: string): readonly string[];
}

export function isMet(condition: Condition, state: EndState): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.parts.every((part) => isMet(part, state));
    case 'or':
      return condition.parts.some((part) => isMet(part, state));
    case 'not':
      return !isMet(condition.part, state);
    case 'stuck':
      return state.stuck;
    case 'compare': {
      const equal = condition.relation === '=';
      return valuesOf(condition.term, state).some((value) => (value === condition.value) === equal);
    }
  }
}

function valuesOf(term: Term, state: EndState): readonly string[] {
  switch (term.kind) {
    case 'register':
      return state.registers(term.actor, term.register);
    case 'pte':
      return [state.pte(term.place)];
    case 'mirror':
      return state.mirrors(term.actor, term.place);
  }
}

/** Every term of `condition`, for checks. */
export function termsOf(condition: Condition): Term[] {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.parts.flatMap(termsOf);
    case 'not':
      return termsOf(condition.part);
    case 'stuck':
      return [];
    case 'compare':
      return [condition.term];
  }
}

/** A number in any spelling as registers hold it; other words stay. */
export function canonicalValue(value: string | number): string {
  const text = String(value);
  return /^(0x[0-9a-fA-F]+|[0-9]+)$/.test(text) ? `0x${BigInt(text).toString(16)}` : text;
}
