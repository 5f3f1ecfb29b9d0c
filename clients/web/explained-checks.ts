/**
 * What the page takes in place of `typebox/compile`: its policy lets no text become code, so that a compiled check
 * would be interpreted as well. One that explains is there already, and agrees with the compiled ones.
 */
import type { Type } from 'typebox';
import { explain } from '../../server/protocol/explain.ts';

export function Compile(schema: Type.TSchema): { Check(value: unknown): boolean } {
  // biome-ignore lint/correctness/noComponentHookFactories: called as what it stands for, and no component.
  return { Check: (value) => explain(schema, value, '') === 'none' };
}
