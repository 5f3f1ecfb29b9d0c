import type { Violation } from './failure.ts';

/** A failure of a world in a test, which has no oracles. */
export function testFailure(text: string): Violation {
  return { kind: 'violation', rule: 'OR4', text, actors: [] };
}
