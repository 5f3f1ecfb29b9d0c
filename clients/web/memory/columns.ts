/** The columns of the memory view: the page table of the CPU (of each process), then that of each device. */
import type { LabModel } from '../model/lab-model.ts';

export interface Column {
  readonly side: 'cpu' | 'device';
  /** The device, or what the process is called. */
  readonly name: string;
  /** Of a CPU column. */
  readonly mm: number;
  readonly state: 'attached' | 'away' | 'fenced';
}

export function columnsOf(model: LabModel): Column[] {
  const processes = [...model.cpu.keys()]
    .filter((mm) => mm === 0 || (model.cpu.get(mm)?.size ?? 0) > 0)
    .sort((a, b) => a - b)
    .map((mm) => ({
      side: 'cpu' as const,
      name: mm === 0 ? 'CPU' : `CPU mm${mm}`,
      mm,
      state: 'attached' as const,
    }));
  const devices = [...model.devices.keys()].sort(byName).map((name) => ({
    side: 'device' as const,
    name,
    mm: 0,
    state: model.actors.get(name)?.state ?? ('attached' as const),
  }));
  return [...processes, ...devices];
}

const NAMES = new Intl.Collator('en', { numeric: true });

/** gpu2 before gpu10. */
export function byName(a: string, b: string): number {
  return NAMES.compare(a, b);
}
