/** What the server sends to clients without waiting for an answer. */
import { Type } from 'typebox';
import { Event } from '../abi/event.ts';
import { prose } from '../abi/prose.ts';
import { described, range, strict } from '../abi/scalars.ts';
import { LabControl } from './lab-control.ts';
import { LabSnapshot } from './lab-snapshot.ts';
import type { NotificationTable, ParamsOf } from './request-spec.ts';
import { frame, handle, sequence } from './wire-values.ts';

export const SERVER_NOTIFICATIONS = {
  page_free: {
    meaning:
      'To a device: a private frame of yours lost its last reference, and is free to be used again.',
    params: strict({ pfn: frame }),
    sends: 'no-pages',
  },
  fenced: {
    meaning: prose(`
      To a device: you did not answer in time, or not as you must. Your DMA is refused, your locks, migrations and
      subscriptions are gone, and what you ask is refused with fenced. Drop your page table, close the connection with
      a code other than 1000 and 1001, and resume: you are attached again, with your private memory. See Fencing.
    `),
    params: strict({
      why: Type.String({ description: 'what you did, or did not do, as a sentence' }),
      remedy: Type.String({ description: 'what to do, as a sentence' }),
      question: Type.Optional(
        described(
          sequence,
          'Of a question: the id of the one that was not answered as it must be.',
        ),
      ),
      method: Type.Optional(Type.String({ description: 'the method of that question' })),
      subscription: Type.Optional(handle),
      range: Type.Optional(range),
    }),
    sends: 'no-pages',
  },
  events: {
    meaning: prose(`
      To observers: what happened, in order and without gaps. n of the first event follows on the last one that was
      sent, or on n of the snapshot.
    `),
    params: strict({ events: Type.Array(Event) }),
    sends: 'no-pages',
  },
  snapshot: {
    meaning:
      'To observers that fell behind, and after a reset of the lab: forget what you had, go on from here.',
    params: LabSnapshot,
    sends: 'no-pages',
  },
  control: {
    meaning: prose(`
      To observers, after the hello and when it changes: is the lab paused, is it locked, and what are its tasks.
    `),
    params: LabControl,
    sends: 'no-pages',
  },
  going: {
    meaning: 'The server is about to end, and closes with 4000 soon.',
    params: strict({
      why: Type.String({ description: 'why, as a sentence' }),
      resumable: Type.Boolean({ description: 'Whether the session can be resumed later.' }),
      forGood: Type.Optional(
        Type.Boolean({
          description:
            'True of a server that was started for one purpose: no other comes in its place.',
        }),
      ),
    }),
    sends: 'no-pages',
  },
} as const satisfies NotificationTable;

export type ServerNotification = keyof typeof SERVER_NOTIFICATIONS;
export type ServerNotificationParams = ParamsOf<typeof SERVER_NOTIFICATIONS>;
