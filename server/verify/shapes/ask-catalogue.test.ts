import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { askCatalogue, type CatalogueOptions, type CatalogueQuestion } from './ask-catalogue.ts';
import { catalogueReport } from './catalogue-report.ts';
import { shapeNamed } from './shapes.ts';

const STOCK = { patch: 'stock', drivers: [], parameters: {} };
const AFTER = { ...STOCK, patch: 'eagain-without-end' };
const SHAPES = [
  'none:load',
  'none:oom-reap',
  'present:load+load',
  'present-mirrored:oom-reap+oom-reap',
];

const QUESTION: CatalogueQuestion = {
  before: STOCK,
  after: AFTER,
  changed: ['mmuNotifierInvalidateRangeStart'],
  shapes: SHAPES.map(shapeNamed),
  executions: 100,
  stopAfter: 5,
};

function options(more: Partial<CatalogueOptions> = {}): CatalogueOptions {
  return {
    workers: 1,
    cache: 'none',
    interrupted: new AbortController().signal,
    goOn: () => 'go on',
    onAnswer: () => undefined,
    ...more,
  };
}

function wordsOf(answers: Awaited<ReturnType<typeof askCatalogue>>) {
  return Object.fromEntries(answers.map(({ shape, word }) => [shape.name, word]));
}

test('what appeared, what holds and what is not reached are told apart, with any number of threads', async () => {
  const one = await askCatalogue(QUESTION, options());
  assert.deepEqual(wordsOf(one), {
    'none:load': 'not reached',
    'none:oom-reap': 'holds',
    'present:load+load': 'not reached',
    'present-mirrored:oom-reap+oom-reap': 'appeared',
  });
  assert.deepEqual(await askCatalogue(QUESTION, options({ workers: 2 })), one);
  const report = catalogueReport(QUESTION, one);
  assert.equal(report.verdict, 'broken');
  assert.deepEqual(
    report.found.map(({ name }) => name),
    ['present-mirrored:oom-reap+oom-reap'],
  );
});

test('an answer that is kept is not asked again, and one that was not reached costs nothing', async (t) => {
  const cache = mkdtempSync(join(tmpdir(), 'mmrace-catalogue-'));
  t.after(() => rmSync(cache, { recursive: true }));
  const first = await askCatalogue(QUESTION, options({ cache }));
  const kept = readdirSync(join(cache, 'shapes')).map(
    (name) => statSync(join(cache, 'shapes', name)).size,
  );
  assert.deepEqual(await askCatalogue(QUESTION, options({ cache })), first);
  const now = readdirSync(join(cache, 'shapes')).map(
    (name) => statSync(join(cache, 'shapes', name)).size,
  );
  assert.deepEqual(now, kept);
  const stopped = new AbortController();
  stopped.abort();
  const interrupted = await askCatalogue(QUESTION, options({ interrupted: stopped.signal }));
  assert.deepEqual(interrupted, []);
});

test('it is enough where so many have appeared: the rest is not asked, and is told to be missing', async () => {
  const shapes = ['present-mirrored:oom-reap+oom-reap', 'none:load+load', 'swap:load+load'];
  const question = { ...QUESTION, shapes: shapes.map(shapeNamed), stopAfter: 1 };
  const answers = await askCatalogue(question, options());
  assert.equal(answers.at(-1)?.word, 'appeared');
  assert.deepEqual(await askCatalogue(question, options({ workers: 3 })), answers);
  const late = catalogueReport(
    QUESTION,
    await askCatalogue(QUESTION, options({ goOn: () => 'stop' })),
  );
  assert.equal(late.verdict, 'unknown');
  assert.equal(late.notTried.shapes, SHAPES.length);
});

test('a kernel alone holds where every shape does, and is compared with nothing', async () => {
  const shapes = ['none:load', 'none:load+load'].map(shapeNamed);
  const question = { ...QUESTION, after: STOCK, changed: [], shapes };
  const answers = await askCatalogue(question, options());
  assert.deepEqual(wordsOf(answers), { 'none:load': 'holds', 'none:load+load': 'holds' });
  assert.equal(catalogueReport(question, answers).verdict, 'holds');
});
