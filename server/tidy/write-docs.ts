/**
 * `npm run docs`: writes the documents that are made from the schemas, and the schema of scenarios, which is formatted
 * afterwards. A test fails while a file is stale.
 */
import { writeFileSync } from 'node:fs';
import { SCHEMA_FILE, scenarioSchemaText } from '../scenario/schema-file.ts';
import { generatedDocs } from './generated-docs.ts';

const schema = { path: SCHEMA_FILE, text: scenarioSchemaText() };
for (const { path, text } of [...generatedDocs(), schema]) {
  writeFileSync(new URL(`../../${path}`, import.meta.url), text);
  process.stderr.write(`${path}\n`);
}
