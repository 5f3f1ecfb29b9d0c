import type { Kernel } from '../../kernel/kernel.ts';
import { framesInUse } from '../../kernel/memory/frames.ts';
import { onlyCached } from '../../kernel/memory/swap-cache.ts';

/**
 * What is still there after every process has exited, a sentence each: files may keep
 * frames, and the swap cache what reclaim would take.
 */
export function leaksAfterExit(k: Kernel): string[] {
  const leaks: string[] = [];
  const cached = new Set([...k.files.values()].flatMap((file) => [...file.pages.values()]));
  for (const pfn of framesInUse(k.frames)) {
    if (!(cached.has(pfn) || onlyCached(k, pfn)))
      leaks.push(`frame 0x${pfn.toString(16)} is still in use`);
  }
  for (const { number, uses, cached: pfn } of k.swap.slots.values()) {
    const reclaimable = uses === 0 && pfn !== 'none' && onlyCached(k, pfn);
    if (!reclaimable) leaks.push(`swap slot ${number} is still in use`);
  }
  for (const mm of k.mms.keys()) leaks.push(`mm ${mm} is still there`);
  return leaks;
}
