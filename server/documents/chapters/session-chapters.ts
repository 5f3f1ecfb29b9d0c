/** Connection, frames, numbering, hello and resume, in words. Numbers come from the constants. */
import { encodeBinaryFrame } from '../../protocol/binary-frame.ts';
import { REQUEST_ID_CHARS_MAX } from '../../protocol/envelope.ts';
import {
  FRAME_BYTES_MAX,
  GRACE_MS,
  HEARTBEAT_MS,
  HELLO_MS,
  LEASE_MS,
  OUTBOX_BYTES_MAX,
  PONGS_MISSED_MAX,
  REFUSALS_MAX,
  REPLAY_BYTES_MAX,
  REPLAY_FRAMES_MAX,
  SUBPROTOCOL,
} from '../../protocol/limits.ts';
import { REFUSALS_OF_ANY_REQUEST } from '../../protocol/request-spec.ts';
import { pageOfU64 } from '../../vocabulary/page-contents.ts';
import { fenced, paragraphs } from '../markdown.ts';

/** Of silence. The clock of the server is looked at once a second. */
const LOST_AFTER_MS = HEARTBEAT_MS * (PONGS_MISSED_MAX + 1);
const ANY = REFUSALS_OF_ANY_REQUEST.map((word) => `\`${word}\``);

export function connectionChapter(): string {
  return `
## Connection

- WebSocket (RFC 6455) to \`ws://HOST:PORT/ws\`; 7070 is the port unless the server was told otherwise. Another
  path is answered with 404.
- Offer the subprotocol \`${SUBPROTOCOL}\`. Without it the server closes with 4005.
- No compression: do not offer permessage-deflate, or accept that it is declined.
- A browser may connect only from a page of the same host: an \`Origin\` of another host is answered with 403.
  Programs send no \`Origin\`.
- The server pings every \`heartbeatMs\`; answer with a pong, as every WebSocket library does by itself.
- A frame of yours may have ${FRAME_BYTES_MAX} bytes. Frames of the server have no such bound: allow 64 MiB.
- Read what is sent to you. When more than ${OUTBOX_BYTES_MAX} bytes wait, the server closes with 4008.
- To leave for good close with 1000 or 1001, or without a code: the session is over at once. Closed with any
  other code, or lost, it can be resumed for \`graceMs\`.
`;
}

export function frameChapter(): string {
  return paragraphs([
    `
## Frames

Each frame is one JSON-RPC 2.0 object, with one member more: \`seq\`. A text frame holds its JSON. There are no
batches. Both sides ask, answer and notify:

| frame | members | from |
| --- | --- | --- |
| request, or question | \`jsonrpc\` \`seq\` \`id\` \`method\` \`params\` | both |
| its result | \`jsonrpc\` \`seq\` \`id\` \`result\` | both |
| its error | \`jsonrpc\` \`seq\` \`id\` \`error\` | both |
| notification | \`jsonrpc\` \`seq\` \`method\` \`params\` | both |

- \`jsonrpc\` is \`"2.0"\`. \`params\` is always there, and always an object: \`{}\` where a method takes
  nothing. \`result\` too.
- Members that are not listed, here or in the params of a method, are refused. In what the server sends there may be
  more members in later versions: pass over what you do not know.
- **Ids.** You number your requests with whole numbers from 0, or name them with strings of at most
  ${REQUEST_ID_CHARS_MAX} characters, as you like; an id may be used again once it has its answer. The server's
  questions have ids of its own: numbers are the kernel's, strings are the conductor's. An answer repeats the id
  as it came. The two directions do not know each other's ids.
- **Order.** Requests of one client run beside each other and are answered in the order in which they end. What
  you send is taken in the order of \`seq\`: a notification counts before every request behind it, and a request
  is called before the next one.
- **Never wait for an answer without answering questions.** Your request may wait for a task that waits for
  your answer to a question: a \`munmap\` of a CPU waits for your \`invalidate\`, and your \`mmap_read_lock\`
  waits for the \`munmap\`.

### Errors

An error is \`{code, message, data}\`; \`data\` is \`{errno, code, path, bound, remedy, definite}\`. Look at
\`data.code\`, a word of the table of error codes below, or at \`data.errno\`, the kernel's name. \`definite:
true\`: what you asked has not happened and never will, so asking again is safe; \`false\`: it may have
happened. \`message\` and \`remedy\` are sentences for a person. An error whose \`id\` is \`null\` is about a
frame that was no request: a notification or an answer of yours.

Any request can be refused with: ${ANY.join(', ')}.

A client answers a question that it cannot do with an error; \`code\` -32000, and \`data.errno\` with an errno
name of the table of errnos. Everything but \`code\`, \`message\` and \`data.errno\` may be left out.
`,
    binaryPart(),
  ]);
}

function binaryPart(): string {
  const json = '{"jsonrpc":"2.0","seq":4,"id":3,"result":{}}';
  const bytes = encodeBinaryFrame(json, [pageOfU64(0x2an), pageOfU64(0n)]);
  const hex = (from: number, end: number) =>
    [...bytes.subarray(from, end)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const textEnd = 4 + json.length;
  return paragraphs([
    `
### Binary frames

Where a method says so, the contents of pages travel with the frame. It is then a binary WebSocket frame:

| bytes | what |
| --- | --- |
| 4 | u32, little-endian: length of the JSON text in bytes |
| that many | the JSON-RPC object, UTF-8: the same as in a text frame |
| 2 | for each page: u16, little-endian: its length in bytes, at most 4096 |
| that many | for each page: its bytes without trailing zeros |

The pages run to the end of the frame. A page of zeros has length 0; a page that is the u64 42 and zeros has
length 1. A reader fills up with zeros to 4096. u64 values in a page are little-endian. A frame without pages
may be text or binary.
`,
    `The answer of a dma_read of two pages, of the u64 42 and of zeros, is ${bytes.length} bytes:`,
    fenced(
      '',
      [
        `${hex(0, 4)}                 length of the text: ${json.length}`,
        json,
        `${hex(textEnd, textEnd + 2)}  ${hex(textEnd + 2, textEnd + 3)}                   first page: 1 byte`,
        `${hex(textEnd + 3, textEnd + 5)}                       second page: none`,
      ].join('\n'),
    ),
  ]);
}

export function sessionChapter(): string {
  return `
## The session

### Hello

The first frame on every connection is the request \`hello\` (its params and result stand below). Wait for its
answer before you send anything else. An error leaves the connection open and you unknown: say another hello, or
close. Errors before an accepted hello have \`seq\` 1 and are not counted.

The answer says how long things last: \`leaseMs\`, \`graceMs\`, \`heartbeatMs\`; and carries what a resume needs:
\`resumeToken\` and \`epoch\`. For an observer it has a \`snapshot\`, which the events follow on.

### Numbering

\`seq\` numbers the frames of a direction 1, 2, 3, ... without gaps, for the life of the session, over all its
connections. The fresh hello is your frame 1, its answer the server's frame 1. Every frame counts: requests,
answers, notifications; also one that is refused. Check the server's numbers as it checks yours: next is the
last one plus one.

A gap closes the connection with 4003; the session is kept, and resuming mends it. A frame that cannot be read
at all (an empty one, a batch) is refused with \`bad-frame\` and has no number. A JSON object that is not one of
the frames above is refused with \`bad-envelope\`, and counted only if it has the next \`seq\`. A refusal of
what is no request has the id null, and in its \`data\` the \`seq\` of the frame and
the id of the \`question\` that it answered. After ${REFUSALS_MAX} refusals in a row without a
good frame the next one closes with 4009.

### What both sides keep

Frames may be on their way when a connection is lost, so each side keeps what it sent until it knows that it arrived.

- *You* keep every frame (after the hello) until then. The answer to a request says that the request and all before it
  have arrived; so does \`received\` in the answer to a hello.
- *The server* keeps at most ${REPLAY_FRAMES_MAX} frames and ${REPLAY_BYTES_MAX} bytes. An answer of yours to a
  question says that the question and all before it have arrived. Beside that send \`ack\` with the last \`seq\`
  that you have: after every 64 frames or 32 KiB is a good measure. For observers it keeps nothing.

### Coming back

When the connection is lost, or closed with a code whose session is kept (see the table of close codes):

1. Connect again: at once, then after 50 ms, 100 ms, 200 ms, ... up to 2 s between two attempts. A server that
   was killed and restores its labs (\`mmrace serve --record DIR --restore\`) knows the session, and gives it
   another \`graceMs\` from its start; so go on for as long as you care to come back. \`restoring\`, \`going\` and
   \`under-pressure\` pass: say the same hello again.
2. Send a \`hello\` with the same \`lab\`, \`role\` and \`name\`, and \`resume: {token, epoch, since}\`:
   \`resumeToken\` and \`epoch\` of the last answer to a hello that you got, and the \`seq\` of the last frame
   of the server that you got. This hello and its answer stand **outside** the numbering: their \`seq\` is not
   looked at (send 1), and the numbers go on as if they were not there.
3. The answer says \`session: "resumed"\`, a new \`resumeToken\` and \`epoch\` to keep instead, and
   \`received\`: your last frame that arrived. Behind it the server sends again what it has sent after
   \`since\`, with the numbers that the frames had.
4. Forget your kept frames up to \`received\`; send the later ones again, in order and unchanged, with their own
   numbers. Then go on with the next number. Requests without an answer are still open, and are answered as if
   nothing had been.

No frame is lost or doubled. If \`state\` is \`"fenced"\`, see *Leases and fencing*.

If the answer to a resume is lost too, resume again with the token that you have: old tokens are good until the first
frame that you send after an answer. A new hello takes the session over from a connection that the server still
believes in; that one is closed with 4004.

\`bad-resume\`: there is no such session any more: say a fresh hello (without \`resume\`), count from 1 again,
and begin anew. \`resume-too-old\`: the frames after \`since\` are no longer kept, and the session is over: the
same. While an old session is in its grace its name is taken: also by a fresh hello of your own whose answer was
lost.

\`moved\`, to any hello: another server has the lab. Say the same hello, resume included, to the one at
\`address\`. Servers that keep the same labs name each other in \`others\` of the answer to a hello; if yours is
gone, or silent, ask them in turn: for a moment they may say \`restoring\`, then one of them has the lab, and your
session. \`stalled\`: nobody has it just now; come back.

Observers do not resume: an observer that comes back says a fresh hello and starts from its snapshot.

### Who is still there

| | milliseconds | set by |
| --- | --- | --- |
| from the connection to an accepted \`hello\` | ${HELLO_MS} | |
| \`heartbeatMs\`: between two WebSocket pings of the server | ${HEARTBEAT_MS} | \`mmrace serve --heartbeat-ms\` |
| \`leaseMs\`: a question of the kernel without an answer | ${LEASE_MS} | \`--lease-ms\` |
| \`graceMs\`: a session without a connection | ${GRACE_MS} | \`--grace-ms\` |

A connection without a pong for ${PONGS_MISSED_MAX} pings is dropped when the next is due: after
${LOST_AFTER_MS} ms and a second at most. One lab has another lease or grace with \`leaseMs\` and
\`graceMs\` in \`POST /api/labs\`. The numbers are those of a server that was not told otherwise; those that
count are in the answer to the hello.

- *Is the server there?* A client that hears no ping for three times \`heartbeatMs\` takes the connection for lost:
  it closes it with a code of its own (4900 to 4999), and comes back. What cannot see pings or send them, a browser,
  asks \`ping\` when it has heard nothing for \`heartbeatMs\`, and waits as long for the answer.
  The SDK does so, and with it the commands and the page.
- *What does it know of me?* The answer to \`ping\` has the last \`seq\` of both directions, and how much is left of the
  lease of what you have yet to answer.
- *My token is lost* (the program has died): its name is taken until its session is over. Say a fresh hello
  with \`takeOver: true\`: a session that has been without a connection for \`leaseMs\` ends at once, and the name is
  yours. Sooner the lab's presenter may end it: action \`free\` of \`POST /api/labs/{lab}/control\`. What the
  old session held is given back, and its private memory is lost. A session that has a connection is never taken.

### The end

On \`going\` the server is about to end. It closes with 4000 after a while; sessions are gone with it unless
\`resumable\`. Unless \`forGood\`, another comes in its place: come back to it, with a resume, or if sessions are
gone with a fresh hello.
`;
}
