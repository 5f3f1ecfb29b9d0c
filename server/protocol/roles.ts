/** Who may say what: the compiled checks of each role, looked up by method name. */
import {
  CPU_NOTIFICATIONS,
  DEVICE_NOTIFICATIONS,
  OBSERVER_NOTIFICATIONS,
} from './client-notifications.ts';
import { CPU_REQUESTS } from './cpu-requests.ts';
import { DEVICE_REQUESTS } from './device-requests.ts';
import { SESSION_REQUESTS } from './hello.ts';
import { PING_REQUESTS } from './ping.ts';
import type { NotificationSpec, RequestSpec } from './request-spec.ts';
import { SERVER_NOTIFICATIONS } from './server-notifications.ts';
import { SERVER_QUESTIONS } from './server-questions.ts';
import { compileMethods, type MethodChecks } from './validators.ts';

export const ROLES = ['device', 'cpu', 'observer'] as const;
export type Role = (typeof ROLES)[number];

export type RequestChecks = ReadonlyMap<string, MethodChecks<RequestSpec>>;
export type NotificationChecks = ReadonlyMap<string, MethodChecks<NotificationSpec>>;

export const HELLO_CHECKS: RequestChecks = compileMethods<RequestSpec>(SESSION_REQUESTS);

export const REQUEST_CHECKS: { readonly [Of in Role]: RequestChecks } = {
  device: compileMethods<RequestSpec>({ ...PING_REQUESTS, ...DEVICE_REQUESTS }),
  cpu: compileMethods<RequestSpec>({ ...PING_REQUESTS, ...CPU_REQUESTS }),
  observer: compileMethods<RequestSpec>(PING_REQUESTS),
};

export const NOTIFICATION_CHECKS: { readonly [Of in Role]: NotificationChecks } = {
  device: compileMethods<NotificationSpec>(DEVICE_NOTIFICATIONS),
  cpu: compileMethods<NotificationSpec>(CPU_NOTIFICATIONS),
  observer: compileMethods<NotificationSpec>(OBSERVER_NOTIFICATIONS),
};

/** What the server asks: `params` for the client to check, `result` for the server. */
export const QUESTION_CHECKS: RequestChecks = compileMethods<RequestSpec>(SERVER_QUESTIONS);
export const SERVER_NOTIFICATION_CHECKS: NotificationChecks =
  compileMethods<NotificationSpec>(SERVER_NOTIFICATIONS);

/** The first role that has `method`, or 'none'. For refusals. */
export function roleOf(method: string): Role | 'none' {
  const has = (role: Role) =>
    REQUEST_CHECKS[role].has(method) || NOTIFICATION_CHECKS[role].has(method);
  return ROLES.find(has) ?? 'none';
}
