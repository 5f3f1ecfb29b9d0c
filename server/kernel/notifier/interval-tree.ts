/**
 * Which subscriptions overlap a range: buckets by size class. An interval lives in the class whose bucket is at
 * least its length, in one or two buckets, so that a query looks at a bounded number of buckets a class however
 * many intervals lie elsewhere.
 */
import type { PageRange } from '../../vocabulary/address.ts';
import { overlaps } from '../../vocabulary/address.ts';

export interface Interval {
  readonly id: number;
  readonly range: PageRange;
}

interface SizeClass<Item extends Interval> {
  /** Pages of a bucket. */
  readonly width: number;
  readonly buckets: Map<number, Set<Item>>;
  items: number;
}

export interface IntervalTree<Item extends Interval> {
  /** By log2 of the bucket width; classes without items are absent. */
  readonly classes: Map<number, SizeClass<Item>>;
  size: number;
}

export function newIntervalTree<Item extends Interval>(): IntervalTree<Item> {
  return { classes: new Map(), size: 0 };
}

function classOf(range: PageRange): number {
  return Math.ceil(Math.log2(Math.max(1, range.end - range.first)));
}

export function insertInterval<Item extends Interval>(tree: IntervalTree<Item>, item: Item): void {
  const key = classOf(item.range);
  let found = tree.classes.get(key);
  if (found === undefined) {
    found = { width: 2 ** key, buckets: new Map(), items: 0 };
    tree.classes.set(key, found);
  }
  const last = Math.floor((item.range.end - 1) / found.width);
  for (let bucket = Math.floor(item.range.first / found.width); bucket <= last; bucket += 1) {
    const items = found.buckets.get(bucket);
    if (items === undefined) found.buckets.set(bucket, new Set([item]));
    else items.add(item);
  }
  found.items += 1;
  tree.size += 1;
}

export function removeInterval<Item extends Interval>(tree: IntervalTree<Item>, item: Item): void {
  const key = classOf(item.range);
  const found = tree.classes.get(key);
  if (found === undefined) return;
  let removed = false;
  const last = Math.floor((item.range.end - 1) / found.width);
  for (let bucket = Math.floor(item.range.first / found.width); bucket <= last; bucket += 1) {
    const items = found.buckets.get(bucket);
    if (items?.delete(item)) removed = true;
    if (items?.size === 0) found.buckets.delete(bucket);
  }
  if (!removed) return;
  found.items -= 1;
  tree.size -= 1;
  if (found.items === 0) tree.classes.delete(key);
}

/** The items that overlap `range`, by address, then by id. */
export function overlapping<Item extends Interval>(
  tree: IntervalTree<Item>,
  range: PageRange,
): Item[] {
  const hits = new Set<Item>();
  for (const found of tree.classes.values()) {
    const first = Math.floor(range.first / found.width);
    const last = Math.floor((range.end - 1) / found.width);
    // A query wider than the class has buckets looks at the buckets that exist instead.
    const keys = last - first >= found.buckets.size ? found.buckets.keys() : between(first, last);
    for (const key of keys) {
      for (const item of found.buckets.get(key) ?? []) {
        if (overlaps(item.range, range)) hits.add(item);
      }
    }
  }
  if (hits.size < 2) return [...hits];
  return [...hits].sort((a, b) => a.range.first - b.range.first || a.id - b.id);
}

function* between(first: number, last: number): Iterable<number> {
  for (let key = first; key <= last; key += 1) yield key;
}
