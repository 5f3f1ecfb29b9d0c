/**
 * docs/PROTOCOL.md: all that the author of a client in another language needs. Methods, values, codes and limits
 * come from the schemas; what schemas cannot say stands in chapters/. Pure: server/tidy/write-docs.ts writes the file.
 */
import { SUBPROTOCOL } from '../protocol/limits.ts';
import { conductorChapter, type VerbNotes } from './chapters/conductor-chapter.ts';
import { deviceChapter } from './chapters/device-chapter.ts';
import { exampleChapter } from './chapters/example-chapter.ts';
import { observerChapter } from './chapters/observer-chapter.ts';
import { connectionChapter, frameChapter, sessionChapter } from './chapters/session-chapters.ts';
import { valueChapter } from './chapters/value-chapter.ts';
import {
  closeCodeTable,
  errorCodeTable,
  httpErrorTable,
  otherCloseCodeTable,
} from './code-tables.ts';
import { limitTable } from './limit-table.ts';
import { paragraphs } from './markdown.ts';
import { methodChapter } from './method-chapter.ts';
import {
  CLIENT_NOTIFICATIONS,
  CLIENT_REQUESTS,
  FROM_SERVER,
  QUESTIONS,
  type WireMethod,
} from './wire-methods.ts';

const INTRODUCTION = `
# The protocol ${SUBPROTOCOL}

This file is generated from the schemas that check every frame, by \`npm run docs\`: do not edit it. The same as
AsyncAPI: \`GET /asyncapi.json\` of any server. A device in 60 lines: [WRITE-A-DEVICE](WRITE-A-DEVICE.md). Two
written from this file: a whole one, [\`clients/python/mmrace_device.py\`](../clients/python/mmrace_device.py), and
one without private memory, [\`clients/c/mmrace_mirror.c\`](../clients/c/mmrace_mirror.c).

A server owns simulated machines, the **labs**. Clients connect as **devices** (they mirror page tables, reach
memory by DMA, and have private memory), as **CPU threads** (they load, store and call the kernel), or as
**observers** (they see what happens). Methods bear the names of the Linux kernel's functions, and do what
those do.
`;

export interface ProtocolDocumentParts {
  readonly verbs: VerbNotes;
}

/** The text of the file. */
export function protocolDocument({ verbs }: ProtocolDocumentParts): string {
  const text = paragraphs([
    INTRODUCTION,
    contents(),
    connectionChapter(),
    frameChapter(),
    sessionChapter(),
    exampleChapter(),
    valueChapter(),
    deviceChapter(),
    '## What every client asks',
    methodChapter(ofRoles(CLIENT_REQUESTS, (roles) => roles.length > 1)),
    '## What a device asks',
    methodChapter(ofRoles(CLIENT_REQUESTS, (roles) => `${roles}` === 'device')),
    '## What a CPU thread asks',
    methodChapter(ofRoles(CLIENT_REQUESTS, (roles) => `${roles}` === 'cpu')),
    '## What clients notify',
    methodChapter(CLIENT_NOTIFICATIONS),
    '## What the server asks',
    methodChapter(QUESTIONS),
    '## What the server notifies',
    methodChapter(FROM_SERVER),
    observerChapter(),
    conductorChapter(verbs),
    `
## Error codes

\`code\` is \`data.code\`, \`number\` is the JSON-RPC \`code\`. The errno is the usual one; a kernel function
may answer another, which is then in \`data.errno\`. *Has it happened?* is \`data.definite\`: "no" means that
asking again is safe.
`,
    errorCodeTable(),
    `
The HTTP routes (\`GET /docs\` of any server describes them) answer errors of their own, as
\`{error: {code, errno, message, what, remedy}}\`:
`,
    httpErrorTable(),
    `
## Close codes

The server closes with one of these. *kept*: the session can be resumed for \`graceMs\`; *over*: it cannot;
*none*: there was no session yet. What had no answer yet may have happened: a resume shows it, and after a session
that is over only a look at the state does.
`,
    closeCodeTable(),
    `
These are beside them:
`,
    otherCloseCodeTable(),
    `
## Limits
`,
    limitTable(),
  ]);
  return `${text}\n`;
}

function ofRoles<Method extends WireMethod>(
  methods: readonly Method[],
  fits: (roles: readonly string[]) => boolean,
): Method[] {
  return methods.filter(({ roles }) => fits(roles));
}

function contents(): string {
  return [
    'Read in this order: [Connection](#connection), [Frames](#frames), [The session](#the-session),',
    '[an example](#a-session-from-beginning-to-end), [Values](#values), [what a device does](#what-a-device-does),',
    '[Leases and fencing](#leases-and-fencing). Then look up: what [every client](#what-every-client-asks),',
    '[a device](#what-a-device-asks), [a CPU](#what-a-cpu-thread-asks) asks; what',
    '[clients notify](#what-clients-notify);',
    'what the server [asks](#what-the-server-asks) and [notifies](#what-the-server-notifies);',
    '[observers](#what-an-observer-hears), [the conductor](#the-conductor-and-its-verbs);',
    '[error codes](#error-codes), [close codes](#close-codes), [limits](#limits).',
  ].join('\n');
}
