import { DEFAULT_CONFIG } from '../kernel/kernel.ts';
import { KERNELS } from '../kernel/versions/kernels.ts';
import type { Searched } from '../report/bound.ts';
import type { ScenarioPlan } from './scenario-plan.ts';

/** What bounds a verdict beside the schedules: the kernel, and a machine that differs from Linux in size. */
export function machineFacts({
  kernel,
  config,
}: ScenarioPlan): Pick<Searched, 'kernel' | 'smallTables'> {
  const { ptrsPerPte = DEFAULT_CONFIG.ptrsPerPte } = config;
  const inLinux = DEFAULT_CONFIG.ptrsPerPte;
  return {
    kernel: { id: kernel, source: KERNELS[kernel].recorded },
    ...(ptrsPerPte === inLinux ? {} : { smallTables: { pages: ptrsPerPte, inLinux } }),
  };
}
