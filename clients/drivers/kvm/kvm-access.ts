/**
 * What a guest does to its memory: it walks the stage-2 table and faults where there is no entry that serves. Walk and
 * access are done under mmu_lock; see kvm-notifier.ts.
 */
import { enterLoop, keepOnly } from '../../../server/task/context.ts';
import { type Task, willRead } from '../../../server/task/task.ts';
import { nextPage, type PageIndex, type PageRange } from '../../../server/vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import type { PageContents } from '../../../server/vocabulary/page-contents.ts';
import { entryAt, entryObject, type MappedEntry } from '../hardware/device-page-table.ts';
import { kvmFault } from './kvm-fault.ts';
import { type Kvm, withMmuLock } from './kvm-state.ts';

export interface KvmCopied {
  readonly values: readonly PageContents[];
  readonly faults: number;
}

/** Yields: yes. Returns: the errno of a fault. */
export function kvmRead(kvm: Kvm, range: PageRange): Task<Result<KvmCopied>> {
  return withFaults(kvm, range, 'read', (page) => readPage(kvm, page));
}

/** Writes whole pages. Yields: yes. Returns: as kvmRead(). */
export function kvmWrite(
  kvm: Kvm,
  range: PageRange,
  contents: readonly PageContents[],
): Task<Result<KvmCopied>> {
  return withFaults(kvm, range, 'write', (page) =>
    writePage(kvm, page, contents[page - range.first]),
  );
}

/** Reads as far as the table has it. Returns: ENOENT if an entry is missing. */
export function* kvmReadMapped(kvm: Kvm, range: PageRange): Task<Result<KvmCopied>> {
  const values: PageContents[] = [];
  for (let page = range.first; page < range.end; page = nextPage(page)) {
    const read = yield* readPage(kvm, page);
    if (!read.ok) return read;
    if (read.value === 'missing') return fail('ENOENT');
    values.push(...read.value);
  }
  return ok({ values, faults: 0 });
}

type Accessed = readonly PageContents[] | 'missing';

function* withFaults(
  kvm: Kvm,
  range: PageRange,
  access: 'read' | 'write',
  tryPage: (page: PageIndex) => Task<Result<Accessed>>,
): Task<Result<KvmCopied>> {
  const values: PageContents[] = [];
  let faults = 0;
  for (let page = range.first; page < range.end; page = nextPage(page)) {
    enterLoop(kvm.context, kvm.mmuLock.object);
    for (;;) {
      const done = yield* tryPage(page);
      if (!done.ok) return done;
      if (done.value !== 'missing') {
        values.push(...done.value);
        break;
      }
      faults += 1;
      const faulted = yield* kvmFault(kvm, page, access);
      if (!faulted.ok) return faulted;
      keepOnly(kvm.context, kvm.mmuLock.object, `${faults}`);
    }
  }
  return ok({ values, faults });
}

function readPage(kvm: Kvm, page: PageIndex): Task<Result<Accessed>> {
  return withMmuLock(kvm, 'kvm_guest_read.mmu_lock', function* () {
    const entry = yield* walk(kvm, page, 'read');
    if (entry === 'missing') return ok(entry);
    return yield* kvm.api.dmaRead([{ page, pfn: entry.pfn }]);
  });
}

function writePage(
  kvm: Kvm,
  page: PageIndex,
  contents: PageContents | undefined,
): Task<Result<Accessed>> {
  return withMmuLock(kvm, 'kvm_guest_write.mmu_lock', function* () {
    const entry = yield* walk(kvm, page, 'write');
    if (entry === 'missing') return ok(entry);
    if (contents === undefined) return fail('EFAULT');
    const written = yield* kvm.api.dmaWrite([{ page, pfn: entry.pfn }], [contents]);
    return written.ok ? ok([]) : written;
  });
}

function* walk(kvm: Kvm, page: PageIndex, access: 'read' | 'write'): Task<MappedEntry | 'missing'> {
  yield willRead(`kvm_guest_${access}.walk`, entryObject(kvm.table, page));
  const entry = entryAt(kvm.table, page);
  const serves = entry.state === 'mapped' && (access === 'read' || entry.access === 'write');
  return serves ? entry : 'missing';
}

/** Faults a range in, whether there are entries or not. */
export function* kvmFaultRange(
  kvm: Kvm,
  range: PageRange,
  access: 'read' | 'write',
): Task<Result<void>> {
  for (let page = range.first; page < range.end; page = nextPage(page)) {
    const faulted = yield* kvmFault(kvm, page, access);
    if (!faulted.ok) return faulted;
  }
  return OK;
}
