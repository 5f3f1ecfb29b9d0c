import type { PageRange } from '../../vocabulary/address.ts';
import type { Mm } from '../memory/mm.ts';
import { vmasIn } from '../memory/vma.ts';

/**
 * What io_pin_pages() asks of the mappings behind a long-term pin of an I/O buffer: one file, or all anonymous. Source:
 * io_uring/rsrc.c (6.1).
 *
 * Holds: mmap_lock for read.
 */
export function ioMayPinVmas(mm: Mm, range: PageRange): boolean {
  return new Set(vmasIn(mm.vmas, range).map((vma) => vma.file)).size <= 1;
}
