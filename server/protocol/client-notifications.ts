/** What clients tell without waiting for an answer. */
import Type from 'typebox';
import { MIRROR_CHANGES_MAX, RANGE_PAGES_MAX } from './limits.ts';
import type { NotificationTable, ParamsOf } from './request-spec.ts';
import { frame, page, sequence, strict, word } from './wire-values.ts';

const mirrorEntry = Type.Union([
  strict({ state: Type.Literal('none') }),
  strict({ state: Type.Literal('mapped'), pfn: frame, access: word('read', 'write', 'exclusive') }),
]);

const sessionNotifications = {
  /** All frames of the server up to and with `seq` have arrived: it need not keep them for a resume. */
  ack: { params: strict({ seq: sequence }), sends: 'no-pages' },
  /** The client now stands still after a kernel call, as `hold` told it to. */
  held: { params: strict({ after: Type.String({ maxLength: 64 }) }), sends: 'no-pages' },
} as const;

export const DEVICE_NOTIFICATIONS = {
  ...sessionNotifications,
  /** Takes free private frames into use, referenced and locked. */
  zone_device_page_init: {
    params: strict({ pfns: Type.Array(frame, { minItems: 1, maxItems: RANGE_PAGES_MAX }) }),
    sends: 'no-pages',
  },
  /** The device's own page table changed, in this order. For oracles and viewers. */
  mirror_changed: {
    params: strict({
      changes: Type.Array(strict({ page, entry: mirrorEntry }), {
        minItems: 1,
        maxItems: MIRROR_CHANGES_MAX,
      }),
    }),
    sends: 'no-pages',
  },
  /** The device accessed its own memory. A binary frame with one page an access. */
  private_memory_accessed: {
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
