/** Patches and drivers of users: the examples of the manual run, and what is no patch is told apart. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { search } from '../explorer/search.ts';
import { STOCK } from '../kernel/stock.ts';
import type { Patch } from '../patches/patch.ts';
import { describeFailure } from '../report/describe-failure.ts';
import { BadUserCode, guardedPatch } from './guard-user-code.ts';
import { readScenario } from './read-scenario.ts';
import { AS_WRITTEN, planScenario, type ScenarioChoice } from './scenario-plan.ts';
import { newScenarioRun, stepsMaxOf } from './scenario-world.ts';
import { loadDriver, loadPatch } from './user-code.ts';
import { printProblem } from './yaml-source.ts';

const ROOT = new URL('../../', import.meta.url);
const MANUAL = readFileSync(new URL('docs/SCENARIOS.md', ROOT), 'utf8');
const FOLDER = mkdtempSync(join(tmpdir(), 'mmrace-user-code-'));
after(() => rmSync(FOLDER, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(FOLDER, name);
  writeFileSync(path, text);
  return path;
}

/** The code of the manual that begins with a comment of this name. */
function fromManual(name: string): string {
  const blocks = [...MANUAL.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] as string);
  const found = blocks.find((block) => block.startsWith(`// ${name}\n`));
  assert.ok(found !== undefined, name);
  assert.ok(found.trim().split('\n').length <= 11, `${name} has more than ten lines`);
  return file(name, found);
}

function firstFailure(name: string, choice: Partial<ScenarioChoice>): string {
  const path = `scenarios/${name}.yaml`;
  const read = readScenario(readFileSync(new URL(path, ROOT), 'utf8'), path);
  if (!read.ok) assert.fail(read.problems.map(printProblem).join('\n'));
  const plan = planScenario(read.scenario, { ...AS_WRITTEN, ...choice });
  const { counterexample } = search(() => newScenarioRun(plan), {
    strategy: 'dpor',
    stepsMax: stepsMaxOf(plan),
    counterexamples: 'first',
    goOn: ({ executions }) => (executions < 2_000 ? 'go on' : 'stop'),
  });
  return counterexample === 'none' ? 'none' : describeFailure(counterexample.failure);
}

test('the patch of the manual breaks what held', async () => {
  const patch = await loadPatch(fromManual('lazy-flush.ts'));
  assert.equal(patch.id, 'lazy-flush');
  assert.equal(firstFailure('collect-flush-after-unlock', {}), 'none');
  assert.match(
    firstFailure('collect-flush-after-unlock', { patches: [patch] }),
    /^OR2: the TLB of/,
  );
});

test('the driver of the manual runs', async () => {
  const driver = await loadDriver(fromManual('map-late.ts'));
  assert.equal(driver.id, 'map-late');
  const drivers = new Map([['dev0', driver]]);
  assert.match(firstFailure('own-refault', { drivers }), /^OR1: /);
});

test('the scenario of the manual is one', () => {
  const yaml = /```yaml\n([\s\S]*?)```/.exec(MANUAL)?.[1] ?? '';
  const read = readScenario(yaml, 'docs/SCENARIOS.md');
  assert.deepEqual(read.ok ? [] : read.problems.map(printProblem), []);
});

test('what is no patch is refused, with the file and what is wrong', async () => {
  const cases: readonly (readonly [text: string, said: RegExp])[] = [
    ['export const pach = {};', /expected "export const patch = \{ ... \}"; it exports pach/],
    ['export {};', /it exports nothing/],
    ['export const patch = {};', /expected patch.overrides, a function/],
    ['export const patch = { overrides: () => ({}) };', /overrides no kernel function/],
    ['export const patch = { overrides: () => 7 };', /returns no object/],
    [
      'export const patch = { overrides: () => ({ munmapp: 1 }) };',
      /no kernel function "munmapp"; did you mean "munmap"/,
    ],
    ['export const patch = { overrides: () => ({ munmap: 1 }) };', /munmap is no function/],
    [
      "export const patch = { overrides() { throw new Error('oh'); } };",
      /patch.overrides throws: Error: oh/,
    ],
    ["throw new Error('at once');", /cannot be loaded: Error: at once/],
    ["import './nowhere-else.ts';", /Cannot find module .*; the path in an import begins at/],
    ['export const patch = {', /cannot be loaded: .*(?:Syntax|Unexpected)/],
  ];
  for (const [at, [text, said]] of cases.entries()) {
    const path = file(`bad-${at}.ts`, text);
    await assert.rejects(loadPatch(path), (error: unknown) => {
      assert.ok(error instanceof BadUserCode);
      assert.ok(error.message.startsWith(path));
      assert.match(error.message, said);
      return true;
    });
  }
  const common = join(FOLDER, 'common');
  mkdirSync(common);
  file('common/package.json', '{ "type": "commonjs" }');
  const patch = file('common/mine.ts', 'export const patch = {};');
  await assert.rejects(loadPatch(patch), /makes it CommonJS, so call it mine\.mts$/);
  await assert.rejects(loadPatch(join(FOLDER, 'nowhere.ts')), /there is no such file/);
  await assert.rejects(
    loadDriver(file('no-driver.ts', 'export const driver = {};')),
    /driver.newDevice/,
  );
});

const FORGETS: readonly (readonly [what: string, body: string, said: RegExp])[] = [
  [
    'a call of stock',
    'stock.flushTlbRange(k, mm, range);',
    /calls stock\.flushTlbRange\(\) without yield\*/,
  ],
  ['its result', 'if (!stock.flushTlbRange(k, mm, range).value.ok) return;', /without yield\*/],
  ['a star', 'yield stock.flushTlbRange(k, mm, range);', /yields a task: write yield\* instead/],
  ['all, and returns', 'return stock.flushTlbRange(k, mm, range);', /without yield\*/],
];

for (const [what, body, said] of FORGETS) {
  test(`a patch that forgets yield* (${what}) is told so`, () => {
    const overrides: Patch['overrides'] = new Function(
      `return (stock) => ({ *flushTlbRange(k, mm, range) { ${body} } })`,
    )();
    const patch = { id: 'mine', provenance: 'a test', summary: 'forgets', overrides };
    const own = guardedPatch(file('forgets.ts', 'flushTlbRange'), patch).overrides(
      STOCK,
    ).flushTlbRange;
    assert.throws(
      () => [...(own?.({} as never, { tlbs: [], id: 0 } as never, {} as never) ?? [])],
      said,
    );
  });
}
