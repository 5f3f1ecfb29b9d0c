/** Every limit of the wire in one table. */

import { NAME_CHARS_MAX, RANGE_PAGES_MAX } from '../abi/limits.ts';
import { HELD_LIMITS } from '../protocol/held-limits.ts';
import {
  ACTORS_MAX,
  ANSWERED_KEPT_MAX,
  CONNECTIONS_MAX,
  CONNECTIONS_PER_ADDRESS_MAX,
  DEVICE_FRAMES_MAX,
  EVENT_BATCH_MAX,
  FRAME_BYTES_MAX,
  GRACE_MS,
  HEARTBEAT_MS,
  HELD_UNORDERED_MS,
  HELLO_BYTES_MAX,
  HELLO_MS,
  LAB_FRAMES_MAX,
  LAB_TIMES_MS_MAX,
  LAB_TIMES_MS_MIN,
  LABS_MAX,
  LABS_PER_ADDRESS_MAX,
  LEASE_MS,
  MIRROR_CHANGES_MAX,
  MMS_MAX,
  OBSERVER_BACKLOG_BYTES_MAX,
  OUTBOX_BYTES_MAX,
  PERFORMANCES_KEPT_MAX,
  PONGS_MISSED_MAX,
  REFUSALS_MAX,
  REPLAY_ALL_BYTES_MAX,
  REPLAY_BYTES_MAX,
  REPLAY_BYTES_MIN,
  REPLAY_FRAMES_MAX,
  REQUESTS_IN_FLIGHT_MAX,
} from '../protocol/limits.ts';
import { table } from './markdown.ts';

interface Limit {
  readonly value: number;
  readonly unit: string;
  /** What it bounds, and what happens there. */
  readonly meaning: string;
}

export const LIMITS: { readonly [name: string]: Limit } = {
  FRAME_BYTES_MAX: limit(
    FRAME_BYTES_MAX,
    'bytes',
    'One frame of a client. A longer one is not read: the connection is closed with 1009.',
  ),
  REQUESTS_IN_FLIGHT_MAX: limit(
    REQUESTS_IN_FLIGHT_MAX,
    'requests',
    'Requests of one client without an answer. One more is refused: `too-many-requests`.',
  ),
  REFUSALS_MAX: limit(
    REFUSALS_MAX,
    'frames',
    'Refusals without one good frame in between. One more closes with 4009 too-many-refusals.',
  ),
  RANGE_PAGES_MAX: limit(
    RANGE_PAGES_MAX,
    'pages',
    'One call that answers page by page. A longer range is refused: `bad-params`.',
  ),
  MIRROR_CHANGES_MAX: limit(MIRROR_CHANGES_MAX, 'changes', 'One mirror_changed.'),
  DEVICE_FRAMES_MAX: limit(DEVICE_FRAMES_MAX, 'frames', 'One memremap_pages.'),
  NAME_CHARS_MAX: limit(NAME_CHARS_MAX, 'characters', 'The name of an actor or a lab.'),
  MMS_MAX: limit(MMS_MAX, 'address spaces', 'Numbers of address spaces end below this.'),
  OUTBOX_BYTES_MAX: limit(
    OUTBOX_BYTES_MAX,
    'bytes',
    'What may wait for you to read it. Beyond it the connection is closed with 4008 too-slow.',
  ),
  REPLAY_FRAMES_MAX: limit(
    REPLAY_FRAMES_MAX,
    'frames',
    'Sent frames that the server keeps for a resume. Of more, the oldest are dropped: see `resume-too-old`.',
  ),
  REPLAY_BYTES_MAX: limit(REPLAY_BYTES_MAX, 'bytes', 'The same in bytes.'),
  REPLAY_ALL_BYTES_MAX: limit(
    REPLAY_ALL_BYTES_MAX,
    'bytes',
    'The same of all sessions of a server. Beyond it each keeps `REPLAY_BYTES_MIN`.',
  ),
  REPLAY_BYTES_MIN: limit(REPLAY_BYTES_MIN, 'bytes', 'More than the longest answer to a request.'),
  ANSWERED_KEPT_MAX: limit(
    ANSWERED_KEPT_MAX,
    'questions',
    'Answered questions whose ids are kept, to tell `answered-twice` from `no-such-question`.',
  ),
  EVENT_BATCH_MAX: limit(EVENT_BATCH_MAX, 'events', 'One events notification to an observer.'),
  OBSERVER_BACKLOG_BYTES_MAX: limit(
    OBSERVER_BACKLOG_BYTES_MAX,
    'bytes',
    'What may wait for an observer to read it. What does not fit it misses, and gets a snapshot instead.',
  ),
  CONNECTIONS_MAX: limit(
    CONNECTIONS_MAX,
    'connections',
    'WebSocket connections of one server. One more is answered with 429, and this name.',
  ),
  CONNECTIONS_PER_ADDRESS_MAX: limit(
    CONNECTIONS_PER_ADDRESS_MAX,
    'connections',
    'The same of one address.',
  ),
  HELLO_BYTES_MAX: limit(
    HELLO_BYTES_MAX,
    'bytes',
    'Of a connection whose hello is not accepted yet. More are not read: it is destroyed.',
  ),
  LABS_PER_ADDRESS_MAX: limit(
    LABS_PER_ADDRESS_MAX,
    'labs',
    'Opened from one address, by hello or POST /api/labs. One more is refused: `too-many-labs`.',
  ),
  ACTORS_MAX: limit(ACTORS_MAX, 'actors', 'One lab. One more is refused: `lab-full`.'),
  LAB_FRAMES_MAX: limit(
    LAB_FRAMES_MAX,
    'frames',
    'System memory of one lab, unless its scenario says otherwise. Then `out-of-memory`.',
  ),
  LABS_MAX: limit(LABS_MAX, 'labs', 'One server. One more is refused: `too-many-labs`.'),
  ...Object.fromEntries(
    Object.entries(HELD_LIMITS).map(([name, { value, unit, whose }]) => [
      name,
      limit(value, unit, `Held by ${whose}. One more is refused: \`over-limit\`.`),
    ]),
  ),
  HELLO_MS: limit(
    HELLO_MS,
    'milliseconds',
    'From the connection to the hello. Then it is closed with 4001 no-hello.',
  ),
  LEASE_MS: limit(
    LEASE_MS,
    'milliseconds',
    'leaseMs, unless the server was told otherwise: see Leases and fencing.',
  ),
  HELD_UNORDERED_MS: limit(
    HELD_UNORDERED_MS,
    'milliseconds',
    'For so long a client may say held that no conductor has told to hold. Then its lease counts again.',
  ),
  GRACE_MS: limit(
    GRACE_MS,
    'milliseconds',
    'graceMs, unless the server was told otherwise: see Coming back.',
  ),
  HEARTBEAT_MS: limit(
    HEARTBEAT_MS,
    'milliseconds',
    'heartbeatMs, unless the server was told otherwise: two pings without a pong close with 4006.',
  ),
  PONGS_MISSED_MAX: limit(
    PONGS_MISSED_MAX,
    'pings',
    'In a row without a pong. Then 4006 heartbeat-lost.',
  ),
  LAB_TIMES_MS_MIN: limit(
    LAB_TIMES_MS_MIN,
    'milliseconds',
    'leaseMs and graceMs of POST /api/labs at least: the clock is looked at so often.',
  ),
  LAB_TIMES_MS_MAX: limit(LAB_TIMES_MS_MAX, 'milliseconds', 'The same at most.'),
  PERFORMANCES_KEPT_MAX: limit(
    PERFORMANCES_KEPT_MAX,
    'verbs',
    'Of a lab, that it was asked over HTTP to have performed, and whose results can be fetched.',
  ),
};

export function limitTable(): string {
  const rows = Object.entries(LIMITS).map(([name, { value, unit, meaning }]) => [
    `\`${name}\``,
    `${value} ${unit}`,
    meaning,
  ]);
  return table(['limit', 'value', 'what it bounds, and what happens there'], rows);
}

function limit(value: number, unit: string, meaning: string): Limit {
  return { value, unit, meaning };
}
