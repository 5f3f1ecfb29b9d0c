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
import { BadUserCode } from './bad-user-code.ts';
import { guardedPatch } from './guard-user-code.ts';
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
  const lines = found.split('\n').filter((line) => !/^(?:$|\/\/ |import )/.test(line));
  assert.ok(lines.length <= 10, `${name} has more than ten lines`);
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
    /^OR(2|10): .*the TLB of/,
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
    /: flushTlbRange\(\) calls stock\.flushTlbRange\(\) without yield\*/,
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

/** A patch of DONTNEED whose override has this body, as a user's file; `head` stands above it. */
function patchFile(name: string, body: string, head = ''): string {
  return file(
    name,
    `${head}export const patch = { overrides: (stock) => ({
      *zapPageRange(k, mm, range, event) { ${body} }, }) };`,
  );
}

const DONE = 'yield* stock.zapPageRange(k, mm, range, event);';

test('[OR5] a loop that lets no task run is a livelock by its turns, whatever the clock says', async () => {
  const path = patchFile('endless.ts', 'for (;;) if (k.mms.size === 77) return;');
  const failure = firstFailure('retry-ignored', { patches: [await loadPatch(path)] });
  assert.match(failure, /^OR5: livelock: cpu0 \(.*endless\.ts:2\) goes round without end/);
  const helper = patchFile('counts.ts', `for (let n = 0; n < 1_000; n += 1); ${DONE}`);
  assert.equal(firstFailure('retry-ignored', { patches: [await loadPatch(helper)] }), 'none');
  const atOnce = file('at-once.ts', 'for (;;); export {};');
  await assert.rejects(loadPatch(atOnce), /at-once\.ts:1: cannot be loaded: LoopWithoutEnd/);
});

test('a forgotten yield* before k.fn and before imported helpers is told so', async () => {
  file(
    'helper.ts',
    'export function* helper(k, mm, range) { yield* k.fn.flushTlbRange(k, mm, range); }',
  );
  const head = "import { helper } from './helper.ts';\n";
  const bodies: readonly (readonly [body: string, said: RegExp])[] = [
    [`${DONE} k.fn.flushTlbRange(k, mm, range);`, /calls k\.fn\.flushTlbRange\(\) without yield\*/],
    [`${DONE} if (helper(k, mm, range).ok) return;`, /calls helper\(\) without yield\*/],
    [`${DONE} const { a } = helper(k, mm, range); a.b();`, /calls helper\(\) without yield\*/],
  ];
  for (const [at, [body, said]] of bodies.entries()) {
    const patch = await loadPatch(patchFile(`forgot-${at}.ts`, body, head));
    assert.match(firstFailure('retry-ignored', { patches: [patch] }), said);
  }
  const right = `yield* helper(k, mm, range); for (const x of [...helper(k, mm, range)]) void x; ${DONE}`;
  const patch = await loadPatch(patchFile('right.ts', right, head));
  assert.equal(firstFailure('retry-ignored', { patches: [patch] }), 'none');
});

test('both passes of a driver are asked, and a mistake in the second is told with its file', async () => {
  const late = file(
    'late.ts',
    `import { twoPassLateSequence } from 'mmrace/drivers/catalogue/two-pass';
     export const driver = { ...twoPassLateSequence, id: 'late' };`,
  );
  const drivers = new Map([['*', await loadDriver(late)]]);
  assert.equal(firstFailure('retry-ignored', { kernel: '6.12', drivers }), 'none');
  assert.match(firstFailure('retry-ignored', { kernel: 'mainline', drivers }), /^OR1: /);
  const throwing = file(
    'throws-late.ts',
    `import { twoPass } from 'mmrace/drivers/catalogue/two-pass';
     export const driver = {
       id: 'throws-late',
       newDevice(options) {
         const made = twoPass.newDevice(options);
         const { callbacks } = made;
         return {
           ...made,
           callbacks: {
             ...callbacks,
             *invalidateStart(...args) {
               yield* callbacks.invalidateStart(...args);
               return function* () { throw new Error('second pass'); };
             },
           },
         };
       },
     };`,
  );
  const bad = new Map([['*', await loadDriver(throwing)]]);
  assert.match(
    firstFailure('retry-ignored', { kernel: 'mainline', drivers: bad }),
    /throws-late\.ts:13: driver throws-late: invalidateStart\(\) throws Error: second pass/,
  );
});
