/**
 * What /proc/PID/maps and pagemap of each process would say. Bits as in Documentation/admin-guide/mm/pagemap.rst;
 * numbers of swap types as of Linux 6.1 with memory failure, migration and device memory configured.
 *
 * Leaves out: mappings older than the log and those of forked children; file names; soft-dirty, exclusive and
 * userfaultfd bits, which events do not have.
 */
import type { Event, PteView } from '../abi/event.ts';
import { assertNever } from '../vocabulary/invariant.ts';
import { addressWords, pteWords } from './event-words.ts';
import { inOrder } from './timeline/event-order.ts';
import { type MappingSeen, mappingsAfter } from './timeline/mappings.ts';

/** A longer table is cut, and says so. */
export const PAGEMAP_ROWS_MAX = 4_096;

const PRESENT = 1n << 63n;
const SWAPPED = 1n << 62n;
const FILE_OR_SHARED = 1n << 61n;
const SWAP_TYPE_BITS = 5n;
/** The first type that is no swap device: include/linux/swap.h. */
const SWAP_TYPE = {
  poison: 23n,
  'migration read': 24n,
  'migration write': 26n,
  'device-private write': 27n,
  'device-private read': 28n,
  'device-exclusive write': 29n,
  'device-exclusive read': 30n,
} as const;

/** After step `step` (all that are not later), for every process in the log. Ends with a newline. */
export function pagemapText(events: readonly Event[], step = Number.POSITIVE_INFINITY): string {
  const log = inOrder(events).filter(({ n }) => n <= step);
  const mappings = mappingsAfter(log);
  const tables = tablesAfter(log);
  const mms = [...new Set([...mappings.keys(), ...tables.keys(), 0])].sort((a, b) => a - b);
  const after = `after step ${log.at(-1)?.n ?? 0} (simulated)`;
  return mms
    .flatMap((mm) => {
      const own = mappings.get(mm) ?? [];
      const rows = [...(tables.get(mm) ?? [])]
        .sort(([a], [b]) => a - b)
        .map(([page, pte]) => pagemapRow(page, pte, own));
      const left = rows.length - PAGEMAP_ROWS_MAX;
      return [
        `# maps of mm${mm} ${after}`,
        ...own.map(mapsLine),
        `# pagemap of mm${mm} ${after}`,
        ...rows.slice(0, PAGEMAP_ROWS_MAX),
        ...(left > 0 ? [`# ${left} more entries`] : []),
        '',
      ];
    })
    .join('\n');
}

/** The u64 of one entry. */
export function pagemapEntry(pte: PteView, mapping: 'file-or-shared' | 'private'): bigint {
  const shared = mapping === 'file-or-shared' ? FILE_OR_SHARED : 0n;
  switch (pte.state) {
    case 'none':
      return 0n;
    case 'zero':
      return PRESENT;
    case 'present':
      return PRESENT | shared | BigInt(pte.pfn);
    case 'migration':
    case 'device-private':
    case 'device-exclusive':
      return SWAPPED | shared | swapEntry(SWAP_TYPE[`${pte.state} ${pte.access}`], pte.pfn);
    case 'swap':
      return SWAPPED | swapEntry(0n, pte.slot);
    case 'poison':
      return SWAPPED | swapEntry(SWAP_TYPE.poison, 0);
    default:
      return assertNever(pte);
  }
}

function swapEntry(type: bigint, offset: number): bigint {
  return type | (BigInt(offset) << SWAP_TYPE_BITS);
}

function tablesAfter(log: readonly Event[]): Map<number, Map<number, PteView>> {
  const tables = new Map<number, Map<number, PteView>>();
  for (const event of log) {
    if (event.kind !== 'pte') continue;
    const table = tables.get(event.mm) ?? new Map<number, PteView>();
    tables.set(event.mm, table);
    if (event.to.state === 'none') table.delete(event.page);
    else table.set(event.page, event.to);
  }
  return tables;
}

function pagemapRow(page: number, pte: PteView, mappings: readonly MappingSeen[]): string {
  const inside = mappings.find(({ first, end }) => first <= page && page < end);
  const kind =
    inside === undefined || inside.kind === 'anon-private' ? 'private' : 'file-or-shared';
  const entry = pagemapEntry(pte, kind).toString(16).padStart(16, '0');
  return `${bareAddress(page)} ${entry} ${pteWords(pte)}`;
}

function mapsLine({ first, end, prot, kind }: MappingSeen): string {
  const rights = { none: '---', r: 'r--', rw: 'rw-' }[prot] ?? '---';
  const sharing = kind.endsWith('shared') ? 's' : 'p';
  // Shared anonymous memory is a file that has no name any more.
  const path = { 'anon-shared': ' /dev/zero (deleted)', 'anon-private': '' }[kind] ?? ' (file)';
  return `${bareAddress(first)}-${bareAddress(end)} ${rights}${sharing} 00000000 00:00 0${path}`;
}

function bareAddress(page: number): string {
  return addressWords(page).slice('0x'.length).padStart(8, '0');
}
