/**
 * A migration to the device in calls of its own, so that a hand can do something else in between: setup, copy, pages,
 * map, finalize. What was left out is made up for: `pages` copies first, `finalize` maps first.
 *
 * mmap_lock is held for read from setup to finalize, as a driver holds it.
 */
import type { MigrateVma, VmaView } from '../../server/abi/device-api.ts';
import {
  MIGRATE_PFN_MIGRATE,
  type MigratePfn,
  migratePfnHas,
  migratePfnToPfn,
} from '../../server/abi/migrate-pfn.ts';
import type { Task } from '../../server/task/task.ts';
import { hexAddress, type PageRange } from '../../server/vocabulary/address.ts';
import type { Result } from '../../server/vocabulary/errno.ts';
import { fail } from '../../server/vocabulary/errno.ts';
import { assertNever } from '../../server/vocabulary/invariant.ts';
import { allocAndCopy } from '../drivers/dmirror/dmirror-migrate.ts';
import type { Dmirror } from '../drivers/dmirror/dmirror-state.ts';
import { VerbRefused, type VerbResult } from '../sdk/conductor.ts';

export type HandCall =
  | { readonly verb: 'setup'; readonly range: PageRange }
  | { readonly verb: 'copy' | 'pages' | 'map' | 'finalize' };

export interface OpenMigration {
  readonly range: PageRange;
  readonly vma: VmaView;
  readonly migrate: MigrateVma;
  dst: readonly MigratePfn[] | 'not-copied';
  /** With the MIGRATE flags that are left after migrate_vma_pages(). */
  src: readonly MigratePfn[] | 'not-moved';
  mapped: boolean;
}

/** At most one at a time: a hand has only one. */
export interface HandMigration {
  open: OpenMigration | 'none';
}

export function newHandMigration(): HandMigration {
  return { open: 'none' };
}

/**
 * Does one step.
 *
 * Throws:  VerbRefused if the step does not come next.
 * Returns: `{errno}` and how many pages it was about. A failed setup leaves nothing open; after a failed copy the
 *          migration is still to be finalized.
 */
export function* performHandStep(
  hand: HandMigration,
  dmirror: Dmirror,
  call: HandCall,
): Task<VerbResult> {
  if (call.verb === 'setup') return yield* setup(hand, dmirror, call.range);
  const { verb } = call;
  const open = openFor(hand, verb);
  switch (verb) {
    case 'copy':
      return yield* copy(dmirror, open);
    case 'pages':
      return yield* pages(dmirror, open);
    case 'map':
      return yield* map(dmirror, open);
    case 'finalize':
      return yield* finalize(hand, dmirror, open);
    default:
      return assertNever(verb);
  }
}

function* setup(hand: HandMigration, dmirror: Dmirror, range: PageRange): Task<VerbResult> {
  if (hand.open !== 'none') {
    const at = hexAddress(hand.open.range.first);
    throw new VerbRefused(`setup: the migration of ${at} is still open: finalize comes first`);
  }
  const { api } = dmirror;
  yield* api.mmapReadLock();
  const begun = yield* collect(dmirror, range);
  if (!begun.ok) {
    yield* api.mmapReadUnlock();
    return { errno: begun.errno };
  }
  const { vma, migrate } = begun.value;
  hand.open = { range, vma, migrate, dst: 'not-copied', src: 'not-moved', mapped: false };
  return { errno: 'OK', collected: migrating(migrate.src) };
}

/** Holds: mmap_lock. */
function* collect(
  dmirror: Dmirror,
  range: PageRange,
): Task<Result<{ readonly vma: VmaView; readonly migrate: MigrateVma }>> {
  const { api } = dmirror;
  if (dmirror.mm === 'gone') return fail('EINVAL');
  const vma = yield* api.findVma(range.first);
  if (!vma.ok || vma.value.range.first > range.first || vma.value.prot === 'none') {
    return fail('EINVAL');
  }
  const select = 'system';
  const migrate = yield* api.migrateVmaSetup({ mm: api.mm, range, select, faultPage: 'none' });
  return migrate.ok ? { ok: true, value: { vma: vma.value, migrate: migrate.value } } : migrate;
}

function* copy(dmirror: Dmirror, open: OpenMigration): Task<VerbResult> {
  if (open.dst !== 'not-copied') throw new VerbRefused('copy: the pages are copied already');
  const copied = yield* allocAndCopy(dmirror, open.migrate, open.range, open.vma);
  if (!copied.ok) return { errno: copied.errno };
  open.dst = copied.value;
  return { errno: 'OK', copied: taken(copied.value).length };
}

function* pages(dmirror: Dmirror, open: OpenMigration): Task<VerbResult> {
  if (open.src !== 'not-moved') throw new VerbRefused('pages: migrate_vma_pages() was called');
  if (open.dst === 'not-copied') {
    const copied = yield* copy(dmirror, open);
    if (copied.errno !== 'OK') return copied;
  }
  const dst = dstOf(open);
  open.src = yield* dmirror.api.migrateVmaPages(open.migrate, dst);
  const moved = survivors(open);
  return { errno: 'OK', moved, lost: taken(dst).length - moved };
}

function* map(dmirror: Dmirror, open: OpenMigration): Task<VerbResult> {
  if (open.src === 'not-moved') throw new VerbRefused('map: pages comes first');
  if (open.mapped) throw new VerbRefused('map: the pages are mapped already');
  open.mapped = true;
  yield* dmirror.fn.mapMigrated(dmirror, { range: open.range, src: open.src, dst: dstOf(open) });
  return { errno: 'OK', mapped: survivors(open) };
}

/** Without `pages` before, it gives the migration up: the sources stay what they were. */
function* finalize(hand: HandMigration, dmirror: Dmirror, open: OpenMigration): Task<VerbResult> {
  const { api } = dmirror;
  if (open.src === 'not-moved') {
    // No migration will take these frames any more.
    for (const frame of taken(dstOf(open))) {
      const pfn = migratePfnToPfn(frame);
      if (pfn !== 'none') yield* api.putDevicePage(pfn);
    }
  } else if (!open.mapped) yield* map(dmirror, open);
  hand.open = 'none';
  yield* api.migrateVmaFinalize(open.migrate);
  yield* api.mmapReadUnlock();
  return { errno: 'OK', migrated: survivors(open) };
}

function openFor(hand: HandMigration, step: HandCall['verb']): OpenMigration {
  if (hand.open !== 'none') return hand.open;
  throw new VerbRefused(`${step}: no migration is open: setup comes first`);
}

function dstOf({ dst }: OpenMigration): readonly MigratePfn[] {
  return dst === 'not-copied' ? [] : dst;
}

function taken(dst: readonly MigratePfn[]): readonly MigratePfn[] {
  return dst.filter((frame) => migratePfnToPfn(frame) !== 'none');
}

/** Pages that really move: they have a destination and kept their MIGRATE flag. */
function survivors({ src, dst }: OpenMigration): number {
  if (src === 'not-moved' || dst === 'not-copied') return 0;
  return src.filter((flags, at) => {
    const frame = dst[at];
    return (
      migratePfnHas(flags, MIGRATE_PFN_MIGRATE) &&
      frame !== undefined &&
      migratePfnToPfn(frame) !== 'none'
    );
  }).length;
}

function migrating(src: readonly MigratePfn[]): number {
  return src.filter((flags) => migratePfnHas(flags, MIGRATE_PFN_MIGRATE)).length;
}
