import type { PromptRole, PromptVerb } from './verb.ts';
import { ASKED_VERBS } from './verbs/asked-verbs.ts';
import { HOLD_VERBS } from './verbs/hold.ts';
import { LOOK_VERBS } from './verbs/look.ts';
import { PROMPT_VERBS } from './verbs/prompt.ts';

/** Every verb, in the order in which help shows them. */
export const VERBS: readonly PromptVerb[] = [
  ...ASKED_VERBS,
  ...HOLD_VERBS,
  ...LOOK_VERBS,
  ...PROMPT_VERBS,
];

/** The verbs of a client of this role. */
export function verbsOf(role: PromptRole): readonly PromptVerb[] {
  return VERBS.filter(({ roles }) => roles.includes(role));
}
