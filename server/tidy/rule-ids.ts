import { type Complaint, complain, type SourceFile } from './source-file.ts';

const INVARIANT_ID = /\binvariant\(/g;
const ID = '[A-Z]{2}[0-9]+';

/** The rules as docs/SPEC.md states them: rows `| LK1 | a lock has ... |`. */
export function rulesInSpec(spec: string): Map<string, string> {
  const rules = new Map<string, string>();
  for (const match of spec.matchAll(new RegExp(`^\\| (${ID}) \\| (.+?) \\|`, 'gm'))) {
    rules.set(match[1] as string, (match[2] as string).trim());
  }
  return rules;
}

/** Differences between rules.ts and docs/SPEC.md. */
export function complainOfSpec(rules: Readonly<Record<string, string>>, spec: string): string[] {
  const inSpec = rulesInSpec(spec);
  const missing = Object.entries(rules).flatMap(([id, sentence]) => {
    const stated = inSpec.get(id);
    if (stated === undefined) return [`docs/SPEC.md lacks ${id}: ${sentence}`];
    return stated === sentence
      ? []
      : [`docs/SPEC.md states ${id} as "${stated}", not "${sentence}"`];
  });
  const unknown = [...inSpec.keys()].filter((id) => !(id in rules));
  return [...missing, ...unknown.map((id) => `docs/SPEC.md has ${id}, which rules.ts lacks`)];
}

/** Ids in invariant() calls that rules.ts does not know. */
export function complainOfUnknownIds(
  file: SourceFile,
  rules: Readonly<Record<string, string>>,
): Complaint[] {
  if (file.role !== 'code') return [];
  return invariantIdsOf(file)
    .filter(({ id }) => !(id in rules))
    .map(({ id, position }) => complain(file, position, `${id} is no rule of rules.ts`));
}

function invariantIdsOf(file: SourceFile): { id: string; position: number }[] {
  return [...file.code.matchAll(INVARIANT_ID)].flatMap((call) => {
    const statement = file.uncommented.slice(call.index).split(';')[0] ?? '';
    const id = new RegExp(`,\\s*'(${ID})'`).exec(statement);
    return id === null ? [] : [{ id: id[1] as string, position: call.index + id.index }];
  });
}

/** The ids that stand in the titles of tests. */
export function idsInTestTitles(files: readonly SourceFile[]): Set<string> {
  const ids = new Set<string>();
  for (const file of files) {
    if (file.role !== 'test') continue;
    for (const call of file.code.matchAll(/\b(?:test|it|describe)\(\s*(['"`])/g)) {
      const first = call.index + call[0].length;
      const title = file.text.slice(first, file.code.indexOf(call[1] as string, first));
      for (const id of title.matchAll(new RegExp(`\\b${ID}\\b`, 'g'))) ids.add(id[0]);
    }
  }
  return ids;
}
