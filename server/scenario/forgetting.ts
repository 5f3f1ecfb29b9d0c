/**
 * What a task still knows when a function of the kernel has returned: the answer, and what the function has written
 * where its caller looks. What else it has read on the way decides nothing that it does, so an explorer finds more
 * states equal.
 */
import type { Invalidation, Kernel, Migration, TlbBatch } from '../kernel/kernel.ts';
import type { Patch } from '../patches/patch.ts';
import { enterLoop, keepOnly } from '../task/context.ts';
import { type ObjectId, objectId } from '../task/object-id.ts';
import { HOLD_OWNERS } from '../task/object-owners.ts';
import type { Task } from '../task/task.ts';
import type { Result } from '../vocabulary/errno.ts';

/** To be applied last. */
export const forgetting: Patch = {
  id: 'forgetting',
  provenance: 'the lab',
  summary: 'a task that has called a function of the kernel knows no more than its answer',
  overrides: (stock) => ({
    hmmRangeFault: (k, ...rest) => keep(k, 1, stock.hmmRangeFault(k, ...rest), listText),
    getUserPages: (k, ...rest) => keep(k, 2, stock.getUserPages(k, ...rest), listText),
    makeDeviceExclusiveRange: (k, ...rest) =>
      keep(k, 3, stock.makeDeviceExclusiveRange(k, ...rest), listText),
    migrateVmaSetup: (k, ...rest) => keep(k, 4, stock.migrateVmaSetup(k, ...rest), setupText),
    migrateVmaPages: (k, migration) =>
      keep(k, 5, stock.migrateVmaPages(k, migration), () => migrationText(migration)),
    migrateVmaFinalize: (k, migration) =>
      keep(k, 6, stock.migrateVmaFinalize(k, migration), () => migrationText(migration)),
    handleMmFault: (k, request) => keep(k, 7, stock.handleMmFault(k, request), String),
    flushTlbRange: (k, ...rest) => keep(k, 8, stock.flushTlbRange(k, ...rest), nothing),
    zapPageRange: (k, ...rest) => keep(k, 9, stock.zapPageRange(k, ...rest), nothing),
    finishBatch: (k, ...rest) => keep(k, 10, stock.finishBatch(k, ...rest), nothing),
    removeMigrationPtes: (k, ...rest) =>
      keep(k, 11, stock.removeMigrationPtes(k, ...rest), nothing),
    mmuNotifierInvalidateRangeStart: (k, ...rest) =>
      keep(k, 12, stock.mmuNotifierInvalidateRangeStart(k, ...rest), openedText),
    mmuNotifierInvalidateRangeEnd: (k, invalidation) =>
      keep(k, 13, stock.mmuNotifierInvalidateRangeEnd(k, invalidation), nothing),
    locklessPagesFromMm: (k, ...rest) =>
      keep(k, 14, stock.locklessPagesFromMm(k, ...rest), (frames) => frames.join()),
    gupPteRange: (k, ...rest) => keep(k, 15, stock.gupPteRange(k, ...rest), String),
    migrateVmaCollect: (k, migration) =>
      keep(k, 16, stock.migrateVmaCollect(k, migration), () => migrationText(migration)),
    migrateVmaUnmap: (k, migration) =>
      keep(k, 17, stock.migrateVmaUnmap(k, migration), () => migrationText(migration)),
    splitHugePmd: (k, ...rest) => keep(k, 18, stock.splitHugePmd(k, ...rest), nothing),
    splitHugePage: (k, ...rest) => keep(k, 19, stock.splitHugePage(k, ...rest), String),
    folioFreeSwap: (k, ...rest) => keep(k, 20, stock.folioFreeSwap(k, ...rest), String),
    freeSwapCache: (k, ...rest) => keep(k, 21, stock.freeSwapCache(k, ...rest), nothing),
    freeSwapAndCache: (k, ...rest) => keep(k, 22, stock.freeSwapAndCache(k, ...rest), nothing),
    changeProtection: (k, ...rest) => keep(k, 23, stock.changeProtection(k, ...rest), nothing),
    migrationEntryWait: (k, ...rest) => keep(k, 24, stock.migrationEntryWait(k, ...rest), nothing),
    tryToMigrate: (k, pfn, batch) =>
      keep(k, 25, stock.tryToMigrate(k, pfn, batch), () => batchText(batch)),
    tryToUnmap: (k, pfn, batch) =>
      keep(k, 26, stock.tryToUnmap(k, pfn, batch), () => batchText(batch)),
  }),
};

/** `number` distinguishes the calls. */
function* keep<R>(
  { context }: Kernel,
  number: number,
  call: Task<R>,
  known: (answer: R) => string,
): Task<R> {
  const loop: ObjectId = objectId('hold', HOLD_OWNERS.calls, number);
  enterLoop(context, loop);
  const answer = yield* call;
  if (context.footprint !== 'off') keepOnly(context, loop, known(answer));
  return answer;
}

function nothing(): string {
  return '';
}

/** Two brackets around one range may have called back different subscriptions. */
function openedText(opened: Result<Invalidation>): string {
  return opened.ok ? `${opened.value.hit.join()} ${opened.value.answer}` : opened.errno;
}

function listText(answer: Result<readonly (string | number)[]>): string {
  return answer.ok ? answer.value.join() : answer.errno;
}

function setupText(made: Result<Migration>): string {
  return made.ok ? migrationText(made.value) : made.errno;
}

function migrationText({ src, dst, cpages }: Migration): string {
  return `${src.join()} ${dst.join()} ${cpages}`;
}

/** Its caller flushes later what it owes. */
function batchText(batch: TlbBatch | undefined): string {
  return batch === undefined ? '' : `${[...batch.owed].map(({ id }) => id)} ${batch.writable}`;
}
