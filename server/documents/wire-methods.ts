/** Every method of the wire in one list, with who says it and who hears it: what all documents are printed from. */
import {
  CPU_NOTIFICATIONS,
  DEVICE_NOTIFICATIONS,
  OBSERVER_NOTIFICATIONS,
} from '../protocol/client-notifications.ts';
import { CPU_REQUESTS } from '../protocol/cpu-requests.ts';
import { DEVICE_REQUESTS } from '../protocol/device-requests.ts';
import { SESSION_REQUESTS } from '../protocol/hello.ts';
import { PING_REQUESTS } from '../protocol/ping.ts';
import type { NotificationSpec, RequestSpec } from '../protocol/request-spec.ts';
import { ROLES, type Role } from '../protocol/roles.ts';
import { SERVER_NOTIFICATIONS, type ServerNotification } from '../protocol/server-notifications.ts';
import { CONDUCTOR_QUESTIONS, KERNEL_QUESTIONS } from '../protocol/server-questions.ts';

export interface WireRequest {
  /** 'request': a client asks. 'question': the server does. */
  readonly kind: 'request' | 'question';
  readonly method: string;
  readonly roles: readonly Role[];
  readonly spec: RequestSpec;
}

export interface WireNotification {
  readonly kind: 'client-notification' | 'server-notification';
  readonly method: string;
  readonly roles: readonly Role[];
  readonly spec: NotificationSpec;
}

export type WireMethod = WireRequest | WireNotification;

export function isNotification(method: WireMethod): method is WireNotification {
  return method.kind === 'client-notification' || method.kind === 'server-notification';
}

const HEARD_BY = {
  page_free: ['device'],
  fenced: ['device'],
  events: ['observer'],
  snapshot: ['observer'],
  control: ['observer'],
  going: ROLES,
} as const satisfies Record<ServerNotification, readonly Role[]>;

const NOTIFICATIONS_OF: { readonly [Of in Role]: { readonly [method: string]: NotificationSpec } } =
  {
    device: DEVICE_NOTIFICATIONS,
    cpu: CPU_NOTIFICATIONS,
    observer: OBSERVER_NOTIFICATIONS,
  };

export const CLIENT_REQUESTS: readonly WireRequest[] = [
  ...requests('request', SESSION_REQUESTS, ROLES),
  ...requests('request', PING_REQUESTS, ROLES),
  ...requests('request', DEVICE_REQUESTS, ['device']),
  ...requests('request', CPU_REQUESTS, ['cpu']),
];

export const QUESTIONS: readonly WireRequest[] = [
  ...requests('question', KERNEL_QUESTIONS, ['device']),
  ...requests('question', CONDUCTOR_QUESTIONS, ['device', 'cpu']),
];

export const CLIENT_NOTIFICATIONS: readonly WireNotification[] = Object.entries(
  DEVICE_NOTIFICATIONS,
).map(([method, spec]) => ({
  kind: 'client-notification',
  method,
  roles: ROLES.filter((role) => Object.hasOwn(NOTIFICATIONS_OF[role], method)),
  spec,
}));

export const FROM_SERVER: readonly WireNotification[] = Object.entries(SERVER_NOTIFICATIONS).map(
  ([method, spec]) => ({
    kind: 'server-notification',
    method,
    roles: HEARD_BY[method as ServerNotification],
    spec,
  }),
);

export const WIRE_METHODS: readonly WireMethod[] = [
  ...CLIENT_REQUESTS,
  ...QUESTIONS,
  ...CLIENT_NOTIFICATIONS,
  ...FROM_SERVER,
];

function requests(
  kind: WireRequest['kind'],
  table: { readonly [method: string]: RequestSpec },
  roles: readonly Role[],
): WireRequest[] {
  return Object.entries(table).map(([method, spec]) => ({ kind, method, roles, spec }));
}
