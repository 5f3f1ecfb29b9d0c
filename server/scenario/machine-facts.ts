import { DEFAULT_CONFIG } from '../kernel/kernel.ts';
import type { Searched } from '../report/bound.ts';
import type { ScenarioPlan } from './scenario-plan.ts';

/** What bounds a verdict beside the schedules: a machine that differs from Linux in size. */
export function machineFacts({ config }: ScenarioPlan): Pick<Searched, 'smallTables'> {
  const { ptrsPerPte = DEFAULT_CONFIG.ptrsPerPte } = config;
  const inLinux = DEFAULT_CONFIG.ptrsPerPte;
  return ptrsPerPte === inLinux ? {} : { smallTables: { pages: ptrsPerPte, inLinux } };
}
