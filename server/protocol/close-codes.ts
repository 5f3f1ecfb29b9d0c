/** Why the server closes a connection: the WebSocket close codes 4000-4999. Codes are forever. */
export interface CloseCode {
  readonly code: number;
  readonly meaning: string;
  /** What becomes of the session: 'kept' for graceMs, 'over', or there was none. */
  readonly session: 'kept' | 'over' | 'none';
  readonly remedy: string;
}

export const CLOSE_CODES = {
  going: {
    code: 4000,
    meaning: 'The server is ending.',
    session: 'over',
    remedy: 'Connect again in a few seconds; resume if the going notification said resumable.',
  },
  'no-hello': {
    code: 4001,
    meaning: 'No hello was accepted in time.',
    session: 'none',
    remedy: 'Send a hello as the first frame after connecting.',
  },
  'seq-gap': {
    code: 4003,
    meaning: 'The sequence numbers of your frames have a gap or go back.',
    session: 'kept',
    remedy:
      'Number frames 1, 2, 3 ... for the life of the session; resume and send again from received + 1.',
  },
  superseded: {
    code: 4004,
    meaning: 'The session was resumed on another connection.',
    session: 'kept',
    remedy: 'Nothing, if that was you. Use a name of your own otherwise.',
  },
  'wrong-subprotocol': {
    code: 4005,
    meaning: 'The client did not offer the subprotocol mmrace.v1.',
    session: 'none',
    remedy: 'Offer mmrace.v1 when connecting.',
  },
  'heartbeat-lost': {
    code: 4006,
    meaning: 'Two pings in a row had no pong.',
    session: 'kept',
    remedy: 'Connect again and resume inside graceMs.',
  },
  expired: {
    code: 4007,
    meaning: 'The session was away for longer than graceMs; what it held is gone.',
    session: 'over',
    remedy: 'Say a fresh hello.',
  },
  'too-slow': {
    code: 4008,
    meaning: 'You do not read what is sent to you: OUTBOX_BYTES_MAX bytes wait for you.',
    session: 'kept',
    remedy: 'Read faster, or ask for less at once; connect again and resume inside graceMs.',
  },
  'too-many-refusals': {
    code: 4009,
    meaning: 'REFUSALS_MAX frames in a row were refused.',
    session: 'over',
    remedy: 'Read the refusals: each names the path, the bound and what to do.',
  },
  internal: {
    code: 4010,
    meaning: 'The server found a bug of its own in this lab; the log has it.',
    session: 'over',
    remedy: 'Report it; connect to another lab.',
  },
  'insufficient-storage': {
    code: 4011,
    meaning: 'The recording of the lab could not be written, so the lab was closed.',
    session: 'over',
    remedy:
      'Tell the owner of the server to look at its disk; connect to another lab, or again later.',
  },
  'lab-closed': {
    code: 4012,
    meaning: 'The lab was closed by its presenter.',
    session: 'over',
    remedy: 'Nothing: the lab is over. Connect to another one.',
  },
  dismissed: {
    code: 4013,
    meaning: 'The presenter of the lab ended your session; what it held is gone.',
    session: 'over',
    remedy: 'Ask the presenter. Say a fresh hello if you are to come back.',
  },
} as const satisfies Record<string, CloseCode>;

export type CloseReason = keyof typeof CLOSE_CODES;

/** Codes with which the server does not close of its own will. */
export const OTHER_CLOSE_CODES = [
  {
    codes: '1000, 1001, none',
    by: 'the client',
    meaning: 'You leave for good.',
    session: 'over',
  },
  {
    codes: '4900 to 4999',
    by: 'the client',
    meaning:
      'Yours to use, for a connection that you close to come back: after a fence, after a gap.',
    session: 'kept',
  },
  {
    codes: '1002, 1007, 1009',
    by: 'the WebSocket of the server',
    meaning:
      'A frame of yours is no WebSocket frame, is no UTF-8, or is longer than FRAME_BYTES_MAX.',
    session: 'kept',
  },
  {
    codes: '1006',
    by: 'neither side',
    meaning: 'The connection was lost without a word. Every other code counts as this one.',
    session: 'kept',
  },
] as const satisfies readonly {
  readonly codes: string;
  readonly by: string;
  readonly meaning: string;
  readonly session: CloseCode['session'];
}[];
