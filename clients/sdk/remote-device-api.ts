/**
 * DeviceApi over a connection. Each call of a driver becomes a request whose answer its task waits for; what the
 * driver only notifies is gathered and sent in order, without waiting.
 */
import type {
  DeviceApi,
  DeviceOwner,
  HmmRangeRequest,
  MigrateVma,
  MmId,
  MmuNotifier,
} from '../../server/abi/device-api.ts';
import type { MigratePfn } from '../../server/abi/migrate-pfn.ts';
import type {
  DeviceMethod,
  DeviceParams,
  DeviceResults,
} from '../../server/protocol/device-requests.ts';
import type { Task } from '../../server/task/task.ts';
import type { PageRange, Pfn } from '../../server/vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../server/vocabulary/errno.ts';
import type { PageContents } from '../../server/vocabulary/page-contents.ts';
import { CallRefused, localRefusal } from './call-refusal.ts';
import type { CallAnswer } from './connection.ts';
import type { NotificationQueue } from './notification-queue.ts';
import type { RemoteCalls } from './remote-calls.ts';
import type { RemoteSubscriptions } from './remote-subscriptions.ts';

export type DeviceCalls = RemoteCalls<DeviceParams, DeviceResults>;

export interface RemoteDeviceApiParts {
  /** Called whenever it is asked for: the lab may give the name with the answer to the hello. */
  readonly owner: () => DeviceOwner;
  readonly mm: MmId;
  readonly calls: DeviceCalls;
  readonly subs: RemoteSubscriptions;
  readonly notifications: NotificationQueue;
  /** Of the driver that subscribes: two if it has invalidateStart(). */
  readonly passes: () => 'one' | 'two';
  /** Of the driver that registers: whether it has invalidateRangeEnd(). */
  readonly callbacks: () => 'start' | 'start-and-end';
}

/** A device has one classic notifier over the wire, which needs no number. */
const ONLY_NOTIFIER: MmuNotifier = { id: 0 };

/**
 * The kernel as a driver in this process sees it. Where a call answers with a Result, a refusal is its errno;
 * where a call cannot fail, a refusal (the session or the device is gone) throws CallRefused in the task.
 */
export function remoteDeviceApi(parts: RemoteDeviceApiParts): DeviceApi {
  const { owner, mm, calls, subs, notifications, passes, callbacks } = parts;
  return {
    get owner() {
      return owner();
    },
    mm,
    *mmapReadLock(): Task<void> {
      yield* calls.demand('mmap_read_lock', {});
    },
    *mmapReadUnlock(): Task<void> {
      yield* calls.demand('mmap_read_unlock', {});
    },

    *mmgetNotZero(): Task<boolean> {
      return (yield* calls.demand('mmget_not_zero', {})).taken;
    },
    *mmput(): Task<void> {
      yield* calls.demand('mmput', {});
    },
    *mmputAsync(): Task<void> {
      yield* calls.demand('mmput_async', {});
    },

    *mmuIntervalNotifierInsert(range: PageRange) {
      const asked: DeviceParams['mmu_interval_notifier_insert'] =
        passes() === 'two' ? { range, passes: 'two' } : { range };
      const answer = yield* calls.ask('mmu_interval_notifier_insert', asked);
      return resultOf(answer, (inserted) =>
        subs.inserted(inserted.subscription, range, inserted.invalidate_seq),
      );
    },
    *mmuIntervalNotifierRemove(sub) {
      yield* calls.demand('mmu_interval_notifier_remove', { subscription: sub.id });
      subs.removed(sub.id);
    },
    *mmuIntervalReadBegin(sub) {
      const known = { subscription: sub.id, invalidate_seq: sub.invalidateSeq };
      return (yield* calls.demand('mmu_interval_read_begin', known)).seq;
    },

    *mmuNotifierRegister() {
      const answer = yield* calls.ask('mmu_notifier_register', { callbacks: callbacks() });
      return resultOf(answer, () => ONLY_NOTIFIER);
    },
    *mmuNotifierUnregister() {
      yield* calls.demand('mmu_notifier_unregister', {});
    },
    *getUserPages(range, access): Task<Result<readonly Pfn[]>> {
      const answer = yield* calls.ask('get_user_pages', { range, access });
      return resultOf(answer, ({ frames }) => frames);
    },
    *putPages(frames) {
      // The wire has no empty list of frames, the kernel's loop has.
      if (frames.length > 0) yield* calls.demand('put_pages', { frames: [...frames] });
    },

    *findVma(page) {
      return resultOf(yield* calls.ask('find_vma', { page }), (vma) => vma);
    },
    *hmmRangeFault(request) {
      const answer = yield* calls.ask('hmm_range_fault', hmmRangeParams(request));
      return resultOf(answer, ({ pfns }) => pfns);
    },

    *migrateVmaSetup({ mm: of, range, select, faultPage }) {
      const params = { mm: of, range, select, fault_page: faultPage };
      return resultOf(yield* calls.ask('migrate_vma_setup', params), collected);
    },
    migrateVmaPages: (migrate, dst) => moved(calls, 'migrate_vma_pages', migrate, dst),
    *migrateVmaFinalize(migrate) {
      yield* calls.demand('migrate_vma_finalize', { migrate: migrate.id });
    },
    *migrateDeviceRange(first, count) {
      return resultOf(yield* calls.ask('migrate_device_range', { first, count }), collected);
    },
    migrateDevicePages: (migrate, dst) => moved(calls, 'migrate_device_pages', migrate, dst),
    *migrateDeviceFinalize(migrate) {
      yield* calls.demand('migrate_device_finalize', { migrate: migrate.id });
    },

    *makeDeviceExclusiveRange(range) {
      const answer = yield* calls.ask('make_device_exclusive_range', { range });
      return resultOf(answer, ({ frames }) => frames);
    },
    *unlockAndPutPages(frames) {
      // The wire has no empty list of frames, the kernel's loop has.
      if (frames.length > 0) yield* calls.demand('unlock_and_put_pages', { frames: [...frames] });
    },

    *memremapPages(count, pgmapOwner) {
      const asked: DeviceParams['memremap_pages'] =
        pgmapOwner === undefined ? { count } : { count, owner: pgmapOwner };
      return resultOf(yield* calls.ask('memremap_pages', asked), ({ first }) => first);
    },
    zoneDevicePageInit: (pfn) => notifications.pageInit(pfn),
    *putDevicePage(pfn) {
      yield* calls.demand('put_device_page', { pfn });
    },
    *allocPages(count): Task<Result<readonly Pfn[]>> {
      return resultOf(yield* calls.ask('alloc_pages', { count }), ({ frames }) => frames);
    },

    *dmaRead(targets): Task<Result<readonly PageContents[]>> {
      const answer = yield* calls.ask('dma_read', { targets: [...targets] });
      if (!answer.ok) return fail(answer.refusal.errno);
      if (answer.pages.length !== targets.length) throw wrongPages(targets.length);
      return ok(answer.pages);
    },
    *dmaWrite(targets, contents) {
      const answer = yield* calls.ask('dma_write', { targets: [...targets] }, contents);
      return answer.ok ? OK : fail(answer.refusal.errno);
    },

    mirrorChanged: (page, entry) => notifications.mirrorChanged(page, entry),
    privateMemoryAccessed: (page, pfn, mode, contents) =>
      notifications.privateMemoryAccessed(page, pfn, mode, contents),
  };
}

function resultOf<T, U>(answer: CallAnswer<T>, view: (result: T) => U): Result<U> {
  return answer.ok ? ok(view(answer.result)) : fail(answer.refusal.errno);
}

function collected(result: DeviceResults['migrate_vma_setup']): MigrateVma {
  return { id: result.migrate, src: result.src };
}

function* moved(
  calls: DeviceCalls,
  method: DeviceMethod & ('migrate_vma_pages' | 'migrate_device_pages'),
  migrate: MigrateVma,
  dst: readonly MigratePfn[],
): Task<readonly MigratePfn[]> {
  return (yield* calls.demand(method, { migrate: migrate.id, dst: [...dst] })).src;
}

function hmmRangeParams(request: HmmRangeRequest): DeviceParams['hmm_range_fault'] {
  const { sub, notifierSeq, range, defaultFlags, pageFlags } = request;
  return {
    subscription: sub.id,
    notifier_seq: notifierSeq,
    range,
    default_flags: defaultFlags,
    ...(pageFlags === undefined ? {} : { page_flags: [...pageFlags] }),
  };
}

function wrongPages(expected: number): CallRefused {
  const text = `the server's answer to dma_read does not have ${expected} pages`;
  const remedy = 'Use a server of the same version as this client.';
  return new CallRefused('dma_read', localRefusal('EPROTO', 'bad-answer', text, remedy));
}
