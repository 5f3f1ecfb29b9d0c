import { PAGE_SIZE } from '../../vocabulary/address.ts';
import type { PageContents } from '../../vocabulary/page-contents.ts';
import type { Kernel } from '../kernel.ts';
import {
  PAGE_DIRTY,
  PAGE_FILE,
  PAGE_LRU,
  setContents,
  setFlag,
  setMapping,
} from '../memory/frames.ts';
import { newMemoryFile } from '../memory/memory-file.ts';
import { allocPage } from '../memory/page-references.ts';

/**
 * A tmpfs file whose pages are all in the page cache: what a program finds before it starts.
 *
 * Throws: RangeError if memory is too small for it.
 */
export function createFile(k: Kernel, id: number, pages: readonly PageContents[]): void {
  const file = newMemoryFile(k.context, id, pages.length);
  k.files.set(id, file);
  for (const [offset, contents] of pages.entries()) {
    const pfn = allocPage(k);
    if (pfn === 'none') {
      throw new RangeError(`no memory for file ${id} of ${pages.length * PAGE_SIZE} bytes`);
    }
    setFlag(k.frames, pfn, PAGE_FILE | PAGE_LRU | PAGE_DIRTY);
    setMapping(k.frames, pfn, id, offset);
    setContents(k.frames, pfn, contents);
    file.pages.set(offset, pfn);
  }
}
