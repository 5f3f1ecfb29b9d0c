import { enterLoop, loopAgain } from '../../../server/task/context.ts';
import { type Task, willWrite } from '../../../server/task/task.ts';
import type { PageRange } from '../../../server/vocabulary/address.ts';
import { pageOfU64 } from '../../../server/vocabulary/page-contents.ts';
import { DMIRROR_FUNCTIONS, dmirrorDriver, dmirrorOpen, newDmirror } from '../dmirror/dmirror.ts';
import { contentOfDmirror } from '../dmirror/dmirror-contents.ts';
import { migrateRangeToDevice } from '../dmirror/dmirror-migrate.ts';
import { type Dmirror, withDriverLock } from '../dmirror/dmirror-state.ts';
import type { DmirrorResult } from '../dmirror/dmirror-verb.ts';
import { performLabVerb } from '../dmirror/lab-verb.ts';
import { deviceFrameObject, ownsFrame, writeDeviceFrame } from '../hardware/device-memory.ts';
import { entryAt, entryObject } from '../hardware/device-page-table.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/** Race 45: what the device has brought over a CPU takes back before the device has used it, again and again. */
export const needsItsOwnMemory: DriverVariant = {
  id: 'needs-its-own-memory',
  provenance:
    'xe until a5d8d3be1dea "drm/xe: Timeslice GPU on atomic SVM fault" (6.16); drivers/gpu/drm/drm_pagemap.c',
  summary:
    'writes to its own memory only, and begins anew when the page has gone home before it was written',
  newDevice: (options) => {
    // No event is ignored: the races of dmirror are not what this is about.
    const functions = { ...DMIRROR_FUNCTIONS, ignoresInvalidation: () => false };
    const dmirror = newDmirror(options, functions);
    return {
      callbacks: dmirrorDriver(dmirror),
      open: () => dmirrorOpen(dmirror),
      *perform(verb) {
        if (verb.verb !== 'write') return yield* performLabVerb(dmirror, verb);
        return yield* writeThere(dmirror, verb.range, BigInt(verb.values[0] ?? 0));
      },
      contentOf: (object) => contentOfDmirror(dmirror, object),
    };
  },
};

/** One page. */
function* writeThere(dmirror: Dmirror, range: PageRange, value: bigint): Task<DmirrorResult> {
  const loop = dmirror.memory.freeListObject;
  enterLoop(dmirror.context, loop);
  for (;;) {
    const migrated = yield* migrateRangeToDevice(dmirror, range);
    if (!migrated.ok) return { errno: migrated.errno };
    const written = yield* withDriverLock(dmirror, 'xe_svm_handle_pagefault.lock', () =>
      writeIfThere(dmirror, range, value),
    );
    if (written) return { errno: 'OK' };
    loopAgain(dmirror.context, loop);
  }
}

function* writeIfThere(
  { api, memory, pageTable }: Dmirror,
  range: PageRange,
  value: bigint,
): Task<boolean> {
  const page = range.first;
  yield willWrite('xe_svm_handle_pagefault.look', entryObject(pageTable, page));
  const entry = entryAt(pageTable, page);
  if (entry.state === 'none' || !ownsFrame(memory, entry.pfn)) return false;
  yield willWrite('xe_svm_handle_pagefault.write', deviceFrameObject(memory, entry.pfn));
  const contents = pageOfU64(value);
  writeDeviceFrame(memory, entry.pfn, contents);
  api.privateMemoryAccessed(page, entry.pfn, 'write', contents);
  return true;
}
