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
  /** By place, then by id. */
  readonly buckets: Map<number, Map<number, Item>>;
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
    if (items === undefined) found.buckets.set(bucket, new Map([[item.id, item]]));
    else items.set(item.id, item);
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
    if (items?.delete(item.id)) removed = true;
    if (items?.size === 0) found.buckets.delete(bucket);
  }
  if (!removed) return;
  found.items -= 1;
  tree.size -= 1;
  if (found.items === 0) tree.classes.delete(key);
}

/** The item with the range and the id of `like`; 'none' if there is none. */
export function sameInterval<Item extends Interval>(
  tree: IntervalTree<Item>,
  { id, range }: Interval,
): Item | 'none' {
  const found = tree.classes.get(classOf(range));
  const items = found?.buckets.get(Math.floor(range.first / found.width));
  return items?.get(id) ?? 'none';
}

/** The items that overlap `range`, by address, then by id. */
export function overlapping<Item extends Interval>(
  tree: IntervalTree<Item>,
  range: PageRange,
): Item[] {
  const hits: Item[] = [];
  for (const found of tree.classes.values()) {
    const first = Math.floor(range.first / found.width);
    const last = Math.floor((range.end - 1) / found.width);
    // A query wider than the class has buckets looks at the buckets that exist instead.
    if (last - first >= found.buckets.size) {
      for (const bucket of found.buckets.keys()) collect(hits, found, bucket, 'any', range);
    } else
      for (let bucket = first; bucket <= last; bucket += 1)
        collect(hits, found, bucket, first, range);
  }
  return hits.length < 2 ? hits : hits.sort((a, b) => a.range.first - b.range.first || a.id - b.id);
}

/** An item that lies in two buckets is taken from the first one that the query sees. */
function collect<Item extends Interval>(
  hits: Item[],
  found: SizeClass<Item>,
  bucket: number,
  firstQueried: number | 'any',
  range: PageRange,
): void {
  const items = found.buckets.get(bucket);
  if (items === undefined) return;
  for (const item of items.values()) {
    const begins = Math.floor(item.range.first / found.width);
    const entersHere = bucket === firstQueried && begins < bucket;
    if (bucket !== begins && !entersHere) continue;
    if (overlaps(item.range, range)) hits.push(item);
  }
}
