/**
 * The life of a page's session as a pure function: it begins again by itself, for as long as the page is open. The
 * sockets and the clock are in lab-feed.ts and client-session.ts.
 */
import { CLOSE_CODES } from '../../../server/protocol/close-codes.ts';
import type { ClosedWhy } from '../../sdk/connection-state.ts';

export const PAGE_RETRY_FIRST_MS = 400;
export const PAGE_RETRY_LAST_MS = 5_000;

export type SessionStatus =
  | {
      readonly state: 'connecting';
      readonly failures: number;
      readonly before: 'never' | 'was-live';
    }
  | { readonly state: 'live'; readonly told: string }
  /** The connection is lost; the session is being resumed. */
  | { readonly state: 'away' }
  /** The session is over; another one begins after waitMs. */
  | {
      readonly state: 'waiting';
      readonly failures: number;
      readonly waitMs: number;
      readonly why: string;
      readonly before: 'never' | 'was-live';
    }
  /** Refused for good: only a person can help. */
  | { readonly state: 'refused'; readonly code: string; readonly why: string };

export type StatusEvent =
  | {
      readonly event: 'greeted';
      readonly session: 'fresh' | 'resumed';
      readonly fenced: boolean;
    }
  | { readonly event: 'lost' }
  | { readonly event: 'resumed' }
  | { readonly event: 'closed'; readonly closed: ClosedWhy; readonly sentence: string }
  | { readonly event: 'retry' };

export const NOT_IN_YET: SessionStatus = { state: 'connecting', failures: 0, before: 'never' };

/** Refusals that another attempt does not cure. */
const FOR_GOOD = new Set(['bad-params', 'lab-full']);
/** The same for a client that comes for the first time. One that was in before may only have to wait. */
const AT_FIRST = new Set(['name-taken', 'too-many-labs']);
/** The lab is closed, or the server was started again without it: waiting brings it back to no client. */
const LAB_GONE = 'no-such-lab';

export function nextStatus(status: SessionStatus, event: StatusEvent): SessionStatus {
  switch (event.event) {
    case 'greeted':
      return { state: 'live', told: newsOf(status, event) };
    case 'lost':
      return status.state === 'live' ? { state: 'away' } : status;
    case 'resumed':
      return status.state === 'away'
        ? { state: 'live', told: 'Connected again: the same session goes on.' }
        : status;
    case 'closed':
      return afterClosing(status, event);
    case 'retry':
      return status.state === 'waiting'
        ? { state: 'connecting', failures: status.failures, before: status.before }
        : status;
  }
}

/** Closings after which no client comes back by itself: what the page calls them. */
const CLOSED_FOR_GOOD: ReadonlyMap<number, string> = new Map([
  [CLOSE_CODES['lab-closed'].code, 'lab-closed'],
  [CLOSE_CODES.dismissed.code, 'dismissed'],
]);

function newsOf(
  status: SessionStatus,
  { session, fenced }: Extract<StatusEvent, { event: 'greeted' }>,
): string {
  if (status.state !== 'connecting' || status.before === 'never') return '';
  if (session === 'resumed') {
    return fenced
      ? 'Connected again. The lab had fenced you: what you mapped is void.'
      : 'Connected again: the same session goes on.';
  }
  return 'Connected again, in a new session: what you held before is gone.';
}

function afterClosing(
  status: SessionStatus,
  { closed, sentence }: Extract<StatusEvent, { event: 'closed' }>,
): SessionStatus {
  const failures = 'failures' in status ? status.failures + 1 : 0;
  const before = 'before' in status ? status.before : 'was-live';
  if (closed.why === 'refused') {
    const { code } = closed.refusal;
    if (code === LAB_GONE) {
      return { state: 'refused', code: before === 'never' ? code : 'lab-lost', why: sentence };
    }
    if (FOR_GOOD.has(code) || (before === 'never' && AT_FIRST.has(code))) {
      return { state: 'refused', code, why: sentence };
    }
  }
  const forGood = closed.why === 'lost' ? CLOSED_FOR_GOOD.get(closed.code) : undefined;
  if (forGood !== undefined) return { state: 'refused', code: forGood, why: sentence };
  const waitMs = Math.min(PAGE_RETRY_LAST_MS, PAGE_RETRY_FIRST_MS * 2 ** failures);
  return { state: 'waiting', failures, waitMs, why: sentence, before };
}
