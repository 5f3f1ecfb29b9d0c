/** Why the server closes a connection: the WebSocket close codes 4000-4999. Codes are forever. */
export interface CloseCode {
  readonly code: number;
  readonly meaning: string;
  readonly remedy: string;
}

export const CLOSE_CODES = {
  going: {
    code: 4000,
    meaning: 'The server is ending.',
    remedy: 'Connect again in a few seconds; resume if the going notification said resumable.',
  },
  'no-hello': {
    code: 4001,
    meaning: 'No hello was accepted in time.',
    remedy: 'Send a hello as the first frame after connecting.',
  },
  'bad-frame': {
    code: 4002,
    meaning: 'A frame could not be read at all, so the stream of sequence numbers is broken.',
    remedy:
      'Send one JSON object a text frame, or a binary frame as the protocol document describes; connect again.',
  },
  'seq-gap': {
    code: 4003,
    meaning: 'The sequence numbers of your frames have a gap or go back.',
    remedy:
      'Number frames 1, 2, 3 ... for the life of the session; resume and send again from received + 1.',
  },
  superseded: {
    code: 4004,
    meaning: 'The session was resumed on another connection.',
    remedy: 'Nothing, if that was you. Use a name of your own otherwise.',
  },
  'wrong-subprotocol': {
    code: 4005,
    meaning: 'The client did not offer the subprotocol mmrace.v1.',
    remedy: 'Offer mmrace.v1 when connecting.',
  },
  'heartbeat-lost': {
    code: 4006,
    meaning: 'Two pings in a row had no pong.',
    remedy: 'Connect again and resume inside graceMs.',
  },
  expired: {
    code: 4007,
    meaning: 'The session was away for longer than graceMs; what it held is gone.',
    remedy: 'Say a fresh hello.',
  },
  'too-slow': {
    code: 4008,
    meaning: 'You do not read what is sent to you: OUTBOX_BYTES_MAX bytes wait for you.',
    remedy: 'Read faster, or ask for less at once; connect again and resume inside graceMs.',
  },
  'too-many-refusals': {
    code: 4009,
    meaning: 'REFUSALS_MAX frames in a row were refused.',
    remedy: 'Read the refusals: each names the path, the bound and what to do.',
  },
  internal: {
    code: 4010,
    meaning: 'The server found a bug of its own in this lab; the log has it.',
    remedy: 'Report it; connect to another lab.',
  },
} as const satisfies Record<string, CloseCode>;

export type CloseReason = keyof typeof CLOSE_CODES;
