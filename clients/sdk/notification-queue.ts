import type { MirrorEntry } from '../../server/abi/device-api.ts';
import { RANGE_PAGES_MAX } from '../../server/abi/limits.ts';
import type { DeviceNotificationParams } from '../../server/protocol/client-notifications.ts';
import { MIRROR_CHANGES_MAX } from '../../server/protocol/limits.ts';
import type { PageIndex, Pfn } from '../../server/vocabulary/address.ts';
import { assertNever } from '../../server/vocabulary/invariant.ts';
import type { PageContents } from '../../server/vocabulary/page-contents.ts';

type Changes = DeviceNotificationParams['mirror_changed']['changes'];
type Accesses = DeviceNotificationParams['private_memory_accessed']['accesses'];

type Gathered =
  | { readonly method: 'none' }
  | { readonly method: 'zone_device_page_init'; readonly pfns: Pfn[] }
  | { readonly method: 'mirror_changed'; readonly changes: Changes }
  | {
      readonly method: 'private_memory_accessed';
      readonly accesses: Accesses;
      readonly pages: PageContents[];
    };

/** Sends one notification. */
export type Notify = (method: string, params: unknown, pages: readonly PageContents[]) => void;

/**
 * What a device notifies, gathered: neighbours of the same kind travel as one frame. Order is kept,
 * also against requests and answers, if flush() is called before each of those.
 */
export class NotificationQueue {
  readonly #notify: Notify;
  #gathered: Gathered = { method: 'none' };

  constructor(notify: Notify) {
    this.#notify = notify;
  }

  pageInit(pfn: Pfn): void {
    const gathered = this.#gathered;
    if (gathered.method === 'zone_device_page_init' && gathered.pfns.length < RANGE_PAGES_MAX) {
      gathered.pfns.push(pfn);
      return;
    }
    this.flush();
    this.#gathered = { method: 'zone_device_page_init', pfns: [pfn] };
  }

  mirrorChanged(page: PageIndex, entry: MirrorEntry): void {
    const gathered = this.#gathered;
    if (gathered.method === 'mirror_changed' && gathered.changes.length < MIRROR_CHANGES_MAX) {
      gathered.changes.push({ page, entry });
      return;
    }
    this.flush();
    this.#gathered = { method: 'mirror_changed', changes: [{ page, entry }] };
  }

  privateMemoryAccessed(
    page: PageIndex,
    pfn: Pfn,
    mode: 'read' | 'write',
    contents: PageContents,
  ): void {
    const gathered = this.#gathered;
    if (
      gathered.method === 'private_memory_accessed' &&
      gathered.accesses.length < RANGE_PAGES_MAX
    ) {
      gathered.accesses.push({ page, pfn, mode });
      gathered.pages.push(contents);
      return;
    }
    this.flush();
    const accesses: Accesses = [{ page, pfn, mode }];
    this.#gathered = { method: 'private_memory_accessed', accesses, pages: [contents] };
  }

  flush(): void {
    const gathered = this.#gathered;
    if (gathered.method === 'none') return;
    this.#gathered = { method: 'none' };
    switch (gathered.method) {
      case 'zone_device_page_init':
        this.#notify(gathered.method, { pfns: gathered.pfns }, []);
        break;
      case 'mirror_changed':
        this.#notify(gathered.method, { changes: gathered.changes }, []);
        break;
      case 'private_memory_accessed':
        this.#notify(gathered.method, { accesses: gathered.accesses }, gathered.pages);
        break;
      default:
        assertNever(gathered);
    }
  }
}
