/**
 * How a client is asked for a verb. The parts of verbs that scenarios like to do alone are not everybody's: a client
 * that does not know one is asked for the nearest verb that every device has.
 */
import { DMIRROR_VERBS, type DmirrorVerb } from '../../clients/drivers/dmirror/dmirror-verb.ts';

export interface VerbWords {
  /** Verbs that the client has refused with EINVAL. */
  readonly unknown: Set<string>;
  /** Verbs of the scenario for which it knows no other word either. */
  readonly lacking: Set<string>;
}

export type PerformParams = { readonly verb: string } & { readonly [argument: string]: unknown };

/** The ways to ask, the best first; those that the client has refused before are left out. */
export function askedAs({ unknown }: VerbWords, verb: DmirrorVerb): PerformParams[] {
  const { nearest } = DMIRROR_VERBS[verb.verb];
  const ways: PerformParams[] = [{ ...verb }];
  if (nearest !== undefined) ways.push({ ...verb, verb: nearest });
  return ways.filter((way) => !unknown.has(way.verb));
}
