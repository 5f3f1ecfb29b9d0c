/** What a user's driver does wrong is told with file, line and function, and never as a verdict. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BadUserCode } from '../../scenario/bad-user-code.ts';
import { planOf } from '../../scenario/explore-request.ts';
import type { ScenarioPlan } from '../../scenario/scenario-plan.ts';
import { checkAgain, checkOwnCode } from './own-code-check.ts';

const ROOT = new URL('../../../', import.meta.url);
const SEED = fileURLToPath(new URL('scenarios/seed-zero-page.yaml', ROOT));
const FOLDER = mkdtempSync(join(tmpdir(), 'mmrace-own-code-'));
after(() => rmSync(FOLDER, { recursive: true }));

async function planWithDriver(name: string, text: string): Promise<ScenarioPlan> {
  const path = join(FOLDER, name);
  writeFileSync(path, text.replaceAll('ROOT/', ROOT.href));
  return await planOf({
    file: SEED,
    text: readFileSync(SEED, 'utf8'),
    patch: 'stock',
    drivers: [`reader=${path}`],
    parameters: {},
  });
}

/** A driver that is dmirror but for its perform(). */
function performing(body: string, before = ''): string {
  return `import { dmirrorWith } from 'ROOT/clients/drivers/dmirror/dmirror-variant.ts';
import { objectId } from 'ROOT/server/task/object-id.ts';
${before}
const look = (at) => ({ kind: 'access', at, object: objectId('user', 900, 1), mode: 'read' });
export const driver = {
  newDevice(options) {
    const made = dmirrorWith(options, {});
    return {
      ...made,
      ${body}
    };
  },
};
`;
}

const BAD_DRIVERS: readonly (readonly [what: string, text: string, said: RegExp])[] = [
  [
    'has a function that dmirror would never call',
    performing('').replace(
      'dmirrorWith(options, {})',
      'dmirrorWith(options, { instalFaulted() {} })',
    ),
    /newDevice\(\) throws TypeError: dmirror has no function "instalFaulted"; did you mean "installFaulted"/,
  ],
  [
    'throws',
    performing("*perform() { throw new TypeError('no table'); },"),
    /bad1\.ts:10: driver bad1: perform\(\) throws TypeError: no table/,
  ],
  [
    'is no generator',
    performing("async perform() { return { errno: 'OK' }; },"),
    /:10: .*perform\(\) returns a promise; it must be a generator: \*perform\(\)/,
  ],
  [
    'yields what is no step',
    performing("*perform() { yield 'later'; },"),
    /:10: .*perform\(\) yields later, expected a step/,
  ],
  [
    'throws dice',
    performing(
      "*perform(verb) { if (Math.random() < 0.5) yield look('dice.look'); return yield* made.perform(verb); },",
    ),
    /:10: driver .* \(that line says Math\.random\) is not deterministic: step \d+ was "/,
  ],
  [
    'remembers',
    performing(
      "*perform(verb) { calls += 1; if (calls > 20) yield look('late.look'); return yield* made.perform(verb); },",
      'let calls = 0;',
    ),
    /is not deterministic: .*late\.look/,
  ],
  ['has no functions', 'export const driver = { newDevice: () => ({}) };', /function open/],
];

for (const [at, [what, text, said]] of BAD_DRIVERS.entries()) {
  test(`a driver that ${what}`, async () => {
    const plan = await planWithDriver(`bad${at}.ts`, text);
    assert.throws(
      () => checkAgain(plan, checkOwnCode(plan)),
      (error: unknown) => {
        assert.ok(error instanceof BadUserCode, String(error));
        assert.match(error.message, said);
        assert.ok(error.message.startsWith(FOLDER), error.message);
        return true;
      },
    );
  });
}

test('a driver that does nothing wrong passes', async () => {
  const plan = await planWithDriver(
    'fine.ts',
    performing('*perform(verb) { yield look("fine.look"); return yield* made.perform(verb); },'),
  );
  checkAgain(plan, checkOwnCode(plan));
});
