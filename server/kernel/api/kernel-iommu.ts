/**
 * An IOMMU that walks the page table of a process for a device. Translations that the device keeps are a TLB of the
 * address space that no shootdown reaches: only the hook for secondary TLBs does. An access that finds its translation
 * gone begins anew, so an invalidation has been waited for when it returns.
 *
 * Source: arch_invalidate_secondary_tlbs() of the IOMMU drivers, drivers/iommu/iommu-sva.c (6.12).
 * Leaves out: the IOMMU's own TLB apart from the device's, page request queues, PASIDs.
 */
import type { DeviceOwner } from '../../abi/device-api.ts';
import type { Iommu } from '../../abi/iommu.ts';
import { touch } from '../../task/context.ts';
import { objectId } from '../../task/object-id.ts';
import { readLock, readUnlock } from '../../task/rwsem.ts';
import { type Task, willRead, willWrite } from '../../task/task.ts';
import { PAGES_MAX, type PageIndex, type PageRange } from '../../vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../vocabulary/errno.ts';
import { type PageContents, readU64 } from '../../vocabulary/page-contents.ts';
import { allows, FAULTS_MAX, walk } from '../fault/cpu-access.ts';
import { type FaultAccess, type Kernel, nextId } from '../kernel.ts';
import { contentsObject, contentsOf, setContents } from '../memory/frames.ts';
import { type Mm, mmUsersObject, tlbListObject } from '../memory/mm.ts';
import { dropTlbEntry, flushTlb, newTlb, type Tlb, type TlbEntry } from '../memory/tlb.ts';
import { vmaLookup } from '../memory/vma.ts';

const EVERYTHING: PageRange = { first: 0 as PageIndex, end: PAGES_MAX as PageIndex };

/** One device as its IOMMU knows it. */
interface Requester {
  readonly k: Kernel;
  readonly mm: Mm;
  readonly device: DeviceOwner;
  readonly tlb: Tlb;
}

/** The device is bound to the address space: what it remembers of it may outlive a frame from now on. */
export function bindIommu(k: Kernel, mm: Mm, device: DeviceOwner): Iommu {
  const tlb = newTlb(device, objectId('tlb', mm.id, nextId(k)));
  touch(k.context, tlbListObject(mm.id), 'write');
  mm.deviceTlbs = [...mm.deviceTlbs, tlb];
  const by: Requester = { k, mm, device, tlb };
  return {
    read: (page) => read(by, page),
    write: (page, contents) => write(by, page, contents),
    translate: (page, access) => translateOnly(by, page, access),
    readTranslated: (page) => readTranslated(by, page),
    *invalidate(range) {
      yield willWrite('arch_invalidate_secondary_tlbs.device_tlb', tlb.object);
      flushTlb(tlb, range);
    },
    detach: () => detach(by),
  };
}

function* detach({ k, mm, tlb }: Requester): Task<void> {
  yield willWrite('iommu_sva.detach', tlb.object);
  flushTlb(tlb, EVERYTHING);
  touch(k.context, tlbListObject(mm.id), 'write');
  mm.deviceTlbs = mm.deviceTlbs.filter((other) => other !== tlb);
}

function isDetached({ k, mm, tlb }: Requester): boolean {
  touch(k.context, tlbListObject(mm.id), 'read');
  return !mm.deviceTlbs.includes(tlb);
}

function* read(by: Requester, page: PageIndex): Task<Result<PageContents>> {
  const entry = yield* translate(by, page, 'read');
  return entry === 'refused' ? fail('EFAULT') : ok(loaded(by, page, entry));
}

function* write(by: Requester, page: PageIndex, contents: PageContents): Task<Result<void>> {
  const entry = yield* translate(by, page, 'write');
  if (entry === 'refused') return fail('EFAULT');
  setContents(by.k.frames, entry.pfn, contents);
  emitAccess(by, page, entry, 'write', contents);
  return OK;
}

function* readTranslated(by: Requester, page: PageIndex): Task<Result<PageContents>> {
  touch(by.k.context, by.tlb.object, 'read');
  const entry = by.tlb.entries.get(page);
  if (entry === undefined) return fail('ENOENT');
  yield willRead('device.translated_load', contentsObject(entry.pfn));
  touch(by.k.context, by.tlb.object, 'read');
  const isThere = !isDetached(by) && by.tlb.entries.get(page) === entry;
  return isThere ? ok(loaded(by, page, entry)) : fail('ENOENT');
}

function* translateOnly(by: Requester, page: PageIndex, access: FaultAccess): Task<Result<void>> {
  return (yield* translate(by, page, access)) === 'refused' ? fail('EFAULT') : OK;
}

function loaded(by: Requester, page: PageIndex, entry: TlbEntry): PageContents {
  const contents = contentsOf(by.k.frames, entry.pfn);
  emitAccess(by, page, entry, 'read', contents);
  return contents;
}

/** The frame to access, at the instant of the access. As a CPU does it, but that the IOMMU asks for pages. */
function* translate(
  by: Requester,
  page: PageIndex,
  access: FaultAccess,
): Task<TlbEntry | 'refused'> {
  const { k, tlb } = by;
  for (let requests = 0; requests < FAULTS_MAX; ) {
    touch(k.context, tlb.object, 'read');
    if (isDetached(by)) return 'refused';
    const kept = tlb.entries.get(page);
    if (kept !== undefined && !allows(kept, access)) {
      touch(k.context, tlb.object, 'write');
      dropTlbEntry(tlb, page);
      continue;
    }
    const entry = kept ?? (yield* walk(k, by, page, access));
    if (entry === 'fault') {
      requests += 1;
      if ((yield* requestPage(by, page, access)) === 'refused') return 'refused';
      continue;
    }
    const object = contentsObject(entry.pfn);
    yield access === 'read'
      ? willRead('device.ats_load', object)
      : willWrite('device.ats_store', object);
    touch(k.context, tlb.object, 'read');
    // A walk that was under way may have filled what detach() has emptied.
    if (isDetached(by)) return 'refused';
    if (tlb.entries.get(page) === entry && allows(entry, access)) return entry;
  }
  return 'refused';
}

/** iommu_sva_handle_mm(). Takes: a reference on the address space, mmap_lock for read. */
function* requestPage(
  { k, mm }: Requester,
  page: PageIndex,
  access: FaultAccess,
): Task<'served' | 'refused'> {
  yield willWrite('iommu_sva_handle_mm.mmget', mmUsersObject(mm.id));
  if (k.fn.mmgetNotZero(k, mm) === 'gone') return 'refused';
  k.emit({ kind: 'fault', mm: mm.id, page, mode: access });
  const held = yield* readLock(k.context, 'iommu_sva_handle_mm.mmap_lock', mm.mmapLock);
  const vma = vmaLookup(mm.vmas, page);
  const allowed = vma !== 'none' && vma.prot !== 'none' && (access === 'read' || vma.prot === 'rw');
  const outcome = allowed ? yield* k.fn.handleMmFault(k, { mm, vma, page, access }) : 'sigsegv';
  readUnlock(k.context, held);
  yield* k.fn.mmput(k, mm);
  return outcome === 'done' || outcome === 'retry' ? 'served' : 'refused';
}

function emitAccess(
  { k, device }: Requester,
  page: PageIndex,
  { pfn }: TlbEntry,
  mode: FaultAccess,
  contents: PageContents,
): void {
  const value = `0x${readU64(contents, 0).toString(16)}`;
  k.emit({ kind: 'device-access', device, page, pfn, mode, memory: 'system', value });
}
