import type { IntervalSub } from '../../server/abi/device-api.ts';
import { type ObjectId, objectId } from '../../server/task/object-id.ts';
import type { PageRange } from '../../server/vocabulary/address.ts';
import { type Seq, seq } from '../../server/vocabulary/seq.ts';

interface KnownSub extends IntervalSub {
  range: PageRange;
  readonly object: ObjectId;
  /** 'early': an invalidation names it, but the answer to the insert has not arrived yet. */
  state: 'early' | 'inserted';
}

/**
 * The interval notifiers of this device. The kernel may invalidate one as soon as it is inserted, so the question
 * can overtake the answer to the insert: the subscription is then made early, and the insert finds it.
 */
export class RemoteSubscriptions {
  readonly #known = new Map<number, KnownSub>();

  inserted(id: number, range: PageRange, invalidateSeq: Seq): IntervalSub {
    const early = this.#known.get(id);
    if (early !== undefined) {
      early.range = range;
      early.state = 'inserted';
      // An invalidation that came first has set a sequence of its own, which is the newer one.
      if (invalidateSeq > early.invalidateSeq) early.invalidateSeq = invalidateSeq;
      return early;
    }
    return this.#add(id, range, invalidateSeq, 'inserted');
  }

  /** The subscription that an invalidation of `range` is for. */
  invalidated(id: number, range: PageRange): IntervalSub {
    return this.#known.get(id) ?? this.#add(id, range, seq(0), 'early');
  }

  removed(id: number): void {
    this.#known.delete(id);
  }

  #add(id: number, range: PageRange, invalidateSeq: Seq, state: KnownSub['state']): KnownSub {
    const sub = { id, range, object: objectId('interval_sub', 0, id), invalidateSeq, state };
    this.#known.set(id, sub);
    return sub;
  }
}
