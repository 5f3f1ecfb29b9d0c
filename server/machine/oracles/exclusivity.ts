/**
 * Oracle 11: an anonymous page that an entry may write belongs to that mapping alone. It is marked so
 * (PageAnonExclusive), and no other entry maps it: else what one process writes another reads. At rest no page is
 * marked that several entries map.
 *
 * Source: mm/memory.c, mm/rmap.c, include/linux/page-flags.h (6.1); 6c287605fd56.
 */
import type { Event, PteView } from '../../abi/event.ts';
import {
  hasFlag,
  mapcountObject,
  PAGE_ANON,
  PAGE_ANON_EXCLUSIVE,
} from '../../kernel/memory/frames.ts';
import { touch } from '../../task/context.ts';
import { hexAddress, type PageIndex, type Pfn } from '../../vocabulary/address.ts';
import { frameName, MIRRORED_MM } from './excuses.ts';
import type { Oracle, Watched } from './oracle.ts';

type Mapping = Extract<PteView, { access: unknown }>;

/** Where each frame is mapped, as `mm page`, and with which right. */
type Mappings = Map<Pfn, Map<string, Mapping['access']>>;

export const exclusivity: Oracle = {
  id: 'OR11',
  name: 'exclusivity',
  asked: 'always',
  watch(watched) {
    const mappings: Mappings = new Map();
    return {
      keeps: { mappings },
      see(event) {
        if (event.kind !== 'pte') return;
        const key = `${event.mm} ${event.page}`;
        if (maps(event.from)) {
          const places = mappings.get(event.from.pfn as Pfn);
          places?.delete(key);
          if (places?.size === 0) mappings.delete(event.from.pfn as Pfn);
        }
        if (!maps(event.to)) return;
        const pfn = event.to.pfn as Pfn;
        const places = mappings.get(pfn) ?? new Map<string, Mapping['access']>();
        mappings.set(pfn, places.set(key, event.to.access));
        judge(watched, event, event.to, places);
      },
      atRest: () => [...sharedAndMarked(watched, mappings)],
    };
  },
};

/** Who writes next goes by the mark alone (do_wp_page, change_pte_range). Source: mm/rmap.c, page_add_anon_rmap(). */
function* sharedAndMarked({ k }: Watched, mappings: Mappings): Iterable<string> {
  for (const [pfn, places] of mappings) {
    if (places.size < 2 || !hasFlag(k.frames, pfn, PAGE_ANON)) continue;
    if (!hasFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE)) continue;
    const mapped = `frame ${frameName(pfn)} is mapped at ${places.size} places`;
    yield `${mapped}, and marked as one process's alone`;
  }
}

function maps(entry: PteView): entry is Mapping {
  return (
    entry.state === 'present' ||
    entry.state === 'device-private' ||
    entry.state === 'device-exclusive'
  );
}

function judge(
  { k, report }: Watched,
  { mm, page: number }: Extract<Event, { kind: 'pte' }>,
  { pfn: frame, access }: Mapping,
  places: ReadonlyMap<string, Mapping['access']>,
): void {
  const pfn = frame as Pfn;
  if (!hasFlag(k.frames, pfn, PAGE_ANON)) return;
  touch(k.context, mapcountObject(pfn), 'read');
  const page = number as PageIndex;
  const writable = [...places].find(([, right]) => right === 'write');
  if (writable === undefined) return;
  const where = `${hexAddress(page)}${mm === MIRRORED_MM ? '' : ` of mm ${mm}`}`;
  if (places.size > 1) {
    const mapped = `frame ${frameName(pfn)} is mapped at ${where} (${access})`;
    const text = `${mapped}, and at another place, and one of them may write it`;
    report({ text, device: '', page });
  } else if (!hasFlag(k.frames, pfn, PAGE_ANON_EXCLUSIVE)) {
    const text = `${where} may write frame ${frameName(pfn)}, which is not marked as its own`;
    report({ text, device: '', page });
  }
}
