/** A unit is a function of what it is given: its name, its parts, the code that comes along, and how long it takes. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { partNumber, partsOf } from '../verify/explore/sampled-parts.ts';
import { BadInput } from '../vocabulary/bad-input.ts';
import { bundled, choiceIn, isWhereItWas, originFolder, unpack } from './code-bundle.ts';
import { campaignEstimate } from './estimate.ts';
import { batchesOf, type CampaignQuestion, unitsOf } from './question.ts';
import { partsIn, rangesOf } from './sampled-range.ts';
import { type SampleUnit, type ShapeUnit, unitId, unitStream } from './unit.ts';
import { valueIn, valueText } from './value-text.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'mmrace-campaign-test-'));
const ROOT = new URL('../../', import.meta.url).href;

after(() => rmSync(FOLDER, { recursive: true }));

test('a unit is named by all that its answer hangs on, in whatever order that is written', () => {
  const unit: ShapeUnit = { kind: 'shape', core: 'c', shape: 'none:load', executions: 300 };
  const turned: ShapeUnit = { executions: 300, shape: 'none:load', core: 'c', kind: 'shape' };
  assert.equal(unitId('m', turned), unitId('m', unit));
  const names = [
    unitId('m', unit),
    unitId('other', unit),
    unitId('m', { ...unit, core: 'd' }),
    unitId('m', { ...unit, shape: 'none:store' }),
    unitId('m', { ...unit, executions: 301 }),
  ];
  assert.equal(new Set(names).size, names.length);
});

test('parts of one random search belong together, whichever executions they have', () => {
  const part: SampleUnit = {
    kind: 'sample',
    core: 'c',
    strategy: 'pct',
    seed: 1,
    depth: 3,
    first: 0,
    executions: 1_000,
  };
  assert.equal(unitStream({ ...part, first: 1_000, executions: 7 }), unitStream(part));
  assert.notEqual(unitStream({ ...part, seed: 2 }), unitStream(part));
});

test('a random search in units has the parts that it has in one piece', () => {
  for (const [executions, skipped] of [
    [1, 0],
    [1_000, 0],
    [2_345, 400],
  ] as const) {
    assert.deepEqual(
      rangesOf(executions, skipped).flatMap(partsIn),
      Array.from({ length: partsOf(executions) }, (_, part) =>
        partNumber(part, executions, skipped),
      ),
    );
  }
});

test('what is sent as text comes back', () => {
  const value = { map: new Map([[1, new Set(['a'])]]), least: Number.NEGATIVE_INFINITY, n: 5n };
  assert.deepEqual(valueIn(valueText(value)), value);
});

test('batches have every unit once, and what may take long comes first', () => {
  const shapes = ['none:load', 'none:store', 'none:load+store'];
  const search = { core: 's', seed: 1, depth: 3, name: 's', patch: 'stock', drivers: [] } as const;
  const questions: CampaignQuestion[] = [
    { kind: 'shapes', core: 'k', shapes, executions: 300, patch: 'stock' },
    { kind: 'scenario', ...search, strategy: 'pct', executions: 1_500, skipExecutions: 0 },
    { kind: 'scenario', ...search, strategy: 'dpor', executions: 9, skipExecutions: 0 },
  ];
  const units = questions.flatMap(unitsOf);
  const batches = batchesOf(units);
  const names = (of: typeof units) => of.map((unit) => unitId('m', unit)).toSorted();
  assert.deepEqual(names(batches.flat()), names(units));
  assert.deepEqual(
    batches.map((batch) => batch.map(({ kind }) => kind)),
    [['answer'], ['sample'], ['sample'], ['shape'], ['shape', 'shape']],
  );
});

test('own code goes along with what it imports, and imports of the program by their names', async () => {
  mkdirSync(join(FOLDER, 'parts'));
  const number = join(FOLDER, 'parts/number.ts');
  const patch = join(FOLDER, 'mine.ts');
  writeFileSync(number, 'export const number = 42;\n');
  writeFileSync(
    patch,
    `// import { gone } from './gone.ts';
import { number } from './parts/number.ts';
import { ok } from '${ROOT}server/vocabulary/errno.ts';
export const patch = { number, ok, overrides: () => ({}) };\n`,
  );
  const choice = { patch: `stock + ${patch}`, drivers: [`reader=${patch}`], parameters: {} };
  const { bundle, choices, origins } = bundled([choice]);
  assert.deepEqual(choices, [
    { patch: './mine.ts', drivers: ['reader=./mine.ts'], parameters: {} },
  ]);
  assert.deepEqual(Object.keys(bundle.files).toSorted(), ['mine.ts', 'parts/number.ts']);
  assert.match(bundle.files['mine.ts'] ?? '', /from 'mmrace\/vocabulary\/errno.ts'/);
  assert.ok(isWhereItWas(bundle, origins));
  assert.equal(choiceIn(choices[0] ?? choice, originFolder(origins)).patch, patch);
  const elsewhere = join(FOLDER, 'elsewhere');
  unpack(bundle, elsewhere);
  assert.equal(
    readFileSync(join(elsewhere, 'parts/number.ts'), 'utf8'),
    'export const number = 42;\n',
  );
  writeFileSync(number, 'export const number = 43;\n');
  assert.ok(!isWhereItWas(bundle, origins));
});

test('code that workers could not run is refused before it is sent, and no path leads out of its folder', () => {
  const patch = join(FOLDER, 'wants.ts');
  const choice = { patch, drivers: [], parameters: {} };
  for (const [text, said] of [
    ["import 'left-pad';", /imports the package left-pad/],
    [`import '${ROOT}server/verify/explore/explore.ts';`, /which is no API/],
    ["import './nowhere.ts';", /nowhere.ts: there is no such file/],
  ] as const) {
    writeFileSync(patch, text);
    assert.throws(() => bundled([choice]), said);
  }
  assert.throws(() => unpack({ files: { '../out.ts': '' } }, join(FOLDER, 'in')), BadInput);
});

test('an estimate is as wide as what was measured, and none where nothing can be known', () => {
  const seen = [
    { at: 0, left: 200 },
    { at: 10_000, left: 100 },
  ];
  const times = { shape: { units: 100, ms: 100_000, squares: 100_000_000 } };
  const even = { left: 100, searchesLeft: 0, times };
  assert.deepEqual(campaignEstimate(even, seen), { rate: 10, seconds: { least: 10, most: 10 } });
  const uneven = { ...even, times: { shape: { ...times.shape, squares: 1_000_000_000 } } };
  const { seconds } = campaignEstimate(uneven, seen);
  assert.ok(seconds !== 'unknown' && seconds.least < 8 && seconds.most > 12);
  assert.equal(campaignEstimate({ ...even, searchesLeft: 1 }, seen).seconds, 'unknown');
  assert.equal(campaignEstimate(even, [{ at: 0, left: 100 }]).seconds, 'unknown');
  const few = { ...even, times: { shape: { units: 9, ms: 9_000, squares: 9_000_000 } } };
  assert.equal(campaignEstimate(few, seen).seconds, 'unknown');
});
