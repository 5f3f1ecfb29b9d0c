/** What one client, or one lab, may hold at a time. One more is refused: over-limit, with the name of the limit. */
import { type Refusal, refuse } from './refusal.ts';

interface Held {
  readonly value: number;
  readonly unit: string;
  readonly whose: string;
}

export const HELD_LIMITS = {
  SUBSCRIPTIONS_MAX: held(1_024, 'subscriptions', 'one device'),
  LAB_SUBSCRIPTIONS_MAX: held(16_384, 'subscriptions', 'one lab'),
  MIRROR_ENTRIES_MAX: held(65_536, 'entries', 'the page table of one device, as it reports it'),
  LAB_MIRROR_ENTRIES_MAX: held(262_144, 'entries', 'the page tables of all devices of one lab'),
  DEVICE_CHUNKS_MAX: held(16, 'chunks', 'one device: calls of memremap_pages'),
  LAB_CHUNKS_MAX: held(1_024, 'chunks', 'one lab: private memory of devices'),
  ALLOCATED_FRAMES_MAX: held(8_192, 'frames', 'one device: of alloc_pages and not yet migrated to'),
  GOT_PAGES_MAX: held(8_192, 'references', 'one device: of get_user_pages without put_pages'),
  MIGRATIONS_OPEN_MAX: held(64, 'migrations', 'one device: set up and not finalized'),
  LOCKS_HELD_MAX: held(64, 'locks', 'one device: mmap_read_lock without its unlock'),
  MM_USERS_MAX: held(64, 'references', 'one device: mmget_not_zero without its mmput'),
  PIN_PAGES_MAX: held(8_192, 'pages', 'one pin'),
  PINS_MAX: held(1_024, 'pins', 'one CPU'),
  LAB_PINNED_PAGES_MAX: held(2 ** 19, 'pages', 'one lab: pinned by its CPUs'),
  SCAN_PAGES_MAX: held(2 ** 19, 'pages', 'one khugepaged, or madvise with COLLAPSE'),
  LAB_VMAS_MAX: held(65_530, 'mappings', 'one lab: of all its address spaces'),
  LAB_PAGE_TABLES_MAX: held(4_096, 'page tables', 'one lab: each is for 512 pages'),
} as const satisfies { readonly [limit: string]: Held };

export type HeldLimit = keyof typeof HELD_LIMITS;

/** A refusal that says which bound is reached. */
export interface OverLimit extends Refusal {
  readonly limit: HeldLimit;
}

export function overLimit(limit: HeldLimit, path: string): OverLimit {
  const { value, unit } = HELD_LIMITS[limit];
  return { ...refuse('over-limit', path, `at most ${value} ${unit} at a time (${limit})`), limit };
}

function held(value: number, unit: string, whose: string): Held {
  return { value, unit, whose };
}
