import { DEFAULT_CONFIG } from '../kernel/kernel.ts';
import type { ScenarioPlan } from './scenario-plan.ts';

/** What bounds a verdict beside the schedules: a machine that differs from Linux in size. Empty if none does. */
export function machineWords({ config }: ScenarioPlan): string {
  const { ptrsPerPte = DEFAULT_CONFIG.ptrsPerPte } = config;
  if (ptrsPerPte === DEFAULT_CONFIG.ptrsPerPte) return '';
  return `; page tables and huge pages of ${ptrsPerPte} pages, not ${DEFAULT_CONFIG.ptrsPerPte}`;
}
