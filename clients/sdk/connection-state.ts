/**
 * The life of a connection as a pure function: state and event in, state out. The socket, the timers and the
 * clock live in connection.ts.
 *
 *   connecting --opened--> greeting --greeted--> attached --ended--> closed
 *       ^                                            |
 *       +------retry------- away <-----lost----------+
 */

import { CLOSE_CODES } from '../../server/protocol/close-codes.ts';
import { assertNever } from '../../server/vocabulary/invariant.ts';
import { type CallRefusal, sentences } from './call-refusal.ts';

/** Milliseconds before the first attempt to come back; doubled after each failure. */
export const RETRY_FIRST_MS = 50;
export const RETRY_LAST_MS = 2_000;

export type ClosedWhy =
  /** close() was called here. */
  | { readonly why: 'ended' }
  /** The server refused the hello. */
  | { readonly why: 'refused'; readonly refusal: CallRefusal }
  /** No connection could be made in time. */
  | { readonly why: 'unreachable'; readonly code: number; readonly text: string }
  /** The connection was lost and could not be resumed. */
  | { readonly why: 'lost'; readonly code: number; readonly text: string };

/** Trying to get a connection. `purpose` 'resume': there was one before. */
export interface Attempt {
  readonly purpose: 'begin' | 'resume';
  /** Failures so far. */
  readonly failures: number;
  /** In milliseconds of the clock of the events. */
  readonly giveUpAt: number;
}

export type ConnectionState =
  | { readonly state: 'connecting'; readonly attempt: Attempt }
  | { readonly state: 'greeting'; readonly attempt: Attempt }
  | { readonly state: 'attached'; readonly graceMs: number; readonly onLoss: 'resume' | 'give-up' }
  /** No connection now; waits `waitMs` before it tries again. */
  | { readonly state: 'away'; readonly attempt: Attempt; readonly waitMs: number }
  | { readonly state: 'closed'; readonly closed: ClosedWhy };

/** `at` is the time of the event in milliseconds, from any clock that only moves forwards. */
export type ConnectionEvent =
  | { readonly event: 'opened' }
  | {
      readonly event: 'greeted';
      readonly graceMs: number;
      readonly onLoss: 'resume' | 'give-up';
    }
  | { readonly event: 'hello-refused'; readonly refusal: CallRefusal }
  | { readonly event: 'lost'; readonly code: number; readonly text: string; readonly at: number }
  /** The server has said that it ends and keeps nothing of the session. */
  | { readonly event: 'going' }
  | { readonly event: 'retry' }
  | { readonly event: 'ended' };

/** Where the state has no use for the event, it stays as it is. */
export function nextConnection(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  if (state.state === 'closed') return state;
  switch (event.event) {
    case 'ended':
      return { state: 'closed', closed: { why: 'ended' } };
    case 'opened':
      return state.state === 'connecting' ? { ...state, state: 'greeting' } : state;
    case 'greeted':
      if (state.state !== 'greeting') return state;
      return { state: 'attached', graceMs: event.graceMs, onLoss: event.onLoss };
    case 'hello-refused':
      return { state: 'closed', closed: { why: 'refused', refusal: event.refusal } };
    case 'going':
      return state.state === 'attached' ? { ...state, onLoss: 'give-up' } : state;
    case 'retry':
      if (state.state !== 'away') return state;
      return { state: 'connecting', attempt: state.attempt };
    case 'lost':
      return afterLoss(state, event);
    default:
      return assertNever(event);
  }
}

/** Closings after which coming back is pointless: the session is gone, or we would be closed again. */
const FINAL_CODES: ReadonlySet<number> = new Set([
  CLOSE_CODES['bad-frame'].code,
  CLOSE_CODES['no-hello'].code,
  CLOSE_CODES.superseded.code,
  CLOSE_CODES['wrong-subprotocol'].code,
  CLOSE_CODES.expired.code,
  CLOSE_CODES['too-many-refusals'].code,
  CLOSE_CODES.internal.code,
  CLOSE_CODES['insufficient-storage'].code,
]);

function afterLoss(
  state: Exclude<ConnectionState, { state: 'closed' }>,
  loss: Extract<ConnectionEvent, { event: 'lost' }>,
): ConnectionState {
  const { code, text, at } = loss;
  const lost: ConnectionState = { state: 'closed', closed: { why: 'lost', code, text } };
  if (FINAL_CODES.has(code)) return lost;
  switch (state.state) {
    case 'away':
      return state;
    case 'attached':
      if (state.onLoss === 'give-up') return lost;
      return away({ purpose: 'resume', failures: 0, giveUpAt: at + state.graceMs });
    case 'connecting':
    case 'greeting': {
      const { purpose, failures, giveUpAt } = state.attempt;
      if (at < giveUpAt) return away({ purpose, failures: failures + 1, giveUpAt });
      if (purpose === 'resume') return lost;
      return { state: 'closed', closed: { why: 'unreachable', code, text } };
    }
    default:
      return assertNever(state);
  }
}

function away(attempt: Attempt): ConnectionState {
  const waitMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** attempt.failures);
  return { state: 'away', attempt, waitMs };
}

/** What a closed connection says to a person. */
export function closedSentence(closed: ClosedWhy): string {
  switch (closed.why) {
    case 'ended':
      return 'the connection was closed here';
    case 'refused':
      return `the server refused the hello: ${sentences(closed.refusal)}`;
    case 'unreachable':
      return 'no server answers there';
    case 'lost': {
      const reason = Object.values(CLOSE_CODES).find(({ code }) => code === closed.code);
      if (reason !== undefined) return `${reason.meaning} ${reason.remedy}`;
      return `the connection was lost (${closed.code}${closed.text === '' ? '' : `: ${closed.text}`})`;
    }
    default:
      return assertNever(closed);
  }
}
