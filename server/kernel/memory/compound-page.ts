/** Huge pages as frames: which belong together. Each part has references and a count of mappings of its own here. */
import type { Pfn } from '../../vocabulary/address.ts';
import type { Kernel } from '../kernel.ts';
import { hasFlag, PAGE_COMPOUND, refcount } from './frames.ts';

/** The first frame of the huge page that `pfn` belongs to. */
export function compoundHead({ ptrsPerPte }: Kernel, pfn: Pfn): Pfn {
  return (pfn - (pfn % ptrsPerPte)) as Pfn;
}

/** The parts of the page that are still in use: here each is freed by itself. */
export function compoundParts(k: Kernel, pfn: Pfn): Pfn[] {
  const head = compoundHead(k, pfn);
  return Array.from({ length: k.ptrsPerPte }, (_, at) => (head + at) as Pfn).filter(
    (part) => hasFlag(k.frames, part, PAGE_COMPOUND) && refcount(k.frames, part) > 0,
  );
}

/** folio_test_large(). Nothing is asked of the page where there are no huge ones. */
export function isLarge(k: Kernel, pfn: Pfn): boolean {
  return k.thp !== 'never' && hasFlag(k.frames, pfn, PAGE_COMPOUND);
}

/** The frames of the folio of `pfn`, a page that is in use. */
export function folioFrames(k: Kernel, pfn: Pfn): Pfn[] {
  return isLarge(k, pfn) ? compoundParts(k, pfn) : [pfn];
}

/** Whose lock is that of the whole folio. */
export function lockedFrame(k: Kernel, pfn: Pfn): Pfn {
  return isLarge(k, pfn) ? compoundHead(k, pfn) : pfn;
}
