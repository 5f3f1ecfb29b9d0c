import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { describeBound } from '../../report/bound.ts';
import { AS_WRITTEN, planScenario } from '../../scenario/scenario-plan.ts';
import { shippedScenario } from '../../scenario/shipped-scenarios.ts';
import { loadDriver } from '../../scenario/user-code.ts';
import { exploreScenario } from '../explore/explore-scenario.ts';

const folder = mkdtempSync(join(tmpdir(), 'mmrace-driver-reach-'));
after(() => rmSync(folder, { recursive: true }));

/** A driver in a file of its own, made of dmirror with `functions` in it. */
async function verdictOf(name: string, functions: string, before = '') {
  const file = join(folder, `${name}.mjs`);
  const text = `
import { dmirrorWith } from 'mmrace/drivers/faulty/dmirror-variant';
${before}
export const driver = {
  id: '${name}',
  newDevice: (options) => dmirrorWith(options, { ${functions} }),
};
`;
  writeFileSync(file, text);
  return await verdictOfFile(file);
}

async function verdictOfFile(file: string) {
  const scenario = shippedScenario('seed-zero-page');
  assert.ok(scenario !== 'none');
  const drivers = new Map([['reader', await loadDriver(file)]]);
  return exploreScenario(planScenario(scenario, { ...AS_WRITTEN, drivers }), {
    strategy: 'dpor',
    budgetExecutions: 10_000,
    budgetSeconds: 60,
    seed: 1,
    depth: 3,
    clock: () => 0,
    onProgress: () => undefined,
  });
}

test('a driver whose replaced function never runs is unknown, though it does nothing', async () => {
  const { verdict, bound, reach } = await verdictOf('idle', '*mapMigrated() {}');
  assert.equal(verdict, 'unknown');
  assert.match(
    describeBound(bound),
    /^mapMigrated, which driver idle has of its own, runs in none of \d+ executions/,
  );
  assert.deepEqual(reach?.drivers[0]?.idle, ['mapMigrated']);
});

test('so is one whose function stands in the module by itself', async () => {
  const before = 'function* mapMigrated() {\n  yield* [];\n}';
  const { verdict, bound } = await verdictOf('apart', 'mapMigrated', before);
  assert.equal(verdict, 'unknown');
  assert.match(
    describeBound(bound),
    /^mapMigrated, which driver apart has of its own, runs in none/,
  );
});

const INSTALL = `*installFaulted(dmirror, faulted) {
    if (faulted.neverHeardOf) {
      dmirror.neverHeardOf = 1;
    }
    return yield* DMIRROR_FUNCTIONS.installFaulted(dmirror, faulted);
  }`;
const DMIRROR = `import { DMIRROR_FUNCTIONS } from 'mmrace/drivers/dmirror';`;

test('a line of a driver that is not reached is named beside the verdict', async () => {
  const { verdict, bound } = await verdictOf('rare', INSTALL, DMIRROR);
  assert.equal(verdict, 'holds');
  assert.match(describeBound(bound), /; not run of driver rare: line 8$/);
});

test('a driver that another file of the user makes is run where that file is', async () => {
  const made = join(folder, 'makes.mjs');
  writeFileSync(
    made,
    `
${DMIRROR}
import { dmirrorWith } from 'mmrace/drivers/faulty/dmirror-variant';
export const made = (id) => ({
  id,
  newDevice: (options) => dmirrorWith(options, {
    *installFaulted(dmirror, faulted) {
      return yield* DMIRROR_FUNCTIONS.installFaulted(dmirror, faulted);
    },
  }),
});
export const unused = (id) => ({ id, newDevice: (options) => dmirrorWith(options, { *mapMigrated() {} }) });
`,
  );
  const file = join(folder, 'chooses.mjs');
  const chooses = (maker: string) =>
    `import { ${maker} } from './makes.mjs';\nexport const driver = ${maker}('chooses');\n`;
  writeFileSync(file, chooses('made'));
  assert.equal((await verdictOfFile(file)).verdict, 'holds');
  const other = join(folder, 'chooses-idle.mjs');
  writeFileSync(other, chooses('unused'));
  assert.equal((await verdictOfFile(other)).verdict, 'unknown');
});

test('a driver of which nothing runs but its opening is unknown', async () => {
  const file = join(folder, 'whole.mjs');
  const text = `
export const driver = {
  id: 'whole',
  newDevice: ({ api }) => ({
    callbacks: {
      *invalidate() { return 'done'; },
      *migrateToRam() { return { ok: false, errno: 'EFAULT' }; },
      *pageFree() {},
      *release() {},
    },
    *open() { return { ok: true }; },
    *perform() { return { errno: 'EINVAL' }; },
  }),
};
`;
  writeFileSync(file, text);
  const scenario = shippedScenario('seed-zero-page');
  assert.ok(scenario !== 'none');
  const silent = {
    ...scenario,
    actors: [...scenario.actors, { name: 'silent', kind: 'device' as const }],
  };
  const drivers = new Map([['silent', await loadDriver(file)]]);
  const { verdict, bound } = exploreScenario(planScenario(silent, { ...AS_WRITTEN, drivers }), {
    strategy: 'dpor',
    budgetExecutions: 10_000,
    budgetSeconds: 60,
    seed: 1,
    depth: 3,
    clock: () => 0,
    onProgress: () => undefined,
  });
  assert.equal(verdict, 'unknown');
  assert.match(describeBound(bound), /^driver whole runs in none of/);
});
