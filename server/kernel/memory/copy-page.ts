import { type ObjectId, objectId } from '../../task/object-id.ts';
import { type Task, willRead } from '../../task/task.ts';
import type { Pfn } from '../../vocabulary/address.ts';
import type { Kernel } from '../kernel.ts';
import { contentsOf, setContents } from './frames.ts';

/** What the bytes of one frame are called when tasks conflict on them. */
export function contentsObject(pfn: Pfn): ObjectId {
  return objectId('contents', 0, pfn);
}

/** copy_highpage(). Nobody else may know `to` yet. */
export function* copyPage(k: Kernel, from: Pfn, to: Pfn): Task<void> {
  yield willRead('copy_highpage.read', contentsObject(from));
  setContents(k.frames, to, contentsOf(k.frames, from));
}
