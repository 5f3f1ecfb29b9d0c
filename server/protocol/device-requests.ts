/**
 * What a device client may ask: DeviceApi (device-api.ts), method by method, in the kernel's spelling. `meaning` and
 * `errors` are what docs/PROTOCOL.md says to a client in another language.
 */
import { Type } from 'typebox';
import { MIGRATE_SELECTS } from '../abi/device-api.ts';
import { RANGE_PAGES_MAX } from '../abi/limits.ts';
import { prose } from '../abi/prose.ts';
import { described, name, nothing, page, range, shortRange, strict, word } from '../abi/scalars.ts';
import { DEVICE_FRAMES_MAX } from './limits.ts';
import type { ParamsOf, RequestTable, ResultsOf } from './request-spec.ts';
import {
  frame,
  frameOrNone,
  handle,
  hmmPfnValue,
  migratePfnValue,
  mm,
  notifierSeq,
  pageCountInCall,
} from './wire-values.ts';

const hmmFlags = word('snapshot', 'fault', 'fault-write');
const migratePfns = Type.Array(migratePfnValue, { minItems: 1, maxItems: RANGE_PAGES_MAX });
const frames = Type.Array(frame, { minItems: 1, maxItems: RANGE_PAGES_MAX });
const targets = Type.Array(strict({ page, pfn: frame }), {
  minItems: 1,
  maxItems: RANGE_PAGES_MAX,
});
const collected = strict({ migrate: handle, src: migratePfns });
const bare = { sends: 'no-pages', answers: 'no-pages' } as const;

export const DEVICE_REQUESTS = {
  mmap_read_lock: {
    meaning: prose(`
      Takes mmap_lock of the mirrored mm for reading, and answers when it is held: that may take
      as long as a writer does. Held until mmap_read_unlock, a fence or the end of the session. It
      may be taken several times; every lock needs its unlock.
    `),
    errors: [],
    ...bare,
    params: nothing,
    result: nothing,
    subject: 'params',
  },
  mmap_read_unlock: {
    meaning: prose(`
      Gives one mmap_read_lock back. The last one cannot be given back while a migration from
      migrate_vma_setup is open under it.
    `),
    errors: ['lock-not-held', 'in-use'],
    ...bare,
    params: nothing,
    result: nothing,
    subject: 'params',
  },

  mmget_not_zero: {
    meaning: prose(`
      Takes a reference on the mirrored mm: the process may exit, and what it maps stays until the
      last reference is given back. taken false: it is being taken down, or is gone, and nothing
      was taken. Held until mmput or mmput_async, a fence or the end of the session.
    `),
    errors: [],
    ...bare,
    params: nothing,
    result: strict({ taken: Type.Boolean() }),
    subject: 'params',
  },
  mmput: {
    meaning: prose(`
      Gives a reference back. If it is the last, answers when the mm has been taken down: every
      device is asked invalidate and released before that. Never send it from within a callback.
    `),
    errors: ['no-reference'],
    ...bare,
    params: nothing,
    result: nothing,
    subject: 'params',
  },
  mmput_async: {
    meaning: prose(`
      Gives a reference back and answers at once: if it was the last, a worker of the kernel takes
      the mm down.
    `),
    errors: ['no-reference'],
    ...bare,
    params: nothing,
    result: nothing,
    subject: 'params',
  },

  mmu_interval_notifier_insert: {
    meaning: prose(`
      Subscribes to the invalidations of a range: from the answer on, and possibly a little before
      it, the server asks invalidate for it. invalidate_seq is what mmu_interval_notifier_insert()
      leaves in the subscription: the driver keeps it beside the subscription, under its own lock.
      passes "two": where the kernel of the lab has two passes (mainline), the server asks
      invalidate_start and invalidate_finish instead; older kernels ask invalidate all the same.
    `),
    errors: [],
    ...bare,
    params: strict({
      range,
      passes: Type.Optional(
        described(word('one', 'two'), 'Whether the driver has invalidate_start; "one" if absent.'),
      ),
    }),
    result: strict({ subscription: handle, invalidate_seq: notifierSeq }),
    subject: 'params.range',
  },
  mmu_interval_notifier_remove: {
    meaning: prose(`
      Ends a subscription. Answers when no invalidation that has seen it runs any more; keep
      answering until then. Do not send it from within an invalidate that has no answer yet.
    `),
    errors: ['no-such-subscription'],
    ...bare,
    params: strict({ subscription: handle }),
    result: nothing,
    subject: 'params.subscription',
  },
  mmu_interval_read_begin: {
    meaning: prose(`
      Begins to read a range that may be invalidated: waits while it is being invalidated, then
      answers the sequence to compare with under the driver's lock. invalidate_seq is the sequence
      that the driver holds: it may be ahead of the server's copy. Never send it while the
      driver's lock is held (invalidate needs that lock to answer).
    `),
    errors: ['no-such-subscription'],
    ...bare,
    params: strict({ subscription: handle, invalidate_seq: notifierSeq }),
    result: strict({ seq: notifierSeq }),
    subject: 'params.subscription',
  },

  mmu_notifier_register: {
    meaning: prose(`
      Registers the classic notifier of this device, of which it may have one: from the answer on,
      and possibly a little before it, the server asks invalidate_range_start for every invalidation
      of the mm, whatever its range, and invalidate_range_end if callbacks is "start-and-end". Takes
      mmap_lock for writing: not with it held. bad-range: the mm is being taken down.
    `),
    errors: ['in-use', 'lock-held', 'bad-range'],
    ...bare,
    params: strict({
      callbacks: described(
        word('start', 'start-and-end'),
        'Only a device without an end may answer again to what is not blockable.',
      ),
    }),
    result: nothing,
    subject: 'params',
  },
  mmu_notifier_unregister: {
    meaning: prose(`
      Takes it back: asks release, and answers when no callback of it runs any more; keep answering
      until then. Do not send it from within one.
    `),
    errors: ['no-such-subscription'],
    ...bare,
    params: nothing,
    result: nothing,
    subject: 'params',
  },
  get_user_pages: {
    meaning: prose(`
      Faults pages in, as a CPU that reads or writes, and takes a reference on each: they stay, and may
      be mapped no more when the answer arrives. Fewer frames than pages: a later page cannot be had.
      Takes mmap_lock itself: not with it held. Give the references back with put_pages.
    `),
    errors: ['lock-held', 'bad-address'],
    ...bare,
    params: strict({ range: shortRange, access: word('read', 'write') }),
    result: strict({ frames }),
    subject: 'params.range',
  },
  put_pages: {
    meaning: 'Gives references from get_user_pages back, one a frame.',
    errors: ['not-your-frame'],
    ...bare,
    params: strict({ frames }),
    result: nothing,
    subject: 'params.frames',
  },

  find_vma: {
    meaning: prose(`
      find_vma(): the first mapping that ends above the page; its range may begin above the page.
      Needs mmap_lock.
    `),
    errors: ['lock-not-held', 'not-found'],
    ...bare,
    params: strict({ page }),
    result: strict({ range, prot: word('none', 'r', 'rw') }),
    subject: 'params.page',
  },
  hmm_range_fault: {
    meaning: prose(`
      What the CPU page table says of a range, one hmm pfn a page. Needs mmap_lock. With fault or
      fault-write, pages are faulted in first, as by a CPU that reads or writes. The answer may be
      void before it arrives: compare notifier_seq with the subscription's sequence under the
      driver's lock before using it, and begin again from mmu_interval_read_begin if they differ.
      page_flags holds one word a page, and asks for more than default_flags does.
    `),
    errors: [
      'lock-not-held',
      'no-such-subscription',
      'outside-subscription',
      'wrong-page-count',
      'try-again',
      'bad-address',
      'not-permitted',
    ],
    ...bare,
    params: strict({
      subscription: handle,
      notifier_seq: notifierSeq,
      range: shortRange,
      default_flags: hmmFlags,
      page_flags: Type.Optional(Type.Array(hmmFlags, { maxItems: RANGE_PAGES_MAX })),
    }),
    result: strict({ pfns: Type.Array(hmmPfnValue) }),
    subject: 'params.range',
  },
  hmm_range_fault_unlocked: {
    meaning: prose(`
      mmu_interval_read_begin, mmap_read_lock, hmm_range_fault, mmap_read_unlock, and again after
      a collision (16 times at most, then try-again): all in one round trip. The caller still
      compares seq under its driver's lock. Not with mmap_lock held.
    `),
    errors: [
      'no-such-subscription',
      'outside-subscription',
      'lock-held',
      'try-again',
      'bad-address',
      'not-permitted',
    ],
    ...bare,
    params: strict({
      subscription: handle,
      invalidate_seq: notifierSeq,
      range: shortRange,
      default_flags: hmmFlags,
    }),
    result: strict({ seq: notifierSeq, pfns: Type.Array(hmmPfnValue) }),
    subject: 'params.range',
  },

  migrate_vma_setup: {
    meaning: prose(`
      Collects the pages of a range for a migration: invalidates the range in every device, locks
      and isolates its pages, puts migration entries in the CPU page table. Needs mmap_lock (in
      migrate_to_ram the fault holds it for you). src has one entry a page: with MIGRATE where the
      page was collected; MIGRATE without VALID is a hole or the zero page, which may migrate as
      well; 0 was not collected. Nothing collected is a success. select is system for pages in
      system memory, device-private for your own private pages; fault_page is the pfn of the
      migrate_to_ram that you are serving, else none. The migration stays open, and its pages
      locked, until migrate_vma_finalize.
    `),
    errors: ['lock-not-held', 'bad-range'],
    ...bare,
    params: strict({
      mm,
      range: shortRange,
      select: word(...MIGRATE_SELECTS),
      fault_page: frameOrNone,
    }),
    result: collected,
    subject: 'params.range',
  },
  migrate_vma_pages: {
    meaning: prose(`
      Moves what was collected to dst, which has one entry a page: frames from
      zone_device_page_init or alloc_pages with VALID (and WRITE for a writable entry), or 0 for a
      page that is not to move. Answers src anew: only pages that kept MIGRATE have moved; map
      only those. Fill the destinations before.
    `),
    errors: ['no-such-migration', 'wrong-page-count', 'not-your-frame'],
    ...bare,
    params: strict({ migrate: handle, dst: migratePfns }),
    result: strict({ src: migratePfns }),
    subject: 'params.dst',
  },
  migrate_vma_finalize: {
    meaning: prose(`
      Ends a migration: the CPU page table gets its entries back, of the destination or of the
      source, and the pages are unlocked. Once for each setup that succeeded. Destinations that
      were not used are given back: page_free names private ones.
    `),
    errors: ['no-such-migration', 'in-use'],
    ...bare,
    params: strict({ migrate: handle }),
    result: nothing,
    subject: 'params.migrate',
  },
  migrate_device_range: {
    meaning: prose(`
      Collects your own private frames by number for eviction, without mappings or mmap_lock.
      Frames that are free, or locked, are passed over (0): to evict all, loop.
    `),
    errors: ['not-your-frame'],
    ...bare,
    params: strict({ first: frame, count: pageCountInCall }),
    result: collected,
    subject: 'params.first',
  },
  migrate_device_pages: {
    meaning: 'As migrate_vma_pages, for a migration from migrate_device_range.',
    errors: ['no-such-migration', 'wrong-page-count', 'not-your-frame'],
    ...bare,
    params: strict({ migrate: handle, dst: migratePfns }),
    result: strict({ src: migratePfns }),
    subject: 'params.dst',
  },
  migrate_device_finalize: {
    meaning: 'As migrate_vma_finalize, for a migration from migrate_device_range.',
    errors: ['no-such-migration', 'in-use'],
    ...bare,
    params: strict({ migrate: handle }),
    result: nothing,
    subject: 'params.migrate',
  },

  make_device_exclusive_range: {
    meaning: prose(`
      Takes pages away from the CPU, so that the device may do atomic operations on them; a CPU
      access takes them back by an invalidate with event exclusive. Needs mmap_lock. One frame a
      page, none where it was not possible; the array is shorter than the range if a later page
      could not be faulted. The frames come locked and referenced: map them, then give them back
      with unlock_and_put_pages.
    `),
    errors: ['lock-not-held', 'bad-address'],
    ...bare,
    params: strict({ range: shortRange }),
    result: strict({ frames: Type.Array(frameOrNone) }),
    subject: 'params.range',
  },
  unlock_and_put_pages: {
    meaning: 'Unlocks and gives back frames of make_device_exclusive_range.',
    errors: ['not-your-frame'],
    ...bare,
    params: strict({ frames }),
    result: nothing,
    subject: 'params.frames',
  },

  memremap_pages: {
    meaning: prose(`
      Registers private memory of this device: count frames from first on. Their contents live in
      the client. owner is the pgmap owner, for devices that share one (an interconnect): from then on
      hmm_range_fault shows this device the private frames of the others, migrate_vma_setup may select them,
      and dma_read and dma_write reach them, by peer_read and peer_write of whoever has them. Without it the
      memory is this device's alone. bad-range: it has memory of another owner.
    `),
    errors: ['out-of-memory', 'bad-range'],
    ...bare,
    params: strict({
      count: Type.Integer({ minimum: 1, maximum: DEVICE_FRAMES_MAX }),
      owner: Type.Optional(name),
    }),
    result: strict({ first: frame }),
    subject: 'params.count',
  },
  put_device_page: {
    meaning: prose(`
      Drops a frame of zone_device_page_init or alloc_pages that no migration took: unlock and
      put.
    `),
    errors: ['not-your-frame'],
    ...bare,
    params: strict({ pfn: frame }),
    result: nothing,
    subject: 'params.pfn',
  },
  alloc_pages: {
    meaning: prose(`
      Allocates system memory to migrate to: frames that come locked and referenced. All or none.
    `),
    errors: ['out-of-memory'],
    ...bare,
    params: strict({ count: pageCountInCall }),
    result: strict({ frames }),
    subject: 'params.count',
  },

  dma_read: {
    meaning: prose(`
      Copies out of frames of system memory, by number, with no look at any page table: a stale
      frame is really read. page is the page that the device believes the frame to be, for the
      oracles. The answer is a binary frame with one page a target.
    `),
    errors: ['no-such-frame', 'not-connected'],
    params: strict({ targets }),
    result: nothing,
    sends: 'no-pages',
    answers: 'pages',
    subject: 'params.targets',
  },
  dma_write: {
    meaning: prose(`
      Copies into frames of system memory, by number, with no look at any page table. The request
      is a binary frame with one page a target.
    `),
    errors: ['no-such-frame', 'not-connected', 'wrong-page-count'],
    params: strict({ targets }),
    result: nothing,
    sends: 'pages',
    answers: 'no-pages',
    subject: 'params.targets',
  },
} as const satisfies RequestTable;

export type DeviceMethod = keyof typeof DEVICE_REQUESTS;
export type DeviceParams = ParamsOf<typeof DEVICE_REQUESTS>;
export type DeviceResults = ResultsOf<typeof DEVICE_REQUESTS>;
