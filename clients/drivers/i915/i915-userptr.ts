/**
 * Objects over memory of the process: their pages are had before a batch is submitted, and whether they still are the
 * process's is asked under the notifier lock at the submission.
 *
 * Models: i915_gem_object_userptr_submit_init(), i915_gem_object_userptr_submit_done(), i915_gem_userptr_invalidate()
 * of drivers/gpu/drm/i915/gem/i915_gem_userptr.c (6.12), eb_submit() of i915_gem_execbuffer.c.
 * The GPU maps the pages as long as a batch runs, and the callback waits for the batches that it finds.
 * Leaves out: the pins that the pages have from get_pages() on: here hmm_range_fault() names them, so an object whose
 * pages went away holds nothing; entries that outlive a batch; several objects in a batch.
 */
import {
  type IntervalSub,
  mmuIntervalReadRetry,
  mmuIntervalSetSeq,
  type NotifierRange,
} from '../../../server/abi/device-api.ts';
import { HMM_PFN_WRITE, type HmmPfn, hmmPfnHas } from '../../../server/abi/hmm-pfn.ts';
import { touch, wake } from '../../../server/task/context.ts';
import { type Lock, lock, newLock, unlock } from '../../../server/task/lock.ts';
import { type ObjectId, objectId } from '../../../server/task/object-id.ts';
import {
  newRwSem,
  type RwSem,
  readLock,
  readUnlock,
  writeLock,
  writeUnlock,
} from '../../../server/task/rwsem.ts';
import { type Task, waitUntil, willCompare, willWrite } from '../../../server/task/task.ts';
import { type PageRange, pageIndex, pageRange } from '../../../server/vocabulary/address.ts';
import { OK, ok, type Result } from '../../../server/vocabulary/errno.ts';
import type { Seq } from '../../../server/vocabulary/seq.ts';
import { mappedIn } from '../hardware/device-page-table.ts';
import {
  type Access,
  type Attempt,
  enterFaulted,
  type Gpu,
  newGpu,
  rangeFault,
  withinBudget,
  zap,
} from '../hardware/gpu.ts';
import type { DriverOptions } from '../interface/driver-variant.ts';

const OBJECTS = 0;
const FIRST_OBJECT = 16;

/** An object over `range`. */
export interface Userptr {
  readonly sub: IntervalSub;
  readonly range: PageRange;
  /** What `pages` and `batches` are called when tasks conflict on them. */
  readonly object: ObjectId;
  pages: { readonly begun: Seq; readonly pfns: readonly HmmPfn[] } | 'none';
  /** Batches that run with these pages. */
  batches: number;
}

export class I915 {
  readonly gpu: Gpu;
  /** i915->mm.notifier_lock. Submissions read-lock it, the callback write-locks it. */
  readonly notifierLock: RwSem;
  /** One batch at a time has the GPU, and its pages are looked at by it alone. */
  readonly contextLock: Lock;
  readonly #deviceNumber: number;
  readonly #objects: Userptr[] = [];
  readonly #objectsObject: ObjectId;

  constructor(options: DriverOptions) {
    const { deviceNumber } = options;
    this.gpu = newGpu(options);
    this.#deviceNumber = deviceNumber;
    this.notifierLock = newRwSem('driver_lock', objectId('driver_lock', deviceNumber, 0));
    this.contextLock = newLock('driver_outer_lock', objectId('driver_lock', deviceNumber, 2));
    this.#objectsObject = objectId('device', deviceNumber, OBJECTS);
  }

  objectOf(sub: IntervalSub): Userptr | 'none' {
    touch(this.gpu.context, this.#objectsObject, 'read');
    return this.#objects.find((each) => each.sub.id === sub.id) ?? 'none';
  }

  over({ first, end }: PageRange): Userptr | 'none' {
    touch(this.gpu.context, this.#objectsObject, 'read');
    const same = ({ range }: Userptr) => range.first === first && range.end === end;
    return this.#objects.find(same) ?? 'none';
  }

  add(sub: IntervalSub, range: PageRange): Userptr {
    touch(this.gpu.context, this.#objectsObject, 'write');
    const object = objectId('device', this.#deviceNumber, FIRST_OBJECT + this.#objects.length);
    const made: Userptr = { sub, range, object, pages: 'none', batches: 0 };
    this.#objects.push(made);
    return made;
  }
}

/**
 * Submits a batch that uses `range`, and waits for it. `batch` runs on the GPU, which maps the pages for it.
 *
 * Takes:   the context's lock; in it mmap_lock for read, and the notifier lock for read.
 * Returns: EFAULT, EPERM as the walk; EBUSY when the budget is used up; what `batch` returns.
 */
export function* submitBatch<T>(
  i915: I915,
  range: PageRange,
  access: Access,
  batch: () => Task<Result<T>>,
): Task<Result<T>> {
  const { context } = i915.gpu;
  const held = yield* lock(context, 'i915_gem_do_execbuffer.lock', i915.contextLock);
  const userptr = yield* userptrOver(i915, range);
  const started = userptr.ok ? yield* startBatch(i915, userptr.value, access) : userptr;
  let result: Result<T>;
  if (userptr.ok && started.ok) {
    result = yield* batch();
    yield* retire(i915, userptr.value);
  } else result = started as Result<T>;
  unlock(context, held);
  return result;
}

/** Has the pages of an object, without a batch. Takes: as submitBatch(). */
export function* validateUserptr(i915: I915, range: PageRange, access: Access): Task<Result<void>> {
  return yield* submitBatch(i915, range, access, function* () {
    return OK;
  });
}

function* userptrOver(i915: I915, range: PageRange): Task<Result<Userptr>> {
  const known = i915.over(range);
  if (known !== 'none') return ok(known);
  const inserted = yield* i915.gpu.api.mmuIntervalNotifierInsert(
    pageRange(pageIndex(range.first), pageIndex(range.end)),
  );
  return inserted.ok ? ok(i915.add(inserted.value, range)) : inserted;
}

function startBatch(i915: I915, userptr: Userptr, access: Access): Task<Result<void>> {
  return withinBudget(i915.gpu, userptr.sub.object, function* () {
    const got = yield* submitInit(i915, userptr, access);
    if (!got.ok || got.value === 'collided') return got;
    return yield* submitDone(i915, userptr, access);
  });
}

/** Holds: the context's lock. Pages that were had under the same sequence will do. */
function* submitInit({ gpu }: I915, userptr: Userptr, access: Access): Task<Attempt> {
  const { sub, range, pages } = userptr;
  const begun = yield* gpu.api.mmuIntervalReadBegin(sub);
  const enough =
    pages !== 'none' &&
    pages.begun === begun &&
    (access === 'read' || pages.pfns.every((pfn) => hmmPfnHas(pfn, HMM_PFN_WRITE)));
  if (enough) return ok('entered');
  const walked = yield* rangeFault(gpu, {
    sub,
    notifierSeq: begun,
    range,
    defaultFlags: access === 'write' ? 'fault-write' : 'fault',
  });
  if (!walked.ok) return walked;
  if (walked.value === 'collided') return ok('collided');
  userptr.pages = { begun, pfns: walked.value };
  return ok('entered');
}

/** Takes: the notifier lock, for reading. Behind it the callback waits for the batch. */
function* submitDone(i915: I915, userptr: Userptr, access: Access): Task<Attempt> {
  const { gpu } = i915;
  const { sub, range, pages } = userptr;
  if (pages === 'none') return ok('collided');
  const at = 'i915_gem_object_userptr_submit_done.lock';
  const held = yield* readLock(gpu.context, at, i915.notifierLock);
  yield willCompare('i915_gem_object_userptr_submit_done.retry', sub.object);
  let done: Attempt = ok(mmuIntervalReadRetry(sub, pages.begun) ? 'collided' : 'entered');
  if (done.ok && done.value === 'entered') {
    yield willWrite('eb_submit.batch', userptr.object);
    userptr.batches += 1;
    for (const [index, pfn] of pages.pfns.entries()) {
      const page = pageIndex(range.first + index);
      done = yield* enterFaulted(gpu, 'eb_submit.bind', page, pfn, access);
      if (!done.ok) break;
    }
  }
  readUnlock(gpu.context, held);
  if (!done.ok) yield* retire(i915, userptr);
  return done;
}

/** The batch is done: its fence is signalled, and its pages are not mapped any more. */
function* retire({ gpu }: I915, userptr: Userptr): Task<void> {
  yield* zap(gpu, 'i915_request_retire.unbind', mappedIn(gpu.pageTable, userptr.range));
  yield willWrite('i915_request_retire.signal', userptr.object);
  userptr.batches -= 1;
  wake(gpu.context, userptr.object);
}

/**
 * The callback: no batch begins with these pages any more, and those that have begun are waited for.
 *
 * Takes:   the notifier lock, for writing; waits for the GPU without it.
 * Returns: 'again' for a range that may not block.
 */
export function* userptrInvalidate(
  i915: I915,
  sub: IntervalSub,
  { blocking }: NotifierRange,
  seq: Seq,
): Task<'done' | 'again'> {
  if (blocking !== 'blockable') return 'again';
  const { context } = i915.gpu;
  const held = yield* writeLock(context, 'i915_gem_userptr_invalidate.lock', i915.notifierLock);
  yield willWrite('i915_gem_userptr_invalidate.seq', sub.object);
  mmuIntervalSetSeq(sub, seq);
  writeUnlock(context, held);
  const userptr = i915.objectOf(sub);
  if (userptr === 'none') return 'done';
  yield waitUntil('dma_resv_wait_timeout.wait', userptr.object, () => userptr.batches === 0);
  return 'done';
}
