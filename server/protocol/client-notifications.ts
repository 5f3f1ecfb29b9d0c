/** What clients send without waiting for an answer. */
import { Type } from 'typebox';
import { RANGE_PAGES_MAX } from '../abi/limits.ts';
import { prose } from '../abi/prose.ts';
import { nothing, page, strict, word } from '../abi/scalars.ts';
import { MIRROR_CHANGES_MAX } from './limits.ts';
import type { NotificationTable, ParamsOf } from './request-spec.ts';
import { frame, sequence } from './wire-values.ts';

export const mirrorEntryValue = Type.Union(
  [
    strict({ state: Type.Literal('none') }),
    strict({
      state: Type.Literal('mapped'),
      pfn: frame,
      access: word('read', 'write', 'exclusive'),
    }),
  ],
  { title: 'mirror entry', description: "An entry of a device's own page table." },
);

const sessionNotifications = {
  ack: {
    meaning: prose(`
      All frames of the server up to and with seq have arrived: it need not keep them for a resume. Say it after every
      64 frames or 32 KiB; answering a question says the same up to the frame of the question.
    `),
    params: strict({ seq: sequence }),
    sends: 'no-pages',
  },
  held: {
    meaning: 'One of your tasks now stands still behind the kernel call that a hold named.',
    params: strict({
      after: Type.String({ maxLength: 64, description: 'the method that the hold named' }),
    }),
    sends: 'no-pages',
  },
  went_on: {
    meaning: prose(`
      None of your tasks stands still any more, without a go of the conductor: its player let them go
      on. Until then a client that said held may keep others waiting for longer than its lease.
    `),
    params: nothing,
    sends: 'no-pages',
  },
} as const;

export const DEVICE_NOTIFICATIONS = {
  ...sessionNotifications,
  zone_device_page_init: {
    meaning: prose(`
      Takes free private frames into use, referenced and locked: the destinations of a migration, before
      migrate_vma_pages. Each is yours to hand out again only after its page_free.
    `),
    params: strict({ pfns: Type.Array(frame, { minItems: 1, maxItems: RANGE_PAGES_MAX }) }),
    sends: 'no-pages',
  },
  mirror_changed: {
    meaning: prose(`
      Your own page table changed, in this order. Oracles and viewers know your page table from this alone, so send
      every change, and send it before the answer or the request that depends on it: of entries that an invalidate
      dropped before its answer, of entries that a migration made before its finalize.
    `),
    params: strict({
      changes: Type.Array(strict({ page, entry: mirrorEntryValue }), {
        minItems: 1,
        maxItems: MIRROR_CHANGES_MAX,
      }),
    }),
    sends: 'no-pages',
  },
  private_memory_accessed: {
    meaning: prose(`
      You read or wrote your own memory, on behalf of page. A binary frame with the contents of one page an access: as
      read, or as written. For the oracles; your memory is yours alone.
    `),
    params: strict({
      accesses: Type.Array(strict({ page, pfn: frame, mode: word('read', 'write') }), {
        minItems: 1,
        maxItems: RANGE_PAGES_MAX,
      }),
    }),
    sends: 'pages',
  },
} as const satisfies NotificationTable;

export const CPU_NOTIFICATIONS = sessionNotifications satisfies NotificationTable;
export const OBSERVER_NOTIFICATIONS = { ack: sessionNotifications.ack } satisfies NotificationTable;

export type DeviceNotification = keyof typeof DEVICE_NOTIFICATIONS;
export type DeviceNotificationParams = ParamsOf<typeof DEVICE_NOTIFICATIONS>;
