/** node server/scenario/write-schema.ts: publishes the schema of scenarios. Format it afterwards. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SCHEMA_FILE, scenarioSchemaText } from './schema-file.ts';

writeFileSync(
  fileURLToPath(new URL(`../../${SCHEMA_FILE}`, import.meta.url)),
  scenarioSchemaText(),
);
