/** Whether a device's entry is what the CPU's says: rule OR1, as a viewer can judge it from the event log. */
import type { LabModel, PteEntry, SeenMirror } from './lab-model.ts';

/** The address space that devices mirror. */
export const MIRRORED_MM = 0;
const ZERO_FRAME = 0;

/**
 * 'in-flight': it differs, and an invalidation of the page is open. 'migrating': it differs, and the device itself
 * migrates the page, which excuses it until it finalizes.
 */
export type Coherence = 'none' | 'agrees' | 'in-flight' | 'migrating' | 'stale';

export function coherenceOf(model: LabModel, device: string, page: number): Coherence {
  const entry = model.devices.get(device)?.get(page);
  if (entry === undefined || entry.state === 'none') return 'none';
  const pte = model.cpu.get(MIRRORED_MM)?.get(page) ?? { state: 'none' };
  if (agrees(model, device, entry, pte)) return 'agrees';
  if (bracketed(model, page)) return 'in-flight';
  return migrates(model, device, page) ? 'migrating' : 'stale';
}

/** Whether an invalidation that covers `page` has begun and not ended. */
export function bracketed(model: LabModel, page: number): boolean {
  for (const { mm, first, end } of model.brackets.values()) {
    if (mm === MIRRORED_MM && first <= page && page < end) return true;
  }
  return false;
}

/** Every cell that is stale, first pages first. */
export function staleCells(model: LabModel): { readonly device: string; readonly page: number }[] {
  const found: { device: string; page: number }[] = [];
  for (const [device, table] of model.devices) {
    for (const page of table.keys()) {
      if (coherenceOf(model, device, page) === 'stale') found.push({ device, page });
    }
  }
  return found.sort((a, b) => a.page - b.page);
}

function migrates(model: LabModel, device: string, page: number): boolean {
  const open = model.migrations.get(device) ?? [];
  return open.some(({ first, end }) => first <= page && page < end);
}

function agrees(
  model: LabModel,
  device: string,
  entry: Extract<SeenMirror, { state: 'mapped' }>,
  pte: PteEntry,
): boolean {
  switch (pte.state) {
    case 'present':
      return (
        pte.pfn === entry.pfn &&
        (entry.access === 'read' || (entry.access === 'write' && pte.access === 'write'))
      );
    case 'zero':
      return entry.pfn === ZERO_FRAME && entry.access === 'read';
    case 'device-private': {
      const owner = model.frameOwners.get(pte.pfn) ?? device;
      const enough = entry.access === 'read' || pte.access === 'write';
      return owner === device && pte.pfn === entry.pfn && enough;
    }
    case 'device-exclusive':
      return pte.pfn === entry.pfn && entry.access === 'exclusive';
    case 'none':
    case 'migration':
    case 'swap':
    case 'poison':
      return false;
  }
}
