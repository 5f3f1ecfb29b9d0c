/**
 * What a device client may ask: DeviceApi (device-api.ts), method by method, in the kernel's spelling. The
 * contracts stand there; here is only what travels.
 */
import Type from 'typebox';
import { DEVICE_FRAMES_MAX, RANGE_PAGES_MAX } from './limits.ts';
import type { ParamsOf, RequestTable, ResultsOf } from './request-spec.ts';
import {
  frame,
  frameOrNone,
  handle,
  hmmPfn,
  migratePfn,
  mm,
  nothing,
  notifierSeq,
  page,
  pageCountInCall,
  range,
  shortRange,
  strict,
  word,
} from './wire-values.ts';

const hmmFlags = word('snapshot', 'fault', 'fault-write');
const migratePfns = Type.Array(migratePfn, { minItems: 1, maxItems: RANGE_PAGES_MAX });
const frames = Type.Array(frame, { minItems: 1, maxItems: RANGE_PAGES_MAX });
const targets = Type.Array(strict({ page, pfn: frame }), {
  minItems: 1,
  maxItems: RANGE_PAGES_MAX,
});
const collected = strict({ migrate: handle, src: migratePfns });
const bare = { sends: 'no-pages', answers: 'no-pages' } as const;

export const DEVICE_REQUESTS = {
  mmap_read_lock: { ...bare, params: nothing, result: nothing, subject: 'params' },
  mmap_read_unlock: { ...bare, params: nothing, result: nothing, subject: 'params' },

  /** `invalidate_seq` is what mmu_interval_notifier_insert() leaves in the subscription. */
  mmu_interval_notifier_insert: {
    ...bare,
    params: strict({ range }),
    result: strict({ subscription: handle, invalidate_seq: notifierSeq }),
    subject: 'params.range',
  },
  mmu_interval_notifier_remove: {
    ...bare,
    params: strict({ subscription: handle }),
    result: nothing,
    subject: 'params.subscription',
  },
  /** `invalidate_seq` is the sequence that the driver holds: it may be ahead of the server's copy. */
  mmu_interval_read_begin: {
    ...bare,
    params: strict({ subscription: handle, invalidate_seq: notifierSeq }),
    result: strict({ seq: notifierSeq }),
    subject: 'params.subscription',
  },

  find_vma: {
    ...bare,
    params: strict({ page }),
    result: strict({ range, prot: word('none', 'r', 'rw') }),
    subject: 'params.page',
  },
  /** `page_flags` holds one word a page. */
  hmm_range_fault: {
    ...bare,
    params: strict({
      subscription: handle,
      notifier_seq: notifierSeq,
      range: shortRange,
      default_flags: hmmFlags,
      page_flags: Type.Optional(Type.Array(hmmFlags, { maxItems: RANGE_PAGES_MAX })),
    }),
    result: strict({ pfns: Type.Array(hmmPfn) }),
    subject: 'params.range',
  },
  /**
   * The composite of newer kernels (hmm_range_fault_unlocked_timeout): mmu_interval_read_begin, mmap_read_lock,
   * the walk, mmap_read_unlock, again after a collision; one round trip. The caller still compares `seq` under
   * its driver lock. Not with mmap_lock held.
   */
  hmm_range_fault_unlocked: {
    ...bare,
    params: strict({
      subscription: handle,
      invalidate_seq: notifierSeq,
      range: shortRange,
      default_flags: hmmFlags,
    }),
    result: strict({ seq: notifierSeq, pfns: Type.Array(hmmPfn) }),
    subject: 'params.range',
  },

  migrate_vma_setup: {
    ...bare,
    params: strict({
      mm,
      range: shortRange,
      select: word('system', 'device-private'),
      fault_page: frameOrNone,
    }),
    result: collected,
    subject: 'params.range',
  },
  migrate_vma_pages: {
    ...bare,
    params: strict({ migrate: handle, dst: migratePfns }),
    result: strict({ src: migratePfns }),
    subject: 'params.dst',
  },
  migrate_vma_finalize: {
    ...bare,
    params: strict({ migrate: handle }),
    result: nothing,
    subject: 'params.migrate',
  },
  migrate_device_range: {
    ...bare,
    params: strict({ first: frame, count: pageCountInCall }),
    result: collected,
    subject: 'params.first',
  },
  migrate_device_pages: {
    ...bare,
    params: strict({ migrate: handle, dst: migratePfns }),
    result: strict({ src: migratePfns }),
    subject: 'params.dst',
  },
  migrate_device_finalize: {
    ...bare,
    params: strict({ migrate: handle }),
    result: nothing,
    subject: 'params.migrate',
  },

  make_device_exclusive_range: {
    ...bare,
    params: strict({ range: shortRange }),
    result: strict({ frames: Type.Array(frameOrNone) }),
    subject: 'params.range',
  },
  unlock_and_put_pages: {
    ...bare,
    params: strict({ frames }),
    result: nothing,
    subject: 'params.frames',
  },

  memremap_pages: {
    ...bare,
    params: strict({ count: Type.Integer({ minimum: 1, maximum: DEVICE_FRAMES_MAX }) }),
    result: strict({ first: frame }),
    subject: 'params.count',
  },
  put_device_page: {
    ...bare,
    params: strict({ pfn: frame }),
    result: nothing,
    subject: 'params.pfn',
  },
  alloc_pages: {
    ...bare,
    params: strict({ count: pageCountInCall }),
    result: strict({ frames }),
    subject: 'params.count',
  },

  /** The answer is a binary frame with one page a target. */
  dma_read: {
    params: strict({ targets }),
    result: nothing,
    sends: 'no-pages',
    answers: 'pages',
    subject: 'params.targets',
  },
  /** A binary frame with one page a target. */
  dma_write: {
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
