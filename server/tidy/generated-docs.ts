/** The documents that are made from the schemas, by their place in the repository. */
import { readFileSync } from 'node:fs';
import { CPU_VERB_NOTES, DEVICE_VERB_NOTES } from '../../clients/agents/verb-notes.ts';
import { manPage } from '../../clients/cli/completion/man-page.ts';
import { newProgram } from '../../clients/cli/program.ts';
import { protocolDocument } from '../documents/protocol-document.ts';
import { type CoverageRow, coverageTable } from '../verify/coverage/coverage-table.ts';

const ROOT = new URL('../../', import.meta.url);
/** Between these lines of docs/COVERAGE.md stands what `npm run coverage` has recorded. */
const RECORDED = /(<!-- recorded: docs\/coverage\.jsonl -->\n)[\s\S]*(\n<!-- end -->)/;
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
    { path: 'docs/COVERAGE.md', text: coveragePage() },
  ];
}

function coveragePage(): string {
  const recorded = readFileSync(new URL('docs/coverage.jsonl', ROOT), 'utf8');
  const rows = recorded
    .trimEnd()
    .split('\n')
    .map((line): CoverageRow => JSON.parse(line));
  const page = readFileSync(new URL('docs/COVERAGE.md', ROOT), 'utf8');
  return page.replace(
    RECORDED,
    (_, before, after) => `${before}\n${coverageTable(rows)}\n${after}`,
  );
}
