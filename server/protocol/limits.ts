/** The limits of the wire beside those of abi/limits.ts, with their units in their names, and what happens there. */

export const SUBPROTOCOL = 'mmrace.v1';

/** A longer frame is not read: the connection is closed with 1009 (message too big). */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024;
/** Bytes accepted by the socket but not yet by the peer, above which a session is closed (4008 too-slow). */
export const OUTBOX_BYTES_MAX = 8 * 1024 * 1024;
/**
 * Sent frames kept for a client that resumes. Beyond it the oldest are dropped: see resume-too-old. As much as may be
 * on its way to the client.
 */
export const REPLAY_BYTES_MAX = OUTBOX_BYTES_MAX;
export const REPLAY_FRAMES_MAX = 1_024;
/** The same for all sessions of a server. Beyond it each keeps REPLAY_BYTES_MIN, if it has so much. */
export const REPLAY_ALL_BYTES_MAX = 512 * 1024 * 1024;
/** More than the longest answer to one request: RANGE_PAGES_MAX pages with their lengths, and the text before them. */
export const REPLAY_BYTES_MIN = 2.5 * 1024 * 1024;
/** Requests of one client without an answer. One more is refused: too-many-requests. */
export const REQUESTS_IN_FLIGHT_MAX = 256;
/** Questions answered lately whose ids are kept, to distinguish a second answer from one to a question never asked. */
export const ANSWERED_KEPT_MAX = 1_024;
/** A client that was refused this often without one good frame in between is closed (4009 too-many-refusals). */
export const REFUSALS_MAX = 64;
/** Frames of device-private memory in one memremap_pages. */
export const DEVICE_FRAMES_MAX = 2 ** 20;
/** Changes in one mirror_changed. */
export const MIRROR_CHANGES_MAX = 512;
/** Numbers of the address spaces of a machine end below this. */
export const MMS_MAX = 1_024;
/** Events of one batch to an observer. */
export const EVENT_BATCH_MAX = 512;
/**
 * Bytes that wait for one observer, over WebSocket or as an event stream. It gets nothing that does not fit, and a
 * snapshot once it has read all.
 */
export const OBSERVER_BACKLOG_BYTES_MAX = 1024 * 1024;
/** WebSocket connections of one server, and of one address. One more is answered with 429 and the name of the limit. */
export const CONNECTIONS_MAX = 4_096;
export const CONNECTIONS_PER_ADDRESS_MAX = 2_048;
/** Bytes of a connection before its hello is accepted. More are not read: it is destroyed. */
export const HELLO_BYTES_MAX = 64 * 1024;
/** Labs that clients at one address may have opened and that are open still. One more: too-many-labs. */
export const LABS_PER_ADDRESS_MAX = 16;
/** Actors in one lab. One more is refused: lab-full. */
export const ACTORS_MAX = 4_096;
/** Verbs that a lab was asked over HTTP to have performed, whose results can be fetched. The oldest are forgotten. */
export const PERFORMANCES_KEPT_MAX = 256;
/** Frames of system memory of a lab that does not say how many it has. Without a free one calls answer ENOMEM. */
export const LAB_FRAMES_MAX = 2 ** 16;
/** Labs in one server. One more is refused: too-many-labs. */
export const LABS_MAX = 64;

/** Milliseconds that a lab of its own may set at least for its lease and its grace: the clock is looked at so often. */
export const LAB_TIMES_MS_MIN = 250;
/** The most. */
export const LAB_TIMES_MS_MAX = 24 * 60 * 60 * 1_000;
/** Milliseconds a question may stay without an answer before the actor is fenced. */
export const LEASE_MS = 10_000;
/**
 * Milliseconds for which a client may keep others waiting that said held without an order to hold, by a
 * conductor: its player held it. Then its lease counts again.
 */
export const HELD_UNORDERED_MS = 5 * 60_000;
/** Milliseconds after a lost connection during which the session can be resumed. */
export const GRACE_MS = 30_000;
/** Milliseconds between two pings. A peer that misses two is disconnected. */
export const HEARTBEAT_MS = 15_000;
/** Pings in a row without a pong, above which a peer counts as lost. */
export const PONGS_MISSED_MAX = 2;
/** Milliseconds from the connection to the `hello`. Then the connection is closed (4001 no-hello). */
export const HELLO_MS = 10_000;
