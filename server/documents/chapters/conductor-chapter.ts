import type { Type } from 'typebox';
import { RANGE_PAGES_MAX } from '../../abi/limits.ts';
import { ClientMoment } from '../../protocol/client-moment.ts';
import { paragraphs, table } from '../markdown.ts';
import { fieldRows } from '../markdown-schema.ts';
import { objectPart } from './value-chapter.ts';

/** A verb of a ready-made client, as the caller of protocolDocument() knows it. */
export interface VerbNote {
  readonly verb: string;
  /** Of the params of `perform`, without `verb`. */
  readonly fields: Type.TSchema;
  readonly meaning: string;
  readonly result: string;
  /** Of a device, and asked by scenarios: what it is asked for if it refuses this one; '' for nothing. */
  readonly instead?: string;
}

export interface VerbNotes {
  readonly device: readonly VerbNote[];
  readonly cpu: readonly VerbNote[];
}

/** The conductor, and the verbs that a conductor expects. */
export function conductorChapter(verbs: VerbNotes): string {
  return paragraphs([
    '## The conductor and its verbs',
    `
Beside the kernel, a lab may have a conductor: the demo, live conformance, the page, an HTTP call. The conductor
asks devices and CPUs to \`perform\` verbs, and to \`hold\` after a kernel call until \`go\`, so that an order
of events is forced by the protocol and not by sleeping. A client that wants to take part in demos answers the
verbs of the ready-made clients. Verbs may run beside each other. An error of the kernel is a *result* with its
\`errno\`; an unknown verb, or one with wrong parameters, is answered with an error whose \`data.errno\` is
EINVAL.
`,
    `
A lab may also be taken back to an earlier moment. A client that has done or heard nothing since is left as it is;
the others are asked for the \`moments\` that they keep, and then to \`reset\` to one of them, or to begin anew.
`,
    objectPart({ title: 'client moment', schema: ClientMoment }),
    '### Verbs of a device',
    `
These are what scenarios ask for, live and in \`certify\`. One that a device refuses with EINVAL is asked of it no
more; if there is another verb that comes close, that one is asked. A \`range\` has at most ${RANGE_PAGES_MAX} pages,
and \`values\` are as many as its pages. A verb that collides with invalidations again and again may give up with
EBUSY.
`,
    table(
      ['verb', 'params', 'what it does', 'result', 'instead'],
      verbs.device.flatMap((verb) =>
        verb.instead === undefined ? [] : [[...verbRow(verb), verb.instead]],
      ),
    ),
    'These are what conductors ask for besides:',
    verbTable(verbs.device.filter(({ instead }) => instead === undefined)),
    `
\`values\` are u64 as 0x-hexadecimal strings, one a page: the page begins with it and is zeros behind it.
\`cpages\` counts pages, \`faults\` how often the device had to fault. Every result has \`errno\`, \`"OK"\` or a
name; if it is not \`"OK"\`, nothing else. \`prot\` has one word a page: \`none\`, \`error\`, or \`read\` or
\`write\`, with \`zero+\` or \`dev-private-local+\` before and \`+pmd\` behind it.

The ready-made devices do as lib/test_hmm.c does, also in two oddities that recorded traces of Linux show: an
\`invalidate\` takes one page more than its range, and kernel calls take 64 pages at a time. A device need not.
`,
    '### Verbs of a CPU',
    verbTable(verbs.cpu),
  ]);
}

function verbTable(verbs: readonly VerbNote[]): string {
  return table(['verb', 'params', 'what it does', 'result'], verbs.map(verbRow));
}

function verbRow({ verb, fields, meaning, result }: VerbNote): string[] {
  const params = fieldRows(fields)
    .filter(({ path }) => !path.includes('.'))
    .map(({ path, type }) => `\`${path}\`: ${type}`);
  return [`\`${verb}\``, params.join('; '), meaning, result];
}
