/**
 * The life of a session, as a pure function. It begins with an accepted hello and outlives its connection: after
 * a loss it is 'away' until the client resumes it or its grace is over. The sockets, the timer and the log live
 * in gateway.ts.
 *
 *   attached --lost, interrupted--> away --resumed--> attached
 *      |                             |
 *      +-----left, closed, ...-------+--> over
 */
import type { CloseReason } from '../protocol/close-codes.ts';
import { PONGS_MISSED_MAX, REFUSALS_MAX } from '../protocol/limits.ts';

/** Milliseconds of a clock that only moves forwards. */
export type Millis = number;

export type Session =
  | {
      readonly state: 'attached';
      readonly pongsMissed: number;
      /** Refusals since the last frame that was served. */
      readonly refusals: number;
    }
  | {
      readonly state: 'away';
      readonly since: Millis;
      /** Why the server closed the connection, or 'lost' if it did not. */
      readonly why: CloseReason | 'lost';
    }
  | { readonly state: 'over'; readonly why: CloseReason | 'left' };

export type SessionEvent =
  /** The connection is gone, without a word. */
  | { readonly event: 'lost'; readonly at: Millis }
  /** The server closes the connection; the session can be resumed. */
  | {
      readonly event: 'interrupted';
      readonly reason: 'seq-gap' | 'too-slow';
      readonly at: Millis;
    }
  | { readonly event: 'resumed' }
  | { readonly event: 'refused' }
  | { readonly event: 'served' }
  | { readonly event: 'pinged'; readonly at: Millis }
  | { readonly event: 'pong' }
  /** Time passes. */
  | { readonly event: 'tick'; readonly at: Millis; readonly graceMs: number }
  /** The client has closed the connection, as one that does not come back. */
  | { readonly event: 'left' }
  /** The server ends the session. */
  | { readonly event: 'closed'; readonly reason: CloseReason };

export const SESSION_BEGUN: Session = { state: 'attached', pongsMissed: 0, refusals: 0 };

/** Pure. An event that means nothing in a state leaves it as it is: the same object. */
export function nextSession(session: Session, event: SessionEvent): Session {
  if (session.state === 'over') return session;
  switch (event.event) {
    case 'left':
      return { state: 'over', why: 'left' };
    case 'closed':
      return { state: 'over', why: event.reason };
    case 'resumed':
      return SESSION_BEGUN;
    default:
      return session.state === 'away' ? nextAway(session, event) : nextAttached(session, event);
  }
}

type In<State extends Session['state']> = Extract<Session, { state: State }>;
type Passing = Exclude<SessionEvent, { event: 'left' | 'closed' | 'resumed' }>;

function nextAttached(session: In<'attached'>, event: Passing): Session {
  switch (event.event) {
    case 'lost':
      return { state: 'away', since: event.at, why: 'lost' };
    case 'interrupted':
      return { state: 'away', since: event.at, why: event.reason };
    case 'refused':
      if (session.refusals >= REFUSALS_MAX) return { state: 'over', why: 'too-many-refusals' };
      return { ...session, refusals: session.refusals + 1 };
    case 'served':
      return session.refusals === 0 ? session : { ...session, refusals: 0 };
    case 'pinged':
      if (session.pongsMissed < PONGS_MISSED_MAX) {
        return { ...session, pongsMissed: session.pongsMissed + 1 };
      }
      return { state: 'away', since: event.at, why: 'heartbeat-lost' };
    case 'pong':
      return session.pongsMissed === 0 ? session : { ...session, pongsMissed: 0 };
    case 'tick':
      return session;
  }
}

function nextAway(session: In<'away'>, event: Passing): Session {
  switch (event.event) {
    case 'tick':
      if (event.at - session.since < event.graceMs) return session;
      return { state: 'over', why: 'expired' };
    case 'lost':
    case 'interrupted':
    case 'refused':
    case 'served':
    case 'pinged':
    case 'pong':
      return session;
  }
}
