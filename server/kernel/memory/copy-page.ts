import { type Task, willRead } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import type { Kernel } from '../kernel.ts';
import { contentsObject, contentsOf, setContents } from './frames.ts';

/** copy_highpage(). No other task may know `to` yet. */
export function* copyPage(k: Kernel, from: Pfn, to: Pfn): Task<void> {
  yield willRead('copy_highpage.read', contentsObject(from));
  setContents(k.frames, to, contentsOf(k.frames, from));
}
