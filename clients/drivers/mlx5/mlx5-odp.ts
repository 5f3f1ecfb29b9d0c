import type { Task } from '../../../server/task/task.ts';
import { OK, type Result } from '../../../server/vocabulary/errno.ts';
import { type GpuActions, performGpuVerb } from '../hardware/gpu-verbs.ts';
import type { DriverOptions, DriverVariant, LabDevice } from '../interface/driver-variant.ts';
import {
  dropMappings,
  odpInvalidate,
  odpPagefault,
  revokeRegions,
  UmemOdp,
  underUmemMutex,
} from './umem-odp.ts';

/** Where mlx5 went wrong. */
export interface Mlx5Functions {
  /** The memory regions are destroyed. */
  readonly revoke: (odp: UmemOdp) => Task<Result<void>>;
}

export const mlx5Odp: DriverVariant = {
  id: 'mlx5-odp',
  provenance: 'drivers/infiniband/core/umem_odp.c, hw/mlx5/odp.c, Linux 6.14',
  summary: 'holds one mutex from the check to the written translation; has no memory of its own',
  newDevice: (options) => mlx5With(options, { revoke: revokeRegions }),
};

/** mlx5 with some of its functions replaced. */
export function mlx5With(options: DriverOptions, fn: Mlx5Functions): LabDevice {
  const odp = new UmemOdp(options);
  const actions: GpuActions = {
    running: (body) => underUmemMutex(odp, 'engine.run', body),
    fault: (page, access) => odpPagefault(odp, page, access),
    release: () => fn.revoke(odp),
  };
  return {
    callbacks: {
      invalidate: (sub, range, seq) => odpInvalidate(odp, sub, range, seq),
      *migrateToRam() {
        throw new Error('an RDMA device has no memory that a page could come back from');
      },
      *pageFree() {
        throw new Error('an RDMA device has no memory of its own');
      },
      release: () => underUmemMutex(odp, 'ib_umem_notifier_release.lock', () => dropMappings(odp)),
    },
    *open() {
      return OK;
    },
    perform: (verb) => performGpuVerb(odp.gpu, actions, verb),
  };
}
