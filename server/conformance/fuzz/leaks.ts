import type { Kernel } from '../../kernel/kernel.ts';
import { framesInUse } from '../../kernel/memory/frames.ts';

/** What is still there after every process has exited, a sentence each: only files may keep frames. */
export function leaksAfterExit(k: Kernel): string[] {
  const leaks: string[] = [];
  const cached = new Set([...k.files.values()].flatMap((file) => [...file.pages.values()]));
  for (const pfn of framesInUse(k.frames)) {
    if (!cached.has(pfn)) leaks.push(`frame 0x${pfn.toString(16)} is still in use`);
  }
  for (const slot of k.swap.slots.keys()) leaks.push(`swap slot ${slot} is still in use`);
  for (const mm of k.mms.keys()) leaks.push(`mm ${mm} is still there`);
  return leaks;
}
