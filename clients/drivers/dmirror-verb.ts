/**
 * The verbs of dmirror as plain data, as user space gives them to /dev/hmm_dmirror: what scenarios,
 * agents and the conformance runner ask of a device, and what they get.
 */
import type { Task } from '../../server/task/task.ts';
import type { PageRange } from '../../server/vocabulary/address.ts';
import type { Errno, Result } from '../../server/vocabulary/errno.ts';
import { assertNever } from '../../server/vocabulary/invariant.ts';
import { type PageContents, pageOfU64, readU64 } from '../../server/vocabulary/page-contents.ts';
import { dmirrorRead, dmirrorWrite } from './dmirror-access.ts';
import { dmirrorCheckExclusive, dmirrorExclusive } from './dmirror-exclusive.ts';
import { dmirrorMigrateToDevice } from './dmirror-migrate.ts';
import { dmirrorMigrateToSystem } from './dmirror-migrate-back.ts';
import { dmirrorRelease } from './dmirror-release.ts';
import { dmirrorSnapshot, type SnapshotProt } from './dmirror-snapshot.ts';
import type { Dmirror } from './dmirror-state.ts';

/**
 * `values` are u64 in 0x-hexadecimal, one a page: the page begins with it and is zero behind it.
 */
export type DmirrorVerb =
  | { readonly verb: 'write'; readonly range: PageRange; readonly values: readonly string[] }
  | {
      readonly verb:
        | 'read'
        | 'migrate-to-dev'
        | 'migrate-to-sys'
        | 'snapshot'
        | 'exclusive'
        | 'check-exclusive';
      readonly range: PageRange;
    }
  | { readonly verb: 'release' };

/** `values` are the first u64 of each page. Nothing but the errno is told of a verb that failed. */
export interface DmirrorResult {
  readonly errno: Errno | 'OK';
  readonly values?: readonly string[];
  readonly cpages?: number;
  readonly faults?: number;
  readonly prot?: readonly SnapshotProt[];
}

/** Does one verb. Yields: yes. Never fails otherwise than in its result. */
export function* performVerb(dmirror: Dmirror, verb: DmirrorVerb): Task<DmirrorResult> {
  switch (verb.verb) {
    case 'read': {
      return told(yield* dmirrorRead(dmirror, verb.range), (read) => ({
        values: firstWords(read.values),
        cpages: read.cpages,
        faults: read.faults,
      }));
    }
    case 'write': {
      const contents = verb.values.map((value) => pageOfU64(BigInt(value)));
      return told(yield* dmirrorWrite(dmirror, verb.range, contents), ({ cpages, faults }) => ({
        cpages,
        faults,
      }));
    }
    case 'migrate-to-dev':
      return told(yield* dmirrorMigrateToDevice(dmirror, verb.range), copiedPart);
    case 'migrate-to-sys':
      return told(yield* dmirrorMigrateToSystem(dmirror, verb.range), ({ cpages }) => ({ cpages }));
    case 'snapshot':
      return told(yield* dmirrorSnapshot(dmirror, verb.range), ({ prot }) => ({ prot }));
    case 'exclusive':
      return told(yield* dmirrorExclusive(dmirror, verb.range), copiedPart);
    case 'check-exclusive':
      return told(yield* dmirrorCheckExclusive(dmirror, verb.range), () => ({}));
    case 'release':
      return told(yield* dmirrorRelease(dmirror), () => ({}));
    default:
      return assertNever(verb);
  }
}

function told<T>(
  result: Result<T>,
  part: (value: T) => Omit<DmirrorResult, 'errno'>,
): DmirrorResult {
  return result.ok ? { errno: 'OK', ...part(result.value) } : { errno: result.errno };
}

function copiedPart(copied: {
  readonly values: readonly PageContents[];
  readonly cpages: number;
}): Omit<DmirrorResult, 'errno'> {
  return { values: firstWords(copied.values), cpages: copied.cpages };
}

function firstWords(pages: readonly PageContents[]): string[] {
  return pages.map((contents) => `0x${readU64(contents, 0).toString(16)}`);
}
