/** What stands at the objects of a guest, for an explorer that compares states. */
import { type ObjectId, objectName } from '../../../server/task/object-id.ts';
import { PAGES_MAX, type PageIndex, type PageRange } from '../../../server/vocabulary/address.ts';
import type { Kvm } from './kvm-state.ts';

/** As LabDevice.contentOf(). */
export function contentOfKvm(kvm: Kvm, object: ObjectId): string | number | 'unknown' {
  const { objects, table } = kvm;
  const { kind, index } = objectName(object);
  switch (kind) {
    case 'mirror': {
      if (index === PAGES_MAX) return [...table.entries.keys()].sort((a, b) => a - b).join();
      const entry = table.entries.get(index as PageIndex);
      return entry === undefined ? 'none' : `${entry.pfn} ${entry.access}`;
    }
    case 'driver_lock':
      // What it guards are objects of their own.
      return 0;
    default:
      break;
  }
  if (object === objects.life) return kvm.life;
  // Compared, and never shown: see sequenceOfKvm().
  if (object === objects.seq) return 0;
  if (object === objects.inProgress) return inProgressText(kvm);
  if (object === objects.active) return kvm.activeInvalidates;
  if (object === objects.slots) return `${rangesText(kvm.slots)} ${rangesText(kvm.invalidSlots)}`;
  if (object === objects.cache) {
    const { state, page, pfn } = kvm.cache;
    return state === 'valid' ? `${page} ${pfn}` : `${state} ${page}`;
  }
  return 'unknown';
}

function rangesText(ranges: readonly PageRange[]): string {
  return ranges.map(({ first, end }) => `${first}-${end}`).join();
}

/** As LabDevice.sequenceAt(). */
export function sequenceOfKvm(kvm: Kvm, object: ObjectId): number | 'unknown' {
  return object === kvm.objects.seq ? kvm.mmuInvalidateSeq : 'unknown';
}

/** Of a range that nothing is in progress in, nothing can be learnt. */
function inProgressText({ mmuInvalidateInProgress: count, mmuInvalidateRange }: Kvm): string {
  return count === 0 ? '' : `${count} ${mmuInvalidateRange.first}-${mmuInvalidateRange.end}`;
}
