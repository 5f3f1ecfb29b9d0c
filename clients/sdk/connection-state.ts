/**
 * The life of a connection as a pure function: state and event in, state out. The socket, the timers and the
 * clock live in connection.ts.
 *
 *   connecting --opened--> greeting --greeted--> attached --ended--> closed
 *       ^                                            |
 *       +------retry------- away <-----lost----------+
 */
import { CLOSE_CODES } from '../../server/protocol/close-codes.ts';
import type { CallRefusal } from './call-refusal.ts';

/** Milliseconds before the first attempt to come back; doubled after each failure. */
export const RETRY_FIRST_MS = 50;
export const RETRY_LAST_MS = 2_000;

export type ClosedWhy =
  /** close() was called here. */
  | { readonly why: 'ended' }
  /** The server refused the hello. */
  | { readonly why: 'refused'; readonly refusal: CallRefusal }
  /** The connection could not be made or was lost, and could not be resumed. */
  | { readonly why: 'lost'; readonly code: number; readonly text: string };

export type ConnectionState =
  | { readonly state: 'connecting'; readonly attempt: number; readonly giveUpAt: number | 'at-once' }
  | { readonly state: 'greeting'; readonly attempt: number; readonly giveUpAt: number | 'at-once' }
  | { readonly state: 'attached'; readonly graceMs: number; readonly onLoss: 'resume' | 'give-up' }
  /** Lost; waits `waitMs` before it tries again. */
  | {
      readonly state: 'away';
      readonly attempt: number;
      readonly giveUpAt: number;
      readonly waitMs: number;
    }
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
    case 'retry':
      if (state.state !== 'away') return state;
      return { state: 'connecting', attempt: state.attempt, giveUpAt: state.giveUpAt };
    case 'lost':
      return afterLoss(state, event);
    default:
      return event satisfies never;
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
]);

function afterLoss(
  state: Exclude<ConnectionState, { state: 'closed' }>,
  loss: Extract<ConnectionEvent, { event: 'lost' }>,
): ConnectionState {
  const closed: ConnectionState = {
    state: 'closed',
    closed: { why: 'lost', code: loss.code, text: loss.text },
  };
  if (FINAL_CODES.has(loss.code)) return closed;
  switch (state.state) {
    case 'away':
      return state;
    case 'attached':
      if (state.onLoss === 'give-up') return closed;
      return away(0, loss.at + state.graceMs);
    case 'connecting':
    case 'greeting':
      if (state.giveUpAt === 'at-once' || loss.at >= state.giveUpAt) return closed;
      return away(state.attempt + 1, state.giveUpAt);
    default:
      return state satisfies never;
  }
}

function away(attempt: number, giveUpAt: number): ConnectionState {
  const waitMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** attempt);
  return { state: 'away', attempt, giveUpAt, waitMs };
}

/** What a closed connection says to a person. */
export function closedSentence(closed: ClosedWhy): string {
  switch (closed.why) {
    case 'ended':
      return 'the connection was closed here';
    case 'refused':
      return `the server refused the hello: ${closed.refusal.message} ${closed.refusal.remedy}`.trim();
    case 'lost': {
      const reason = Object.values(CLOSE_CODES).find(({ code }) => code === closed.code);
      if (reason !== undefined) return `${reason.meaning} ${reason.remedy}`;
      return `the connection was lost (${closed.code}${closed.text === '' ? '' : `: ${closed.text}`})`;
    }
    default:
      return closed satisfies never;
  }
}
