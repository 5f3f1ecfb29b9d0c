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
/** Milliseconds at most where a server has said that the lab is there in a moment. */
export const RETRY_SOON_MS = 250;
/** Servers in a row that send a client on to another, whatever time it was given. */
const MOVES_MAX = 8;

/**
 * What to do when the connection is lost: come back to the same session, or give up. 'rejoin' comes back to the lab, in
 * a session of its own if the server does not know the old one any more.
 */
export type OnLoss = 'resume' | 'rejoin' | 'give-up';

export type ClosedWhy =
  /** close() was called here. */
  | { readonly why: 'ended' }
  /** The server refused the hello. */
  | { readonly why: 'refused'; readonly refusal: CallRefusal }
  /** No connection could be made in time. */
  | { readonly why: 'unreachable'; readonly code: number; readonly text: string }
  /** The connection was lost and could not be resumed. */
  | { readonly why: 'lost'; readonly code: number; readonly text: string };

/** Trying to get a connection. */
interface Attempt {
  /** 'resume': there is a session to come back to. 'rejoin': there was one, and it is gone. */
  readonly purpose: 'begin' | 'resume' | 'rejoin';
  /** Failures so far. */
  readonly failures: number;
  /** In milliseconds of the clock of the events; so is `nameFreeAt`. */
  readonly giveUpAt: number;
  /** Until then the name may be taken by a session of our own that the server has yet to end. */
  readonly nameFreeAt: number;
  readonly onLoss: OnLoss;
}

export type ConnectionState =
  | { readonly state: 'connecting'; readonly attempt: Attempt }
  | { readonly state: 'greeting'; readonly attempt: Attempt }
  | {
      readonly state: 'attached';
      readonly graceMs: number;
      /** Milliseconds of trying to come back. */
      readonly comeBackMs: number;
      readonly onLoss: OnLoss;
      /** 'ends': the server has said that it ends, and keeps nothing of it; 'for-good': nor is there another. */
      readonly session: 'kept' | 'ends' | 'ends-for-good';
    }
  /** No connection now; waits `waitMs` before it tries again. */
  | { readonly state: 'away'; readonly attempt: Attempt; readonly waitMs: number }
  | { readonly state: 'closed'; readonly closed: ClosedWhy };

/** `at` is the time of the event in milliseconds, from any clock that only moves forwards. */
export type ConnectionEvent =
  | { readonly event: 'opened' }
  | { readonly event: 'greeted'; readonly graceMs: number; readonly comeBackMs: number }
  | { readonly event: 'hello-refused'; readonly refusal: CallRefusal; readonly at: number }
  | { readonly event: 'lost'; readonly code: number; readonly text: string; readonly at: number }
  /** The server has said that it ends and keeps nothing of the session. */
  | { readonly event: 'going'; readonly server: 'for-now' | 'for-good' }
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
      return attached(state.attempt.onLoss, event);
    case 'hello-refused':
      return state.state === 'greeting' ? afterRefusal(state.attempt, event) : state;
    case 'going':
      if (state.state !== 'attached') return state;
      return { ...state, session: event.server === 'for-good' ? 'ends-for-good' : 'ends' };
    case 'retry':
      if (state.state !== 'away') return state;
      return { state: 'connecting', attempt: state.attempt };
    case 'lost':
      return afterLoss(state, event);
    default:
      return assertNever(event);
  }
}

function attached(
  onLoss: OnLoss,
  { graceMs, comeBackMs }: Extract<ConnectionEvent, { event: 'greeted' }>,
): ConnectionState {
  return { state: 'attached', graceMs, comeBackMs, onLoss, session: 'kept' };
}

/** Closings after which coming back is pointless: we would be closed again, or another has our session. */
const FINAL_CODES: ReadonlySet<number> = new Set([
  CLOSE_CODES['no-hello'].code,
  CLOSE_CODES.superseded.code,
  CLOSE_CODES['wrong-subprotocol'].code,
  CLOSE_CODES['too-many-refusals'].code,
  CLOSE_CODES['lab-closed'].code,
  CLOSE_CODES.dismissed.code,
]);
/** Closings after which the session is gone, and the lab may be there. */
const SESSION_OVER_CODES: ReadonlySet<number> = new Set([
  CLOSE_CODES.expired.code,
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
    case 'attached': {
      const { onLoss, graceMs, comeBackMs, session } = state;
      // A lab that has failed may be led to where it was, sessions and all: the server knows when it is asked.
      const gone = session === 'ends' || code === CLOSE_CODES.expired.code;
      if (onLoss === 'give-up' || session === 'ends-for-good') return lost;
      if (onLoss === 'resume' && (gone || SESSION_OVER_CODES.has(code))) return lost;
      const purpose = gone ? 'rejoin' : 'resume';
      const [giveUpAt, nameFreeAt] = [at + comeBackMs, at + graceMs];
      return away({ purpose, failures: 0, giveUpAt, nameFreeAt, onLoss });
    }
    case 'connecting':
    case 'greeting': {
      const { attempt } = state;
      // The server may have heard the hello, and we not its answer.
      const nameFreeAt =
        state.state === 'greeting' && attempt.purpose === 'begin'
          ? attempt.giveUpAt
          : attempt.nameFreeAt;
      if (at < attempt.giveUpAt) return again({ ...attempt, nameFreeAt });
      if (attempt.purpose !== 'begin') return lost;
      return { state: 'closed', closed: { why: 'unreachable', code, text } };
    }
    default:
      return assertNever(state);
  }
}

/** Refusals that pass by themselves. */
const FOR_NOW: ReadonlySet<string> = new Set([
  'going',
  'moved',
  'restoring',
  'stalled',
  'under-pressure',
]);
const SOON: ReadonlySet<string> = new Set(['moved', 'restoring']);
/** What else may pass for a client that was in before. */
const FOR_NOW_AGAIN: ReadonlySet<string> = new Set([
  'lab-full',
  'too-many-labs',
  'insufficient-storage',
]);
/** The server does not know the session, or cannot make it whole. */
const SESSION_GONE: ReadonlySet<string> = new Set(['bad-resume', 'resume-too-old']);

/** Whether a client that was in before need only wait for what keeps it out. */
export function passesByItself(code: string): boolean {
  return FOR_NOW.has(code) || FOR_NOW_AGAIN.has(code);
}

function afterRefusal(
  attempt: Attempt,
  { refusal, at }: Extract<ConnectionEvent, { event: 'hello-refused' }>,
): ConnectionState {
  const { code } = refusal;
  const { purpose, onLoss, giveUpAt, nameFreeAt } = attempt;
  if (purpose === 'resume' && onLoss === 'rejoin' && SESSION_GONE.has(code)) {
    return away({ ...attempt, purpose: 'rejoin', failures: 0 });
  }
  const passes =
    FOR_NOW.has(code) ||
    (purpose !== 'begin' && passesByItself(code)) ||
    (purpose !== 'resume' && code === 'name-taken' && at < nameFreeAt);
  const moves = code === 'moved' && attempt.failures < MOVES_MAX;
  if ((passes && at < giveUpAt) || moves)
    return again(attempt, SOON.has(code) ? RETRY_SOON_MS : RETRY_LAST_MS);
  return { state: 'closed', closed: { why: 'refused', refusal } };
}

function again(attempt: Attempt, longestMs = RETRY_LAST_MS): ConnectionState {
  return away({ ...attempt, failures: attempt.failures + 1 }, longestMs);
}

function away(attempt: Attempt, longestMs = RETRY_LAST_MS): ConnectionState {
  const waitMs = Math.min(longestMs, RETRY_FIRST_MS * 2 ** attempt.failures);
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
