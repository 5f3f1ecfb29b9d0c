/**
 * The one table of what a device can be asked for, as user space asks /dev/hmm_dmirror, and of parts of that: the
 * schema of scenarios, what their operations do, the ready-made clients, the prompt, recordings and the documents
 * follow from it.
 */
import type { Type } from 'typebox';
import { prose } from '../../../server/abi/prose.ts';
import { shortRange, strict, u64s } from '../../../server/abi/scalars.ts';
import type { VerbHelp } from '../../../server/abi/verb-help.ts';
import type { Task } from '../../../server/task/task.ts';
import type { PageRange } from '../../../server/vocabulary/address.ts';
import { type Errno, fail, OK, type Result } from '../../../server/vocabulary/errno.ts';
import { type PageContents, pageOfU64, readU64 } from '../../../server/vocabulary/page-contents.ts';
import { dmirrorRead, dmirrorReadMapped, dmirrorWrite } from './dmirror-access.ts';
import { dmirrorCheckExclusive, dmirrorExclusive } from './dmirror-exclusive.ts';
import { dmirrorFault, dmirrorPrefetch } from './dmirror-fault.ts';
import { dmirrorMigrateToDevice, migrateRangeToDevice } from './dmirror-migrate.ts';
import { dmirrorMigrateToSystem } from './dmirror-migrate-back.ts';
import { dmirrorRelease } from './dmirror-release.ts';
import { dmirrorSnapshot, type SnapshotProt } from './dmirror-snapshot.ts';
import { type Dmirror, withMmapReadLock } from './dmirror-state.ts';

/** `values` are the first u64 of each page. Nothing but the errno is there of a verb that failed. */
export interface DmirrorResult {
  readonly errno: Errno | 'OK';
  readonly values?: readonly string[];
  readonly cpages?: number;
  readonly faults?: number;
  readonly prot?: readonly SnapshotProt[];
}

export interface DmirrorVerbSpec<Params extends Type.TObject> {
  /**
   * 'test_hmm': dmirror of Linux has it. 'part': a part of such a verb, for scenarios of few steps. 'guest': of virtual
   * machines, and EINVAL for everybody else.
   */
  readonly of: 'test_hmm' | 'part' | 'guest';
  /** For the documents of the wire, as `result`: what there is if it went well. */
  readonly meaning: string;
  readonly result: string;
  /** For the prompt. */
  readonly help: VerbHelp;
  readonly params: Params;
  /** Of a part: what does it too, for a device that lacks the part. */
  readonly nearest?: string;
  readonly perform: (dmirror: Dmirror, params: Type.Static<Params>) => Task<DmirrorResult>;
}

function verb<const Params extends Type.TObject>(spec: DmirrorVerbSpec<Params>) {
  return spec;
}

const onRange = strict({ range: shortRange });
const memory = { group: 'memory' } as const;
const migration = { group: 'migration' } as const;
const exclusive = { group: 'exclusive access' } as const;
const guest = { group: 'guests' } as const;
const NO_GUEST = 'The device is no virtual machine, or its driver is closed.';
const NOT_MAPPED = 'Some page is not mapped, or cannot be read. maps shows what is mapped.';

export const DMIRROR_VERBS = {
  read: verb({
    of: 'test_hmm',
    meaning: 'Reads through the device page table, faulting in what is missing.',
    result: '`{errno, values, cpages, faults}`',
    help: {
      ...memory,
      summary: 'read the first word of each page, faulting where there is no entry',
      examples: ['read', 'read 0x10000 4', 'read a+1'],
    },
    params: onRange,
    *perform(dmirror, { range }) {
      return resultOf(yield* dmirrorRead(dmirror, range), ({ values, cpages, faults }) => ({
        values: firstWords(values),
        cpages,
        faults,
      }));
    },
  }),
  write: verb({
    of: 'test_hmm',
    meaning: 'Writes `values`, one a page, faulting for writing where needed.',
    result: '`{errno, cpages, faults}`',
    help: {
      ...memory,
      summary: 'write a value at the start of each page, one page a value',
      examples: ['write 42', 'write a 1 2 3', 'write 0x10000 0x2a'],
    },
    params: strict({ range: shortRange, values: u64s }),
    *perform(dmirror, { range, values }) {
      const contents = values.map((value) => pageOfU64(BigInt(value)));
      return resultOf(yield* dmirrorWrite(dmirror, range, contents), ({ cpages, faults }) => ({
        cpages,
        faults,
      }));
    },
  }),
  'migrate-to-dev': verb({
    of: 'test_hmm',
    meaning: prose(`
      Migrates the range to private memory, mapping by mapping, then reads it through the page table without faulting:
      ENOENT if a page has no entry then, EINVAL at a hole of the mappings.
    `),
    result: '`{errno, values, cpages}`',
    help: {
      ...migration,
      summary: 'migrate the pages into the memory of this device, and read them there',
      examples: ['migrate-to-dev', 'migrate-to-dev 0x10000 4'],
      errors: {
        ENOENT:
          'Some page did not migrate: another device has it, it is pinned, or it moved meanwhile.',
        EINVAL: NOT_MAPPED,
      },
    },
    params: onRange,
    *perform(dmirror, { range }) {
      return resultOf(yield* dmirrorMigrateToDevice(dmirror, range), copiedPart);
    },
  }),
  'migrate-to-sys': verb({
    of: 'test_hmm',
    meaning:
      'Migrates private pages of the range back; `cpages` have moved. EINVAL at a hole of the mappings.',
    result: '`{errno, cpages}`',
    help: {
      ...migration,
      summary: 'migrate the pages of this device back to system memory',
      examples: ['migrate-to-sys a'],
      errors: { EINVAL: NOT_MAPPED },
    },
    params: onRange,
    *perform(dmirror, { range }) {
      return resultOf(yield* dmirrorMigrateToSystem(dmirror, range), ({ cpages }) => ({ cpages }));
    },
  }),
  snapshot: verb({
    of: 'test_hmm',
    meaning: 'What hmm_range_fault says with `snapshot`: the CPU page table, nothing is faulted.',
    result: '`{errno, prot}`',
    help: {
      ...memory,
      summary: 'what hmm_range_fault() says of the CPU page table, without faulting',
      examples: ['snapshot a 4'],
    },
    params: onRange,
    *perform(dmirror, { range }) {
      return resultOf(yield* dmirrorSnapshot(dmirror, range), ({ prot }) => ({ prot }));
    },
  }),
  exclusive: verb({
    of: 'test_hmm',
    meaning: prose(`
      make_device_exclusive_range, 64 pages at a time, maps what it got, and reads it without faulting. EBUSY if a page
      could not be had: the others of its 64 stay mapped, unless the answer was shorter than asked for.
    `),
    result: '`{errno, values, cpages}`',
    help: {
      ...exclusive,
      summary:
        'call make_device_exclusive(): no other device or CPU reaches the pages before its first access',
      examples: ['exclusive a'],
      errors: { EBUSY: 'Some page could not be made exclusive: it is not there, or was touched.' },
    },
    params: onRange,
    *perform(dmirror, { range }) {
      return resultOf(yield* dmirrorExclusive(dmirror, range), copiedPart);
    },
  }),
  'check-exclusive': verb({
    of: 'test_hmm',
    meaning: 'EPERM if some page of the range is still mapped exclusive, OK if none is.',
    result: '`{errno}`',
    help: {
      ...exclusive,
      summary: 'has exclusive access ended? OK if no page is exclusive any more, EPERM otherwise',
      examples: ['check-exclusive a'],
      errors: {
        EPERM: 'Some page is still exclusive to this device: no other access has come since.',
      },
    },
    params: onRange,
    *perform(dmirror, { range }) {
      return errnoOf(yield* dmirrorCheckExclusive(dmirror, range));
    },
  }),
  release: verb({
    of: 'test_hmm',
    meaning: 'Evicts all private memory; the next migration registers new.',
    result: '`{errno}`',
    help: {
      ...migration,
      summary: 'give all private memory up: every page of it goes back to system memory',
      examples: ['release'],
    },
    params: strict({}),
    *perform(dmirror) {
      return errnoOf(yield* dmirrorRelease(dmirror));
    },
  }),
  'fault-read': verb({
    of: 'part',
    meaning: 'Faults the range in for reading, whether there are entries or not.',
    result: '`{errno}`',
    help: {
      ...memory,
      summary: 'fault the pages in for reading, whether there is an entry or not',
      examples: ['fault-read a'],
    },
    params: onRange,
    nearest: 'read',
    *perform(dmirror, { range }) {
      return errnoOf(yield* dmirrorFault(dmirror, range, 'read'));
    },
  }),
  'fault-write': verb({
    of: 'part',
    meaning: 'Faults the range in for writing, whether there are entries or not.',
    result: '`{errno}`',
    help: {
      ...memory,
      summary: 'fault the pages in for writing',
      examples: ['fault-write a'],
    },
    params: onRange,
    *perform(dmirror, { range }) {
      return errnoOf(yield* dmirrorFault(dmirror, range, 'write'));
    },
  }),
  prefetch: verb({
    of: 'part',
    meaning: prose(`
      Maps what hmm_range_fault says with \`snapshot\`: what the CPU page table has. Nothing is faulted, and pages that
      are not there stay unmapped.
    `),
    result: '`{errno}`',
    help: {
      ...memory,
      summary: 'map what the CPU page table has, without faulting',
      examples: ['prefetch a 4'],
    },
    params: onRange,
    *perform(dmirror, { range }) {
      return errnoOf(yield* dmirrorPrefetch(dmirror, range));
    },
  }),
  'read-mapped': verb({
    of: 'part',
    meaning:
      'Reads through the entries that the device has, without faulting; ENOENT if one is missing.',
    result: '`{errno, values, cpages}`',
    help: {
      ...memory,
      summary: 'read through the entries that are there; ENOENT if one is missing',
      examples: ['read-mapped a 4'],
      errors: { ENOENT: 'Some page has no entry. pt shows those that have; read faults them in.' },
    },
    params: onRange,
    nearest: 'read',
    *perform(dmirror, { range }) {
      return resultOf(yield* dmirrorReadMapped(dmirror, range), copiedPart);
    },
  }),
  migrate: verb({
    of: 'part',
    meaning: 'As migrate-to-dev, without reading back.',
    result: '`{errno}`',
    help: {
      ...migration,
      summary: 'migrate the pages into the memory of this device, and do not read them',
      examples: ['migrate a'],
      errors: { EINVAL: NOT_MAPPED },
    },
    params: onRange,
    nearest: 'migrate-to-dev',
    *perform(dmirror, { range }) {
      return errnoOf(yield* migrateRangeToDevice(dmirror, range));
    },
  }),
  collect: verb({
    of: 'part',
    meaning: prose(`
      Calls migrate_vma_setup with select system, and gives the migration up at once by migrate_vma_finalize, as a
      driver does that has no memory left: every page is its process's again.
    `),
    result: '`{errno}`',
    help: {
      ...migration,
      summary: 'set a migration up and give it up again, as with no memory left',
      examples: ['collect a'],
      errors: { EINVAL: NOT_MAPPED },
    },
    params: onRange,
    *perform(dmirror, { range }) {
      return errnoOf(yield* withMmapReadLock(dmirror, () => collect(dmirror, range)));
    },
  }),
  'read-cached': verb({
    of: 'guest',
    meaning: prose(`
      Reads one page of the guest's as the hypervisor does: through a cache of its frame, which is looked up again when
      it is not valid.
    `),
    result: '`{errno, values, cpages}`',
    help: {
      ...guest,
      summary: 'read a page through the cache of frames that the hypervisor itself uses',
      examples: ['read-cached a'],
      errors: { EINVAL: NO_GUEST },
    },
    params: onRange,
    perform: notAGuest,
  }),
  'delete-memslot': verb({
    of: 'guest',
    meaning: 'Takes pages of the process away from the guest: it has no memory there from then on.',
    result: '`{errno}`',
    help: {
      ...guest,
      summary: 'take pages out of the memory of the guest',
      examples: ['delete-memslot a 4'],
      errors: { EINVAL: NO_GUEST },
    },
    params: onRange,
    perform: notAGuest,
  }),
  'add-memslot': verb({
    of: 'guest',
    meaning: 'Gives pages of the process to the guest, which has all of them when it is made.',
    result: '`{errno}`',
    help: {
      ...guest,
      summary: 'give pages that were taken away back to the guest',
      examples: ['add-memslot a 4'],
      errors: { EEXIST: 'The guest has some of them.', EINVAL: NO_GUEST },
    },
    params: onRange,
    perform: notAGuest,
  }),
} as const;

export type DmirrorVerbName = keyof typeof DMIRROR_VERBS;
/** A verb with what it takes. `values` are u64 in 0x-hexadecimal, one a page: the page is zero behind it. */
export type DmirrorVerb =
  | { readonly verb: 'write'; readonly range: PageRange; readonly values: readonly string[] }
  | { readonly verb: 'release' }
  | { readonly verb: Exclude<DmirrorVerbName, 'write' | 'release'>; readonly range: PageRange };

/** Does one verb. Yields: yes. Never fails otherwise than in its result. */
export function performVerb(dmirror: Dmirror, asked: DmirrorVerb): Task<DmirrorResult> {
  return DMIRROR_VERBS[asked.verb].perform(dmirror, asked as never);
}

// No yield: the signature of the table.
function* notAGuest(): Task<DmirrorResult> {
  return { errno: 'EINVAL' };
}

/** Holds: mmap_lock. */
function* collect({ api, mm }: Dmirror, range: PageRange): Task<Result<void>> {
  if (mm === 'gone') return fail('EINVAL');
  const select = 'system';
  const setup = yield* api.migrateVmaSetup({ mm: api.mm, range, select, faultPage: 'none' });
  if (!setup.ok) return setup;
  yield* api.migrateVmaFinalize(setup.value);
  return OK;
}

function errnoOf(result: Result<unknown>): DmirrorResult {
  return { errno: result.ok ? 'OK' : result.errno };
}

function resultOf<T>(
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
