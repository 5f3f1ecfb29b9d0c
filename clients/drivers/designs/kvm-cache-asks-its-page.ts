/**
 * A guest whose cache of frames minds only what happens to its own page: the ranges that are being invalidated are in a
 * list, and a sequence of the cache's own moves with those that touch its page. KVM itself asks a count and a sequence
 * of the whole guest.
 */
import type { MmuNotifierOps } from '../../../server/abi/device-api.ts';
import { holdToCompare, touch } from '../../../server/task/context.ts';
import { objectId } from '../../../server/task/object-id.ts';
import { willCompare, willWrite } from '../../../server/task/task.ts';
import { contains, type PageRange } from '../../../server/vocabulary/address.ts';
import type { DriverOptions, DriverVariant, LabDevice } from '../interface/driver-variant.ts';
import { deviceOfKvm, KVM_FUNCTIONS } from '../kvm/kvm-device.ts';
import { invalidateRangeEnd, invalidateRangeStart } from '../kvm/kvm-notifier.ts';
import { type KvmFunctions, newKvm } from '../kvm/kvm-state.ts';

export const kvmCacheAsksItsPage: DriverVariant = {
  id: 'kvm-cache-asks-its-page',
  provenance:
    'constructed: what the two proposals to KVM on the endless retry of its caches come to',
  summary: 'tries to fill its cache of frames again only if its own page was invalidated meanwhile',
  notifiers: 'classic',
  newDevice,
};

function newDevice(options: DriverOptions): LabDevice {
  const { context, deviceNumber } = options;
  /** Ranges between start and end of their brackets. */
  const active: PageRange[] = [];
  const ranges = objectId('device', deviceNumber, 6);
  const moves = objectId('device', deviceNumber, 7);
  let sequence = 0;
  const functions: KvmFunctions = {
    ...KVM_FUNCTIONS,
    *cacheSequence() {
      yield willCompare('kvm_cache_asks_its_page.sequence', moves);
      touch(context, moves, 'watch');
      holdToCompare(context, moves, sequence);
      return sequence;
    },
    cacheIsStale(_kvm, page, begun) {
      touch(context, ranges, 'watch');
      touch(context, moves, 'watch');
      return sequence !== begun || active.some((range) => contains(range, page));
    },
  };
  const kvm = newKvm(options, functions);
  const moved = (range: PageRange): void => {
    touch(context, ranges, 'write');
    touch(context, kvm.objects.cache, 'watch');
    if (!contains(range, kvm.cache.page)) return;
    touch(context, moves, 'write');
    sequence += 1;
  };
  const mmuNotifier: MmuNotifierOps = {
    *invalidateRangeStart(event) {
      yield willWrite('kvm_cache_asks_its_page.start', ranges);
      active.push(event.range);
      moved(event.range);
      return yield* invalidateRangeStart(kvm, event);
    },
    *invalidateRangeEnd(event) {
      yield* invalidateRangeEnd(kvm, event);
      yield willWrite('kvm_cache_asks_its_page.end', ranges);
      active.splice(
        active.findIndex(
          ({ first, end }) => first === event.range.first && end === event.range.end,
        ),
        1,
      );
      moved(event.range);
    },
  };
  const made = deviceOfKvm(kvm);
  return {
    ...made,
    callbacks: { ...made.callbacks, mmuNotifier },
    contentOf(object) {
      if (object === ranges) return active.map(({ first, end }) => `${first}-${end}`).join();
      // Compared, and never shown.
      return object === moves ? 0 : (made.contentOf?.(object) ?? 'unknown');
    },
    sequenceAt: (object) =>
      object === moves ? sequence : (made.sequenceAt?.(object) ?? 'unknown'),
  };
}
