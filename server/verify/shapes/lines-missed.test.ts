import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ShapeAnswer } from './ask-catalogue.ts';
import { linesMissed } from './lines-missed.ts';
import { shapeNamed } from './shapes.ts';

const RARE = `
export const patch = {
  id: 'mine', provenance: 'a test', summary: 'a test',
  overrides: (stock) => ({
    *handleMmFault(k, request) {
      if (k.frames === request) {
        globalThis.neverHeardOf = 'so far';
      }
      return yield* stock.handleMmFault(k, request);
    },
  }),
};
`;

function holding(name: string): ShapeAnswer {
  return {
    shape: shapeNamed(name),
    word: 'holds',
    executions: 2,
    why: '',
    called: ['handleMmFault'],
  };
}

test('a line of the patch that runs in none of the shapes is named, and one that runs is not', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mmrace-lines-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const patch = join(folder, 'rare.mjs');
  writeFileSync(patch, RARE);
  const asked = { patch, drivers: [], parameters: {} };
  const options = { executions: 20, interrupted: new AbortController().signal };
  const answers = ['none:load', 'none:store', 'present:load', 'none:load+store'].map(holding);
  assert.deepEqual(await linesMissed(asked, answers, options), [{ file: 'rare.mjs', lines: [7] }]);
  const usual = join(folder, 'usual.mjs');
  writeFileSync(usual, RARE.replace('===', '!=='));
  assert.deepEqual(await linesMissed({ ...asked, patch: usual }, answers, options), []);
});
