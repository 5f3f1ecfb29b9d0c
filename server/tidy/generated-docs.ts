/** The documents that are made from the schemas, by their place in the repository. */
import { readFileSync } from 'node:fs';
import { CPU_VERB_NOTES, DEVICE_VERB_NOTES } from '../../clients/agents/verb-notes.ts';
import { manPage } from '../../clients/cli/completion/man-page.ts';
import { newProgram } from '../../clients/cli/program.ts';
import { protocolDocument } from '../documents/protocol-document.ts';
import { allMutants } from '../mutants/mutants.ts';
import { mutantsTable } from '../mutants/mutants-report.ts';
import { confirmedDocument } from '../report/confirmed.ts';
import { type Exhibit, museumDocument } from '../report/museum.ts';
import {
  shippedScenario,
  shippedScenarioNames,
  shippedScenarioPath,
} from '../scenario/shipped-scenarios.ts';
import { coverageTable } from '../verify/coverage/coverage-table.ts';

const ROOT = new URL('../../', import.meta.url);
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
    { path: 'docs/CONFIRMED.md', text: confirmedDocument(jsonLines('scenarios/confirmed.jsonl')) },
    {
      path: 'docs/MUSEUM.md',
      text: museumDocument(jsonLines('scenarios/museum/races.jsonl'), exhibits()),
    },
  ];
}

function exhibits(): Exhibit[] {
  return shippedScenarioNames().flatMap((name): Exhibit[] => {
    const scenario = shippedScenario(name);
    if (scenario === 'none' || scenario.museum === undefined) return [];
    return [{ ...scenario, museum: scenario.museum, file: shippedScenarioPath(name) }];
  });
}

function coveragePage(): string {
  const tables = [
    { file: 'docs/coverage.jsonl', table: coverageTable(jsonLines('docs/coverage.jsonl')) },
    {
      file: 'docs/mutants.jsonl',
      table: mutantsTable(allMutants(), jsonLines('docs/mutants.jsonl')),
    },
  ];
  return tables.reduce(
    (page, { file, table }) =>
      page.replace(recorded(file), (_, before, after) => `${before}\n${table}\n${after}`),
    readFileSync(new URL('docs/COVERAGE.md', ROOT), 'utf8'),
  );
}

/** Between these lines of docs/COVERAGE.md stands what a command has recorded in `file`. */
function recorded(file: string): RegExp {
  return new RegExp(`(<!-- recorded: ${RegExp.escape(file)} -->\\n)[\\s\\S]*?(\\n<!-- end -->)`);
}

function jsonLines<T>(file: string): T[] {
  return readFileSync(new URL(file, ROOT), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line): T => JSON.parse(line));
}
