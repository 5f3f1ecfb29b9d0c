/**
 * The house rules, as tests. Each check is shown a bad sample first: a checker that has never failed is not known
 * to work.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LOCK_ORDER } from '../task/lock-class.ts';
import { RULES } from '../vocabulary/rules.ts';
import { exportedTwice } from './exported-twice.ts';
import { FLOORS } from './floors.ts';
import { complainOfForgottenYields } from './forgotten-yield.ts';
import { complainOfHouseRules } from './house-rules.ts';
import { complainOfCircles, complainOfFloorList, complainOfFloors } from './imports.ts';
import { complainOfImpurity } from './pure-floors.ts';
import { complainOfSpec, complainOfUnknownIds, idsInTestTitles } from './rule-ids.ts';
import { type Complaint, printComplaint, readSources, sourceFile } from './source-file.ts';
import { taskNames } from './task-names.ts';
import { complainOfYieldPoints } from './yield-points.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCES = readSources(ROOT);
const SPEC = readFileSync(new URL('../../docs/SPEC.md', import.meta.url), 'utf8');
const LOCKING = readFileSync(new URL('../../docs/LOCKING.md', import.meta.url), 'utf8');

/** Rules that no test shows yet. To be emptied. */
const RULES_WITHOUT_TEST: readonly string[] = [];

/** Circles that are left. To be emptied. */
const KNOWN_CIRCLES: readonly string[] = [];

/** Exported names that are declared in two files; to go down only. */
const TWICE_MAX = 54;

function noComplaints(complaints: readonly Complaint[]): void {
  assert.deepEqual(complaints.map(printComplaint), []);
}

/** The lines of `text`, which stands in for a file at `path`, that `check` complains of. */
function linesOf(complaints: readonly Complaint[]): number[] {
  return [...new Set(complaints.map((complaint) => complaint.line))].sort((a, b) => a - b);
}

test('the floors form no circle', () => {
  assert.deepEqual(complainOfFloorList(), []);
});

test('a floor that uses one behind it is found', () => {
  const [first, second] = FLOORS;
  assert.ok(first !== undefined && second !== undefined);
  const upward = { ...first, uses: [second.folder] };
  assert.deepEqual(complainOfFloorList([upward, { ...second, testsAlsoUse: [] }]), [
    `${first.folder} uses ${second.folder}, which does not stand before it`,
  ]);
});

test('each file imports only the floors it stands on', () => {
  noComplaints(SOURCES.flatMap(complainOfFloors));
});

test('an import upward, of a node module or of a foreign package is found', () => {
  const bad = `import { Scheduler } from '../scheduler/scheduler.ts';
import type { Pte } from './pte.ts';
import { readFileSync } from 'node:fs';
import {
  WebSocket,
} from 'ws';
export type { Live } from '../live/lab.ts';
const later = import('../machine/machine.ts');
const quoted = "import x from '../lab/lab.ts'"; // import y from '../lab/lab.ts'
`;
  const file = sourceFile('server/kernel/bad.ts', bad);
  assert.deepEqual(linesOf(complainOfFloors(file)), [1, 3, 4, 7, 8]);
  const asTest = sourceFile('server/kernel/bad.test.ts', bad);
  assert.deepEqual(linesOf(complainOfFloors(asTest)), [4, 7, 8]);
  assert.equal(complainOfFloors(sourceFile('server/nowhere/bad.ts', '')).length, 0);
  assert.equal(complainOfFloors(sourceFile('clients/nowhere/bad.ts', '')).length, 1);
});

test('no files import each other in a circle', () => {
  assert.deepEqual(complainOfCircles(SOURCES).map(printComplaint), KNOWN_CIRCLES);
});

test('a circle of three files is found, types included', () => {
  const files = [
    sourceFile('server/kernel/a.ts', "import { b } from './b.ts';"),
    sourceFile('server/kernel/b.ts', "import type { C } from './sub/c.ts';"),
    sourceFile('server/kernel/sub/c.ts', "import { a } from '../a.ts';"),
    sourceFile('server/kernel/d.ts', "import { a } from './a.ts';"),
  ];
  assert.deepEqual(complainOfCircles(files).map(printComplaint), [
    'server/kernel/sub/c.ts:1: imports in a circle: ' +
      'server/kernel/a.ts -> server/kernel/b.ts -> server/kernel/sub/c.ts -> server/kernel/a.ts',
  ]);
});

test('pure floors have no clock, no chance, no async and no state of their own', () => {
  noComplaints(SOURCES.flatMap(complainOfImpurity));
});

test('a clock, chance, async and module state are found in a pure floor, and nowhere else', () => {
  const bad = `let next = 0;
const seen = new Map<number, number>();
export const TABLE = { count: 0 };
const FIXED = new Set([1, 2]);
async function wait() {}
function* f(sent: Sent, process: number) {
  seen.set(1, 2);
  TABLE.count += 1;
  if (FIXED.has(1) && TABLE.count === 2) sent.process();
  const at = Date.now() + performance.now() + Math.random();
  setTimeout(() => {}, 1);
  await later();
  console.error(\`at \${process.pid} Date\`, /* Date */ 'Date');
  const inner = new Map(); inner.set(1, 2); let fine = sent.Date;
  const pattern = /async ['"\`]/.test('await');
}
`;
  const lines = [1, 5, 7, 8, 10, 11, 12, 13];
  assert.deepEqual(linesOf(complainOfImpurity(sourceFile('server/kernel/bad.ts', bad))), lines);
  assert.deepEqual(complainOfImpurity(sourceFile('server/live/fine.ts', bad)), []);
  assert.deepEqual(complainOfImpurity(sourceFile('server/kernel/fine.test.ts', bad)), []);
});

test('every task that is called is run, and every step that is made is yielded', () => {
  const names = taskNames(SOURCES);
  noComplaints(SOURCES.flatMap((file) => complainOfForgottenYields(file, names)));
});

test('a call without yield* is found, by function and by method', () => {
  const api = sourceFile(
    'server/protocol/api.ts',
    `export interface Api {
  mmapReadLock(): Task<void>;
  hmmRangeFault(request: { a: () => void }): Task<Result<readonly HmmPfn[]>>;
  owner(): string;
  release(): Task<void>;
}
export function* lock<C extends K>(context: C, at: string): Task<void> { yield willWrite(at, 1); }
export function passOn(context: C): Task<void> { return lock(context, 'a.b'); }
class Other { release(): void {} }
`,
  );
  const caller = sourceFile(
    'server/kernel/caller.ts',
    `import { type Api, lock, passOn as pass } from '../protocol/api.ts';
function* good(api: Api): Task<void> {
  yield* lock(context, 'good.lock');
  yield* pass(context);
  yield* api.mmapReadLock();
  const pfns = yield* world.api.hmmRangeFault({ a: () => {} });
  yield* withLock(context, () => api.mmapReadLock());
  scheduler.spawn('a', 'b', pass(context));
  const child = { actor: 'a', task: lock(context, 'good.child') };
  yield willRead('good.read', 1);
  const kept = pass(context); const other = pass(context);
  api.owner(); run(kept); const work = { other }; other.release(); lockAll(); unlock(context);
  return yield* lock<C>(context, 'good.last');
}
function* bad(api: Api): Task<void> {
  lock(context, 'bad.lock');
  pass(context);
  api.mmapReadLock();
  const pfns = world.api.hmmRangeFault({ a: () => {} }); if (pfns) pfns.ok = 1;
  if (lock(context, 'bad.if')) return;
  while (!api.mmapReadLock()) {}
  willRead('bad.read', 1);
  yield pass(context);
  const step = waitUntil('bad.wait', 1, () => true);
  if (x) lock(context, 'bad.else');
  void pass(context);
  local();
  this.#method();
}
function* local(): Task<void> {}
class C { *#method(): Task<void> {} }
`,
  );
  const names = taskNames([api, caller]);
  assert.deepEqual(complainOfForgottenYields(api, names), []);
  assert.deepEqual(
    linesOf(complainOfForgottenYields(caller, names)),
    [16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28],
  );
});

test('yield points are called function.moment, and no two are called the same', () => {
  noComplaints(complainOfYieldPoints(SOURCES));
});

test('a yield point with a bad or a taken name is found', () => {
  const file = sourceFile(
    'server/kernel/bad.ts',
    `yield willRead('do_fault.walk', 1);
yield willWrite('do_fault', 1);
yield willWrite('doFault.walk', 1);
yield* lock(context, 'do_fault.lock', x);
yield* readLock(mm.context, 'do_fault.lock', x);
yield { kind: 'block', at: 'do_fault.walk', on: 1, until };
yield waitUntil(at, 1, () => true);
`,
  );
  assert.deepEqual(linesOf(complainOfYieldPoints([file])), [2, 3, 5, 6]);
  const again = "yield willRead('do_fault.walk', 1);";
  const inKernel = sourceFile('server/kernel/other.ts', again);
  const override = sourceFile('server/patches/other.ts', again);
  assert.equal(complainOfYieldPoints([inKernel, file]).length, 5);
  assert.equal(complainOfYieldPoints([override, inKernel]).length, 0);
});

test('docs/SPEC.md states every rule of rules.ts, word for word', () => {
  assert.deepEqual(complainOfSpec(RULES, SPEC), []);
});

test('a rule that SPEC.md lacks, misquotes or invents is found', () => {
  const rules = { AA1: 'one', AA2: 'two', AA3: 'three' };
  assert.deepEqual(
    complainOfSpec(rules, '| AA1 | one | x |\n| AA2 | too | |\n| AA4 | four | |\n'),
    [
      'docs/SPEC.md states AA2 as "too", not "two"',
      'docs/SPEC.md lacks AA3: three',
      'docs/SPEC.md has AA4, which rules.ts lacks',
    ],
  );
});

test('every rule that an assertion names exists', () => {
  noComplaints(SOURCES.flatMap((file) => complainOfUnknownIds(file, RULES)));
});

test('an unknown rule in an assertion is found', () => {
  const bad = "invariant(a, 'LK1', {});\ninvariant(b(1, 2), 'ZZ9', { c: 'LK1' });\n";
  const complaints = complainOfUnknownIds(sourceFile('server/kernel/bad.ts', bad), RULES);
  assert.deepEqual(linesOf(complaints), [2]);
});

test('every rule stands in the title of a test', () => {
  const shown = idsInTestTitles(SOURCES);
  const missing = Object.keys(RULES).filter((id) => !shown.has(id));
  assert.deepEqual(
    missing.filter((id) => !RULES_WITHOUT_TEST.includes(id)),
    [],
  );
});

test('a title counts, a body does not', () => {
  const tests = "test('[LK1] one', () => 'LK2');\ntest(`LK3 and LK4`, f); // test('LK5')\n";
  const ids = idsInTestTitles([sourceFile('server/kernel/a.test.ts', tests)]);
  assert.deepEqual([...ids].sort(), ['LK1', 'LK3', 'LK4']);
});

/** The locks in the order in which the picture of docs/LOCKING.md nests them. */
function locksDrawn(text: string): string[] {
  const picture = /```\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
  return [...picture.matchAll(/^ *(\w+) /gm)].map((line) => line[1] as string);
}

test('[LK3] docs/LOCKING.md draws LOCK_ORDER, and gives a reason for each pair of neighbours', () => {
  assert.deepEqual(locksDrawn(LOCKING), LOCK_ORDER);
  for (const [at, outer] of LOCK_ORDER.slice(0, -1).entries()) {
    assert.ok(LOCKING.includes(`| ${outer} | ${LOCK_ORDER[at + 1]} | `), `${outer}: no reason`);
  }
});

test('a picture in another order is told apart', () => {
  assert.deepEqual(locksDrawn('```\nb    inner\n  a   outer\n```'), ['b', 'a']);
});

test('files keep the house rules', () => {
  noComplaints(SOURCES.flatMap(complainOfHouseRules));
});

test('long lines, default exports, re-exports, any, boolean parameters and .only are found', () => {
  const bad = `export default f;
export * from './a.ts';
export { b } from './b.ts';
export type { C } from './c.ts';
const a = b as any;
function g(x: any, y: Map<string, any>): any[] {}
// ${'x'.repeat(130)}
test.only('x', f);
function h(range: PageRange, force: boolean): void {}
export { own }; const many = { any: 1 }; if (any(x)) anyOther(); type T = { ok: boolean };
const company = of(any.thing); // any, as any
`;
  const file = sourceFile('server/kernel/bad.ts', bad);
  assert.deepEqual(linesOf(complainOfHouseRules(file)), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const path of [
    'server/kernel/utils.ts',
    'server/helpers/pte.ts',
    'server/kernel/index.ts',
  ]) {
    assert.equal(complainOfHouseRules(sourceFile(path, '')).length, 1, path);
  }
});

test('few exported names are declared by two files', () => {
  const twice = exportedTwice(SOURCES);
  assert.ok(twice.length <= TWICE_MAX, `${twice.length}, ${TWICE_MAX} at most: ${twice.join(' ')}`);
});

test('a name that two files declare is found, whatever it is there, and one of a test is not', () => {
  const named = (path: string, text: string) => sourceFile(`server/kernel/${path}`, text);
  const files = [
    named('a.ts', 'export interface Place {}\nexport function* placeOf() {}\nconst own = 1;'),
    named('b.ts', 'export const placeOf = 1;\nexport type Other = 2;\nconst own = 2;'),
    named('b.test.ts', 'export type Place = 3;'),
  ];
  assert.deepEqual(exportedTwice(files), ['placeOf']);
});
