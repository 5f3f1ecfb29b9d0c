import type { Role, Verb } from './verb.ts';
import { CPU_ACCESS_VERBS } from './verbs/cpu-access.ts';
import { CPU_MAPPING_VERBS } from './verbs/cpu-mapping.ts';
import { CPU_PROCESS_VERBS } from './verbs/cpu-process.ts';
import { DEVICE_ACCESS_VERBS } from './verbs/device-access.ts';
import { DEVICE_EXCLUSIVE_VERBS } from './verbs/device-exclusive.ts';
import { DEVICE_LOOP_VERBS } from './verbs/device-loop.ts';
import { DEVICE_MIGRATE_VERBS } from './verbs/device-migrate.ts';
import { DEVICE_STEP_VERBS } from './verbs/device-step.ts';
import { HOLD_VERBS } from './verbs/hold.ts';
import { LOOK_VERBS } from './verbs/look.ts';
import { PROMPT_VERBS } from './verbs/prompt.ts';

/** Every verb, in the order in which help shows them. */
export const VERBS: readonly Verb[] = [
  ...DEVICE_ACCESS_VERBS,
  ...DEVICE_MIGRATE_VERBS,
  ...DEVICE_STEP_VERBS,
  ...DEVICE_EXCLUSIVE_VERBS,
  ...DEVICE_LOOP_VERBS,
  ...CPU_MAPPING_VERBS,
  ...CPU_ACCESS_VERBS,
  ...CPU_PROCESS_VERBS,
  ...HOLD_VERBS,
  ...LOOK_VERBS,
  ...PROMPT_VERBS,
];

/** The verbs that somebody of this role has. */
export function verbsOf(role: Role): readonly Verb[] {
  return VERBS.filter(({ roles }) => roles.includes(role));
}
