/**
 * I/O through a pin: what a disk or a network card does that was given the frames of pinned pages. It looks at no page
 * table and no mapping. Source: mm/gup.c, block/bio.c (6.1): pages that were read into are dirtied when the I/O ends.
 */
import { type Task, willRead, willWrite } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import { fail, OK, ok, type Result } from '../../vocabulary/errno.ts';
import { firstWord, writeU64 } from '../../vocabulary/page-contents.ts';
import type { Cpu, FaultAccess, Kernel } from '../kernel.ts';
import { contentsObject, contentsOf, setContents } from '../memory/frames.ts';
import { setPageDirtyLock } from '../memory/set-page-dirty-lock.ts';

/** `page` counts from the first page of the pin. */
interface PinnedPage {
  readonly id: number;
  readonly page: number;
}

/** Returns: the first u64 of the page, as hexadecimal; EINVAL if `cpu` has no such pin, or none so long. */
export function* readPinned(k: Kernel, cpu: Cpu, at: PinnedPage): Task<Result<string>> {
  const pfn = frameOf(cpu, at);
  if (pfn === 'none') return fail('EINVAL');
  yield willRead('pin.dma_read', contentsObject(pfn));
  if (frameOf(cpu, at) !== pfn) return fail('EINVAL');
  return ok(told(k, cpu, at, pfn, 'read'));
}

/**
 * Takes: the page lock. Returns: EINVAL as readPinned(), and for pages that were pinned for reading.
 */
export function* writePinned(
  k: Kernel,
  cpu: Cpu,
  at: PinnedPage,
  value: bigint,
): Task<Result<void>> {
  const pfn = frameOf(cpu, at);
  if (pfn === 'none' || cpu.pins.get(at.id)?.mode === 'get') return fail('EINVAL');
  yield willWrite('pin.dma_write', contentsObject(pfn));
  if (frameOf(cpu, at) !== pfn) return fail('EINVAL');
  setContents(k.frames, pfn, writeU64(contentsOf(k.frames, pfn), 0, value));
  told(k, cpu, at, pfn, 'write');
  yield* setPageDirtyLock(k, pfn);
  return OK;
}

function frameOf(cpu: Cpu, { id, page }: PinnedPage): Pfn | 'none' {
  return cpu.pins.get(id)?.frames[page] ?? 'none';
}

function told(k: Kernel, cpu: Cpu, at: PinnedPage, pfn: Pfn, mode: FaultAccess): string {
  const { id, page } = at;
  const first = cpu.pins.get(id)?.range.first ?? 0;
  const value = firstWord(contentsOf(k.frames, pfn));
  k.emit({ kind: 'pin-access', id, mm: cpu.mm.id, page: first + page, pfn, mode, value });
  return value;
}
