import type { Pfn } from '../vocabulary/address.ts';
import type { Brand } from '../vocabulary/brand.ts';

/** One entry of migrate_vma.src or .dst: the kernel's own encoding (include/linux/migrate.h), as a number. */
export type MigratePfn = Brand<number, 'MigratePfn'>;

export const MIGRATE_PFN_VALID = 1;
export const MIGRATE_PFN_MIGRATE = 2;
export const MIGRATE_PFN_WRITE = 8;
const MIGRATE_PFN_SCALE = 64;

/** In src: a page that was not collected. In dst: no destination. */
export const MIGRATE_PFN_NONE = 0 as MigratePfn;

/** `pfn` with VALID and `flags`. */
export function migratePfn(pfn: Pfn, flags: number): MigratePfn {
  return (pfn * MIGRATE_PFN_SCALE + (flags | MIGRATE_PFN_VALID)) as MigratePfn;
}

/** A source without a page (an empty entry or the zero page), or a skipped one: flags only. */
export function migrateFlags(flags: number): MigratePfn {
  return flags as MigratePfn;
}

export function migratePfnHas(entry: MigratePfn, flags: number): boolean {
  return (migratePfnFlags(entry) & flags) === flags;
}

/** All flags of the entry, as the constants above have them. */
export function migratePfnFlags(entry: MigratePfn): number {
  return entry % MIGRATE_PFN_SCALE;
}

/** The frame, or 'none' if the entry names no page. */
export function migratePfnToPfn(entry: MigratePfn): Pfn | 'none' {
  if (!migratePfnHas(entry, MIGRATE_PFN_VALID)) return 'none';
  return Math.floor(entry / MIGRATE_PFN_SCALE) as Pfn;
}

export function withoutMigrate(entry: MigratePfn): MigratePfn {
  return migratePfnHas(entry, MIGRATE_PFN_MIGRATE)
    ? ((entry - MIGRATE_PFN_MIGRATE) as MigratePfn)
    : entry;
}
