import type { Type } from 'typebox';
import { EventBody, MirrorView, PteView } from '../../abi/event.ts';
import { LabControl, TaskEntry } from '../../protocol/lab-control.ts';
import { LabSnapshot } from '../../protocol/lab-snapshot.ts';
import { paragraphs, table } from '../markdown.ts';
import { fieldRows, typeText } from '../markdown-schema.ts';
import { objectPart, untitled } from './value-chapter.ts';

interface Branch {
  readonly description?: string;
  readonly properties: { readonly kind: { readonly const: string } };
}

/** What an observer gets: snapshot, events, control. */
export function observerChapter(): string {
  return paragraphs([
    '## What an observer hears',
    `
The answer to its hello has a snapshot; then come \`events\`, in batches, as they happen, and \`control\`. An
observer asks nothing, and sends nothing but \`ack\`. One that reads too slowly misses batches and gets a
\`snapshot\` when it has caught up. An *event* has \`n\` (counts from 1, without gaps), \`actor\` (who acted),
\`task\` (the task's name), \`kind\`, and the fields of its kind:
`,
    table(['kind', 'meaning', 'fields'], branches().map(eventRow)),
    'A value (*u64*) is the one at the start of the page; pages are page indices, also for CPUs.',
    `A *pte view* is ${typeText(untitled(PteView))}.`,
    `A *mirror view* is ${typeText(untitled(MirrorView))}.`,
    objectPart({ title: 'lab snapshot', schema: LabSnapshot }),
    objectPart({ title: 'lab control', schema: LabControl }),
    objectPart({ title: 'task entry', schema: TaskEntry }),
  ]);
}

function eventRow(branch: Branch): string[] {
  const fields = fieldRows(branch as unknown as Type.TSchema).filter(
    ({ path }) => path !== 'kind' && !path.includes('.'),
  );
  return [
    `\`${branch.properties.kind.const}\``,
    branch.description ?? '',
    fields.map(({ path, type }) => `\`${path}\`: ${type}`).join('; '),
  ];
}

function branches(): readonly Branch[] {
  return (EventBody as unknown as { readonly anyOf: readonly Branch[] }).anyOf;
}
