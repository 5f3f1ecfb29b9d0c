/** `npm run docs`: writes the documents that are made from the schemas. A test fails while a file is stale. */
import { writeFileSync } from 'node:fs';
import { generatedDocs } from './generated-docs.ts';

for (const { path, text } of generatedDocs()) {
  writeFileSync(new URL(`../../${path}`, import.meta.url), text);
  process.stderr.write(`${path}\n`);
}
