/** Oracle 2: nothing maps or reaches a frame that is freed. */
import { refcount, ZERO_PFN } from '../../kernel/memory/frames.ts';
import { hexAddress, type PageIndex, type Pfn } from '../../vocabulary/address.ts';
import { frameName } from './excuses.ts';
import type { Oracle, Watched } from './oracle.ts';

export const frameSafety: Oracle = {
  id: 'OR2',
  name: 'frame safety',
  asked: 'always',
  watch: (watched) => ({
    keeps: {},
    see(event) {
      switch (event.kind) {
        case 'frame-free':
          checkFreed(watched, event.pfn as Pfn);
          return;
        case 'cpu-access': {
          const pfn = event.pfn as Pfn;
          const page = event.page as PageIndex;
          if (pfn === ZERO_PFN || refcount(watched.k.frames, pfn) > 0) return;
          const text = `${event.actor} reached the freed frame ${frameName(pfn)} at ${hexAddress(page)}`;
          watched.report({ text, device: '', page });
          return;
        }
        case 'callback': {
          if (event.function !== 'migrate_to_ram') return;
          const pfn = event.args.pfn as Pfn;
          if (refcount(watched.k.frames, pfn) > 0) return;
          const text = `${event.device} is asked to bring frame ${frameName(pfn)} back, which is free`;
          watched.report({ text, device: event.device, page: event.args.page as PageIndex });
          return;
        }
        default:
      }
    },
  }),
};

function checkFreed({ k, mirrors, report }: Watched, pfn: Pfn): void {
  for (const [device, pages] of mirrors.namedBy.get(pfn) ?? []) {
    for (const page of pages) {
      const text = `${device} still maps ${hexAddress(page)} to frame ${frameName(pfn)}, which is freed`;
      report({ text, device, page });
    }
  }
  for (const mm of k.mms.values()) {
    for (const tlb of [...mm.tlbs, ...mm.deviceTlbs]) {
      if (!tlb.frames.has(pfn)) continue;
      for (const [page, entry] of tlb.entries) {
        if (entry.pfn !== pfn) continue;
        const text = `the TLB of ${tlb.cpu} still maps ${hexAddress(page)} to frame ${frameName(pfn)}, which is freed`;
        report({ text, device: '', page });
      }
    }
  }
}
