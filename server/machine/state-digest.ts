/** A short name for a whole state: two machines with the same digest hold the same memory, as far as 64 bits go. */

import { framesInUse, mapcount, refcount } from '../kernel/memory/frames.ts';
import { entriesOf } from '../kernel/memory/page-table.ts';
import type { World } from './world.ts';

/** FNV-1a over UTF-16 code units, 2 x 32 bits: no library in a pure floor, and no need for more than a checksum. */
export class Digest {
  #low = 0x811c9dc5;
  #high = 0x9747b28c;

  add(text: string): void {
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      this.#low = Math.imul(this.#low ^ code, 0x01000193);
      this.#high = Math.imul(this.#high ^ (code + at), 0x01000193);
    }
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    const hex = (part: number) => (part >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }
}

/** Mappings, page tables, frames, contents, sequences and what the devices say they map. */
export function stateDigest(world: World): string {
  const digest = new Digest();
  const { kernel, oracles } = world;
  for (const mm of kernel.mms.values()) {
    digest.add(`mm ${mm.id} seq ${mm.subscriptions.invalidateSeq}`);
    for (const vma of mm.vmas)
      digest.add(`${vma.first}-${vma.end} ${vma.prot} ${vma.kind} ${vma.pgoff}`);
    const entries = [...entriesOf(mm.table)].sort(([a], [b]) => a - b);
    for (const [page, pte] of entries) digest.add(`${page}=${pte}`);
  }
  for (const pfn of framesInUse(kernel.frames)) {
    const bytes = kernel.frames.contents.get(pfn) ?? [];
    digest.add(
      `${pfn} ${refcount(kernel.frames, pfn)} ${mapcount(kernel.frames, pfn)} ${bytes.join()}`,
    );
  }
  for (const [device, table] of oracles.mirrors.byDevice) {
    for (const [page, entry] of [...table].sort(([a], [b]) => a - b)) {
      digest.add(`${device} ${page} ${JSON.stringify(entry)}`);
    }
  }
  return digest.toString();
}
