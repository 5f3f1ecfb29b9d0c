import { op, Scenario, setupOp } from './scenario-schema.ts';

/** Where the schema is published, from the root of the repository. */
export const SCHEMA_FILE = 'scenarios/scenario.schema.json';

const SHARED: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [op, 'op'],
  [setupOp, 'setupOp'],
]);

/** scenarios/scenario.schema.json: for editors, and for programs that write scenarios. */
export function scenarioSchemaText(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'scenario.schema.json',
    title: 'An mmrace scenario',
    description: 'A race as data: see docs/SCENARIOS.md.',
    ...Scenario,
    $defs: { op: { ...op }, setupOp: { ...setupOp } },
  };
  const named = (_key: string, value: unknown): unknown => {
    const name = SHARED.get(value);
    return name === undefined ? value : { $ref: `#/$defs/${name}` };
  };
  return `${JSON.stringify(schema, named, 2)}\n`;
}
