import { RULES, type RuleId } from './rules.ts';

/** Something that cannot happen has happened: a bug of ours or of a user's patch, never an errno. */
export class KernelBug extends Error {
  readonly rule: RuleId;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(rule: RuleId, facts: Readonly<Record<string, unknown>>) {
    super(`[${rule}] ${RULES[rule]}: ${JSON.stringify(facts)}`);
    this.name = 'KernelBug';
    this.rule = rule;
    this.facts = facts;
  }
}

/**
 * States a fact that holds unless the program itself is wrong.
 *
 * Throws: KernelBug with the rule's id and `facts`. Only the run loop catches it.
 */
export function invariant(
  holds: boolean,
  rule: RuleId,
  facts: Readonly<Record<string, unknown>>,
): asserts holds {
  if (!holds) throw new KernelBug(rule, facts);
}

/** Makes a switch over a union exhaustive: the compiler refuses a case that was forgotten. */
export function assertNever(value: never): never {
  throw new Error(`unreachable case: ${JSON.stringify(value)}`);
}
