/** What the server tells clients without waiting for an answer. */
import Type from 'typebox';
import { Event } from './event.ts';
import { LabControl } from './lab-control.ts';
import { LabSnapshot } from './lab-snapshot.ts';
import type { NotificationTable, ParamsOf } from './request-spec.ts';
import { frame, strict } from './wire-values.ts';

export const SERVER_NOTIFICATIONS = {
  /** A private frame of yours lost its last reference: its memory is yours to reuse. */
  page_free: { params: strict({ pfn: frame }), sends: 'no-pages' },
  /** You did not answer in time: your DMA is refused, your subscriptions are gone. `remedy` says what to do. */
  fenced: { params: strict({ why: Type.String(), remedy: Type.String() }), sends: 'no-pages' },
  /** To observers: what happened, in order. `n` of the first follows on what was sent before. */
  events: { params: strict({ events: Type.Array(Event) }), sends: 'no-pages' },
  /** To observers that fell behind: forget what you had, go on from here. */
  snapshot: { params: LabSnapshot, sends: 'no-pages' },
  /** To observers, after the hello and when it changes: is the lab paused, locked, and what are its tasks. */
  control: { params: LabControl, sends: 'no-pages' },
  /** The server is about to end. Your session can be resumed elsewhere or later only if `resumable`. */
  going: { params: strict({ why: Type.String(), resumable: Type.Boolean() }), sends: 'no-pages' },
} as const satisfies NotificationTable;

export type ServerNotification = keyof typeof SERVER_NOTIFICATIONS;
export type ServerNotificationParams = ParamsOf<typeof SERVER_NOTIFICATIONS>;
