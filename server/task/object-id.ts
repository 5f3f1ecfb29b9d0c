import type { Brand } from '../vocabulary/brand.ts';

/**
 * Names the smallest thing that two tasks can conflict on: one PTE, one page's lock, one subscription's
 * sequence. A packed number, the same in every execution of the same world: kind, owner (an mm or a device)
 * and index (a page, a frame, a running number).
 */
export type ObjectId = Brand<number, 'ObjectId'>;

export const OBJECT_KINDS = [
  'task',
  'mmap_lock',
  'ptl',
  'pte',
  'page_lock',
  'page',
  'contents',
  'subscriptions',
  'interval_sub',
  'driver_lock',
  'mirror',
  'device_memory',
  'tlb',
  'answer',
  'vma',
  'swap_slot',
  'page_cache',
  'hold',
  'allocator',
  'pmd',
  'mm',
  'rmap',
  'rmap_lock',
  'device',
  'user',
  'notifiers',
] as const;

export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** Owners of objects, address spaces among them, are numbered below this. */
export const OWNERS_MAX = 2 ** 10;
const INDICES_MAX = 2 ** 36;

const KIND_BASE = Object.fromEntries(
  OBJECT_KINDS.map((kind, at) => [kind, at * OWNERS_MAX * INDICES_MAX]),
) as { readonly [Kind in ObjectKind]: number };

/** `owner` below 1,024, `index` below 2^36 (a page index or a frame number fits). */
export function objectId(kind: ObjectKind, owner: number, index: number): ObjectId {
  return (KIND_BASE[kind] + owner * INDICES_MAX + index) as ObjectId;
}

export interface ObjectName {
  readonly kind: ObjectKind;
  readonly owner: number;
  readonly index: number;
}

/** The inverse of objectId(), for reports. */
export function objectName(id: ObjectId): ObjectName {
  const kindAt = Math.floor(id / (OWNERS_MAX * INDICES_MAX));
  const rest = id % (OWNERS_MAX * INDICES_MAX);
  return {
    kind: OBJECT_KINDS[kindAt] ?? 'user',
    owner: Math.floor(rest / INDICES_MAX),
    index: rest % INDICES_MAX,
  };
}

/** `pte(0, 0x100200)`: an object as a trace prints it. */
export function describeObject(id: ObjectId): string {
  const { kind, owner, index } = objectName(id);
  return `${kind}(${owner}, 0x${index.toString(16)})`;
}
