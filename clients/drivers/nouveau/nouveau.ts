import type { DeviceDriver } from '../../../server/abi/device-api.ts';
import { freeFrames } from '../hardware/device-memory.ts';
import { type GpuActions, performGpuVerb } from '../hardware/gpu-verbs.ts';
import type { DriverOptions, DriverVariant, LabDevice } from '../interface/driver-variant.ts';
import { nouveauDmemEvict, nouveauDmemMigrate, nouveauDmemMigrateToRam } from './nouveau-dmem.ts';
import { nouveauAtomicRangeFault, nouveauRangeFault } from './nouveau-fault.ts';
import {
  type NouveauSvmm,
  newNouveauSvmm,
  nouveauNotifiers,
  nouveauSvmmInit,
  withSvmmMutex,
} from './nouveau-svmm.ts';

export const nouveau: DriverVariant = {
  id: 'nouveau',
  provenance: 'drivers/gpu/drm/nouveau/nouveau_svm.c, nouveau_dmem.c, Linux 6.12',
  summary: 'subscribes for each fault anew; what it moves to its memory it maps without a look',
  newDevice: (options) => nouveauWith(options, {}),
};

/** nouveau with some of its parts replaced. */
export function nouveauWith(
  options: DriverOptions,
  parts: {
    readonly migrateToRam?: (
      svmm: NouveauSvmm,
      ...rest: Parameters<DeviceDriver['migrateToRam']>
    ) => ReturnType<DeviceDriver['migrateToRam']>;
  },
): LabDevice {
  const svmm = newNouveauSvmm(options);
  const { migrateToRam = nouveauDmemMigrateToRam } = parts;
  const actions: GpuActions = {
    running: (body) => withSvmmMutex(svmm, 'engine.run', body),
    fault: (page, access) => nouveauRangeFault(svmm, page, access),
    migrate: (range) => nouveauDmemMigrate(svmm, range),
    evict: (range) => nouveauDmemEvict(svmm, range),
    exclusive: (range) => nouveauAtomicRangeFault(svmm, range),
  };
  return {
    callbacks: { ...nouveauNotifiers(svmm), migrateToRam: (fault) => migrateToRam(svmm, fault) },
    open: () => nouveauSvmmInit(svmm),
    perform: (verb) => performGpuVerb(svmm.gpu, actions, verb),
    freeFrames: () => freeFrames(svmm.gpu.memory),
  };
}
