import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SCHEMA_FILE, scenarioSchemaText } from './schema-file.ts';

test('the published schema is the one that scenarios are checked with', () => {
  const published = readFileSync(new URL(`../../${SCHEMA_FILE}`, import.meta.url), 'utf8');
  assert.deepEqual(JSON.parse(published), JSON.parse(scenarioSchemaText()), 'run: npm run docs');
});
