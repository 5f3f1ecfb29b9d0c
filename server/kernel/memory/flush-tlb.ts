import { type Task, willWrite } from '../../task/task.ts';
import type { PageRange } from '../../vocabulary/address.ts';
import type { Kernel } from '../kernel.ts';
import type { Mm } from './mm.ts';
import { flushTlb } from './tlb.ts';

/**
 * flush_tlb_range(): a shootdown, one CPU after the other. On return no CPU of this mm remembers an entry of
 * `range` that was read before.
 *
 * Holds: usually the PTE lock, so that no task sees the new entry while an old one is cached.
 */
export function* flushTlbRange(k: Kernel, mm: Mm, range: PageRange): Task<void> {
  if (mm.tlbs.length === 0) return;
  for (const tlb of mm.tlbs) {
    yield willWrite('flush_tlb_range.cpu', tlb.object);
    flushTlb(tlb, range);
  }
  k.emit({ kind: 'tlb-flush', mm: mm.id, first: range.first, end: range.end });
}
