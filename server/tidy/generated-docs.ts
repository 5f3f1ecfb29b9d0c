/** The documents that are made from the schemas, by their place in the repository. */
import { CPU_VERB_NOTES, DEVICE_VERB_NOTES } from '../../clients/agents/verb-notes.ts';
import { manPage } from '../../clients/cli/completion/man-page.ts';
import { newProgram } from '../../clients/cli/program.ts';
import { protocolDocument } from '../documents/protocol-document.ts';

const MANUAL = manPage(await newProgram());

export interface GeneratedDoc {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

export function generatedDocs(): readonly GeneratedDoc[] {
  const verbs = { device: DEVICE_VERB_NOTES, cpu: CPU_VERB_NOTES };
  return [
    { path: 'docs/PROTOCOL.md', text: protocolDocument({ verbs }) },
    { path: 'docs/mmrace.1', text: MANUAL },
  ];
}
