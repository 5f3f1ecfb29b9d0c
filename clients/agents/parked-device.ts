/** A dmirror device at rest as plain data, so that a page that is loaded again goes on with it. */
import type { IntervalSub } from '../../server/abi/device-api.ts';
import {
  type PageIndex,
  type PageRange,
  type Pfn,
  pageRange,
} from '../../server/vocabulary/address.ts';
import type { PageContents } from '../../server/vocabulary/page-contents.ts';
import type { Seq } from '../../server/vocabulary/seq.ts';
import type { Dmirror } from '../drivers/dmirror/dmirror-state.ts';
import type { DeviceChunk } from '../drivers/hardware/device-memory.ts';
import type { MappedEntry } from '../drivers/hardware/device-page-table.ts';
import type { ClientPast } from '../sdk/moments.ts';
import type { OpenMigration } from './hand-migration.ts';
import type { DeviceHand } from './hand-verbs.ts';

export interface ParkedDevice {
  readonly sub: { readonly id: number; readonly range: PageRange; readonly seq: Seq };
  readonly entries: readonly (readonly [PageIndex, MappedEntry])[];
  readonly chunks: readonly DeviceChunk[];
  readonly freed: readonly Pfn[];
  /** Of each frame the page that it was taken for, and its bytes. */
  readonly frames: readonly (readonly [Pfn, PageIndex, ArrayLike<number>])[];
  readonly migration: OpenMigration | 'none';
}

/** Pages of a device above which no moment of it is kept, so that keeping one costs next to nothing. */
const KEPT_PAGES_MAX = 256;

/** As parkDevice(), of a device that goes on: its pages are shared, not copied. */
export function stillDevice(hand: DeviceHand): ParkedDevice | 'busy' {
  const { pageTable, memory } = hand.dmirror;
  if (pageTable.entries.size + memory.frames.size > KEPT_PAGES_MAX) return 'busy';
  return asData(hand);
}

/** 'busy': it reads in a loop, or has no subscription. Call it while no verb is under way. */
export function parkDevice(hand: DeviceHand): ParkedDevice | 'busy' {
  const data = asData(hand);
  return data === 'busy' ? data : asJson(data);
}

/** Moments that are taken along to the next load of a page. */
const MOMENTS_PARKED_MAX = 16;

/** The newest moments, for JSON. */
export function parkPast({ frames, moments }: ClientPast<ParkedDevice>): ClientPast<ParkedDevice> {
  const newest = moments.slice(-MOMENTS_PARKED_MAX);
  return { frames, moments: newest.map(({ moment, was }) => ({ moment, was: asJson(was) })) };
}

function asJson(data: ParkedDevice): ParkedDevice {
  const frames = data.frames.map(([pfn, page, bytes]) => [pfn, page, Array.from(bytes)] as const);
  return { ...data, frames };
}

function asData({ dmirror, loops, migration }: DeviceHand): ParkedDevice | 'busy' {
  const { sub, pageTable, memory } = dmirror;
  if (sub === 'closed' || loops.byRange.size > 0) return 'busy';
  const { id, range, invalidateSeq } = sub;
  return {
    sub: { id, range, seq: invalidateSeq },
    entries: [...pageTable.entries],
    chunks: memory.chunks.map((chunk) => ({ ...chunk })),
    freed: [...memory.freed],
    frames: [...memory.frames].map(([pfn, { page, contents }]) => [pfn, page, contents]),
    migration: migration.open === 'none' ? 'none' : { ...migration.open },
  };
}

/** Fills a fresh device. Nothing is told to the kernel, which knows all of it. */
export function unparkDevice(
  { dmirror, migration }: Pick<DeviceHand, 'dmirror' | 'migration'>,
  parked: ParkedDevice,
  adopt: (id: number, range: PageRange, seq: Seq) => IntervalSub,
): void {
  const { id, range, seq } = parked.sub;
  dmirror.sub = adopt(id, pageRange(range.first, range.end), seq);
  fillTable(dmirror, parked);
  const { memory } = dmirror;
  memory.chunks.push(...parked.chunks.map((chunk) => ({ ...chunk })));
  memory.freed.push(...parked.freed);
  for (const [pfn, page, bytes] of parked.frames) {
    memory.frames.set(pfn, { page, contents: new Uint8Array(bytes) as PageContents });
  }
  migration.open = parked.migration === 'none' ? 'none' : { ...parked.migration };
}

function fillTable({ pageTable }: Dmirror, { entries }: ParkedDevice): void {
  for (const [page, entry] of entries) pageTable.entries.set(page, entry);
}
