import type { DeviceFault } from '../../../server/abi/device-api.ts';
import type { Task } from '../../../server/task/task.ts';
import { pagesFrom } from '../../../server/vocabulary/address.ts';
import { fail, type Result } from '../../../server/vocabulary/errno.ts';
import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import type { DriverOptions, DriverVariant } from '../interface/driver-variant.ts';

/** A device that has hung brings no page back. It says so, and the fault ends with SIGBUS: no mistake of the driver. */
export const wedged: DriverVariant = {
  id: 'wedged',
  provenance: 'constructed, after the error path of nouveau_dmem_migrate_to_ram()',
  summary: 'its copy engine is gone: migrate_to_ram() sets up a migration, gives it up and fails',
  newDevice: (options) => {
    const device = dmirrorWith(options, {}, 'nothing');
    const migrateToRam = (fault: DeviceFault) => giveUp(options, fault);
    return { ...device, callbacks: { ...device.callbacks, migrateToRam } };
  },
};

function* giveUp({ api }: DriverOptions, { mm, page, pfn }: DeviceFault): Task<Result<void>> {
  const range = pagesFrom(page, 1);
  const setup = yield* api.migrateVmaSetup({ mm, range, select: 'device-private', faultPage: pfn });
  if (!setup.ok) return setup;
  yield* api.migrateVmaFinalize(setup.value);
  return fail('EIO');
}
