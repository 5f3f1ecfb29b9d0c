/** Whether what a client asks for may be held beside what it, and its lab, hold already. */
import type { DeviceNotificationParams } from '../../protocol/client-notifications.ts';
import type { CpuMethod, CpuParams } from '../../protocol/cpu-requests.ts';
import {
  HELD_LIMITS,
  type HeldLimit,
  type OverLimit,
  overLimit,
} from '../../protocol/held-limits.ts';
import type { LabUse } from './lab-use.ts';
import type { RemoteDevice } from './remote-device.ts';
import type { DeviceRequest } from './remote-device-request.ts';

type Judged = OverLimit | 'none';

/** `more` beside `held`. */
function within(limit: HeldLimit, held: number, more: number, path: string): Judged {
  return held + more > HELD_LIMITS[limit].value ? overLimit(limit, path) : 'none';
}

/** The first of them that says no. */
function all(...checks: readonly (() => Judged)[]): Judged {
  for (const check of checks) {
    const judged = check();
    if (judged !== 'none') return judged;
  }
  return 'none';
}

export function deviceOverLimit(device: RemoteDevice, request: DeviceRequest): Judged {
  const { lab, subs, chunks, migrations, unplaced, ownLock } = device;
  switch (request.method) {
    case 'mmap_read_lock':
      return within('LOCKS_HELD_MAX', ownLock.locks, 1, 'params');
    case 'mmget_not_zero':
      return within('MM_USERS_MAX', device.mmUsers, 1, 'params');
    case 'mmu_interval_notifier_insert':
      return all(
        () => within('SUBSCRIPTIONS_MAX', subs.size, 1, 'params.range'),
        () => within('LAB_SUBSCRIPTIONS_MAX', lab.subscriptions(), 1, 'params.range'),
      );
    case 'memremap_pages':
      return all(
        () => within('DEVICE_CHUNKS_MAX', chunks.length, 1, 'params'),
        () => within('LAB_CHUNKS_MAX', lab.chunks(), 1, 'params'),
      );
    case 'alloc_pages':
      return within('ALLOCATED_FRAMES_MAX', unplaced.size, request.params.count, 'params.count');
    case 'get_user_pages': {
      const { first, end } = request.params.range;
      return all(
        () => within('GOT_PAGES_MAX', device.got.length, end - first, 'params.range'),
        () => within('LAB_PAGE_TABLES_MAX', lab.pageTables(), 1, 'params.range'),
      );
    }
    case 'migrate_vma_setup':
    case 'migrate_device_range':
      return within('MIGRATIONS_OPEN_MAX', migrations.size, 1, 'params');
    case 'hmm_range_fault':
    case 'hmm_range_fault_unlocked':
      return within('LAB_PAGE_TABLES_MAX', lab.pageTables(), 1, 'params.range');
    default:
      return 'none';
  }
}

export function mirrorOverLimit(
  { lab, mirrored }: RemoteDevice,
  { changes }: DeviceNotificationParams['mirror_changed'],
): Judged {
  const made = changes.filter(({ page, entry }) => entry.state === 'mapped' && !mirrored.has(page));
  return all(
    () => within('MIRROR_ENTRIES_MAX', mirrored.size, made.length, 'params.changes'),
    () => within('LAB_MIRROR_ENTRIES_MAX', lab.mirrorEntries(), made.length, 'params.changes'),
  );
}

/** `pins` are those of the CPU itself. */
export function cpuOverLimit(
  { lab, pins }: { readonly lab: LabUse; readonly pins: ReadonlySet<number> },
  method: CpuMethod,
  params: object,
): Judged {
  const { pages = 0, advice } = params as Partial<CpuParams['pin'] & CpuParams['madvise']>;
  const tables = (more: number) => () =>
    within('LAB_PAGE_TABLES_MAX', lab.pageTables(), more, 'params');
  const vmas = (more: number) => () => within('LAB_VMAS_MAX', lab.vmas(), more, 'params');
  switch (method) {
    case 'load':
    case 'store':
    case 'uffd-copy':
    case 'uffd-zeropage':
      return all(tables(1));
    case 'uffd-move':
      // As for mremap; and where a page goes there may be no table yet.
      return all(tables(Math.min(pages, lab.pageTables()) + 1));
    case 'khugepaged':
      return within('SCAN_PAGES_MAX', 0, pages, 'params.pages');
    case 'madvise':
      return advice === 'COLLAPSE' ? within('SCAN_PAGES_MAX', 0, pages, 'params.pages') : 'none';
    case 'mmap':
    case 'munmap':
      return all(vmas(1));
    case 'mprotect':
      return all(vmas(2));
    case 'mremap':
      // Each table that is moved from may need one to be moved to, or two.
      return all(vmas(2), tables(Math.min(pages, lab.pageTables())));
    case 'fork':
      return all(vmas(lab.vmas()), tables(lab.pageTables()));
    case 'pin':
      return all(
        () => within('PIN_PAGES_MAX', 0, pages, 'params.pages'),
        () => within('PINS_MAX', pins.size, 1, 'params.id'),
        () => within('LAB_PINNED_PAGES_MAX', lab.pinnedPages(), pages, 'params.pages'),
        tables(1),
      );
    default:
      return 'none';
  }
}
