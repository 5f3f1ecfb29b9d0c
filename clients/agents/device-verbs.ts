/** What a device process does when a conductor asks. */
import { strict, word } from '../../server/abi/scalars.ts';
import { compileCheck, firstError } from '../../server/protocol/validators.ts';
import type { Task } from '../../server/task/task.ts';
import { overlaps, type PageRange } from '../../server/vocabulary/address.ts';
import { DMIRROR_VERBS, type DmirrorVerb, performVerb } from '../drivers/dmirror/dmirror-verb.ts';
import { type VerbParams, VerbRefused, type VerbResult } from '../sdk/conductor.ts';
import type { HandMigration } from './hand-migration.ts';
import { type DeviceHand, HAND_VERBS } from './hand-verbs.ts';

/** Every verb of a device process. */
export const DEVICE_VERBS = { ...DMIRROR_VERBS, ...HAND_VERBS } as const;
export type DeviceVerbName = keyof typeof DEVICE_VERBS;

const CHECKS = new Map(
  Object.entries(DEVICE_VERBS).map(([name, { params }]) => [
    name,
    compileCheck(strict({ verb: word(name), ...params.properties })),
  ]),
);

/** Does one verb. Throws: VerbRefused if it is unknown or its parameters are wrong. Yields: yes. */
export function* performDeviceVerb(hand: DeviceHand, params: VerbParams): Task<VerbResult> {
  checkVerb(params);
  if (waitsForItself(hand.migration, params)) return { errno: 'EDEADLK' };
  if (Object.hasOwn(HAND_VERBS, params.verb)) {
    const name = params.verb as keyof typeof HAND_VERBS;
    return yield* HAND_VERBS[name].perform(hand, params as never);
  }
  return { ...(yield* performVerb(hand.dmirror, params as unknown as DmirrorVerb)) };
}

/** The verb of a device that has a driver of another kind. Throws: VerbRefused, as performDeviceVerb(). */
export function checkDriverVerb(params: VerbParams): DmirrorVerb {
  if (Object.hasOwn(HAND_VERBS, params.verb)) {
    throw new VerbRefused(`${params.verb}: only dmirror does it; no --driver, or --driver dmirror`);
  }
  checkVerb(params);
  return params as unknown as DmirrorVerb;
}

/** Verbs that do not fault, or that only end something. */
const NEVER_WAIT: ReadonlySet<string> = new Set([
  'snapshot',
  'prefetch',
  'read-mapped',
  'peek',
  'stop',
  'setup',
]);

/** A page of the migration that this very device has open is waited for until it is finalized. */
function waitsForItself({ open }: HandMigration, params: VerbParams): boolean {
  if (open === 'none' || !('range' in params) || NEVER_WAIT.has(params.verb)) return false;
  return overlaps(open.range, params.range as PageRange);
}

function checkVerb(params: VerbParams): void {
  const check = CHECKS.get(params.verb);
  if (check === undefined) {
    throw new VerbRefused(`verb: expected one of ${[...CHECKS.keys()].join(', ')}`);
  }
  if (!check.accepts(params)) {
    const { path, bound } = firstError(check, params, params.verb);
    throw new VerbRefused(`${path}: expected ${bound}`);
  }
}
