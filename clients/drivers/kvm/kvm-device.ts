/** A guest as a device: what a scenario, or a client, asks of it. */
import type { DeviceDriver } from '../../../server/abi/device-api.ts';
import type { ObjectId } from '../../../server/task/object-id.ts';
import type { Task } from '../../../server/task/task.ts';
import type { PageRange } from '../../../server/vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import { pageOfU64, readU64 } from '../../../server/vocabulary/page-contents.ts';
import type { DmirrorResult, DmirrorVerb } from '../dmirror/dmirror-verb.ts';
import type { DriverOptions, LabDevice } from '../interface/driver-variant.ts';
import { type KvmCopied, kvmFaultRange, kvmRead, kvmReadMapped, kvmWrite } from './kvm-access.ts';
import { contentOfKvm, sequenceOfKvm } from './kvm-contents.ts';
import { isStale, lookUp } from './kvm-fault.ts';
import { forgetSlots, invalidateSlots, putIn, untilNoneIsActive } from './kvm-memslots.ts';
import { kvmNotifierOps, kvmRelease, mappedIn, mmuInvalidateEnd, zap } from './kvm-notifier.ts';
import { type Kvm, type KvmFunctions, newKvm, withMmuLock } from './kvm-state.ts';
import { cacheIsStale, cacheSequence, readCachedRange } from './pfn-cache.ts';

/** KVM as it is. A variant replaces some of these. */
export const KVM_FUNCTIONS: KvmFunctions = {
  lookUp,
  isStale,
  cacheSequence,
  cacheIsStale,
  untilSlotsMayChange: untilNoneIsActive,
  invalidateEnd: mmuInvalidateEnd,
};

/** A guest whose KVM has `functions` in the place of its own. They must keep no state beside the guest's. */
export function kvmWith(options: DriverOptions, functions: Partial<KvmFunctions>): LabDevice {
  return deviceOfKvm(newKvm(options, { ...KVM_FUNCTIONS, ...functions }));
}

export function deviceOfKvm(kvm: Kvm): LabDevice {
  return {
    callbacks: kvmDriver(kvm),
    open: () => openKvm(kvm),
    perform: (verb) => performKvmVerb(kvm, verb),
    contentOf: (object: ObjectId) => contentOfKvm(kvm, object),
    sequenceAt: (object: ObjectId) => sequenceOfKvm(kvm, object),
    invalidating: () => (isGone(kvm) ? 0 : kvm.mmuInvalidateInProgress),
  };
}

/**
 * No end comes for what had started when the notifier was taken back (kvm_destroy_vm()), or the address space went, as
 * under the bracket of a walk of the reverse map (mn_hlist_release()). Nothing asks for the count any more.
 */
function isGone({ notifier, life }: Kvm): boolean {
  return notifier === 'closed' || life === 'gone';
}

/** What the kernel calls. A guest has no interval subscription and no memory of its own. */
export function kvmDriver(kvm: Kvm): DeviceDriver {
  return {
    mmuNotifier: kvmNotifierOps(kvm),
    release: () => kvmRelease(kvm),
    invalidate: () => neverAsked('done'),
    migrateToRam: () => neverAsked(fail('EINVAL')),
    pageFree: () => neverAsked(undefined),
  };
}

// No yield: the signature of the seam.
function* neverAsked<T>(answer: T): Task<T> {
  return answer;
}

/** kvm_init_mmu_notifier(). Returns: as mmuNotifierRegister(). */
export function* openKvm(kvm: Kvm): Task<Result<void>> {
  const registered = yield* kvm.api.mmuNotifierRegister();
  if (!registered.ok) return registered;
  kvm.notifier = registered.value;
  return OK;
}

/** kvm_destroy_vm(): release() drops the table. */
export function* closeKvm(kvm: Kvm): Task<void> {
  const { notifier } = kvm;
  if (notifier === 'closed') return;
  kvm.notifier = 'closed';
  yield* kvm.api.mmuNotifierUnregister(notifier);
}

/** What is mapped goes when no fault can map more, and only behind that the memslot does. */
function* deleteMemslot(kvm: Kvm, range: PageRange): Task<void> {
  yield* invalidateSlots(kvm, range);
  yield* withMmuLock(kvm, 'kvm_arch_flush_shadow_memslot.mmu_lock', () =>
    zap(kvm, mappedIn(kvm, range)),
  );
  yield* forgetSlots(kvm, range);
}

/** Of the verbs of devices those that a guest can do. Returns: EINVAL for others, and once it is closed. */
export function* performKvmVerb(kvm: Kvm, verb: DmirrorVerb): Task<DmirrorResult> {
  switch (verb.verb) {
    case 'read':
      return copied(yield* kvmRead(kvm, verb.range));
    case 'write': {
      const contents = verb.values.map((value) => pageOfU64(BigInt(value)));
      return errnoOf(yield* kvmWrite(kvm, verb.range, contents));
    }
    case 'read-mapped':
      return copied(yield* kvmReadMapped(kvm, verb.range));
    case 'fault-read':
      return errnoOf(yield* kvmFaultRange(kvm, verb.range, 'read'));
    case 'fault-write':
      return errnoOf(yield* kvmFaultRange(kvm, verb.range, 'write'));
    case 'read-cached': {
      const read = yield* readCachedRange(kvm, verb.range);
      return copied(read.ok ? ok({ values: read.value, faults: 0 }) : read);
    }
    case 'delete-memslot':
      yield* deleteMemslot(kvm, verb.range);
      return { errno: 'OK' };
    case 'add-memslot':
      return errnoOf(yield* putIn(kvm, verb.range));
    case 'release':
      yield* closeKvm(kvm);
      return { errno: 'OK' };
    default:
      return { errno: 'EINVAL' };
  }
}

function copied(result: Result<KvmCopied>): DmirrorResult {
  if (!result.ok) return { errno: result.errno };
  const { values, faults } = result.value;
  const words = values.map((contents) => `0x${readU64(contents, 0).toString(16)}`);
  return { errno: 'OK', values: words, cpages: values.length, faults };
}

function errnoOf(result: Result<unknown>): DmirrorResult {
  return { errno: result.ok ? 'OK' : result.errno };
}
