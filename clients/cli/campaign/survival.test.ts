/** Whatever dies while a campaign is under way, it comes to what one search of the whole question comes to. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, suite, test } from 'node:test';
import { setTimeout as later } from 'node:timers/promises';
import { openCampaignBook } from '../../../server/campaign/campaign-book.ts';
import { campaignModel } from '../../../server/campaign/campaign-model.ts';
import type { CampaignLook } from '../../../server/campaign/campaigns.ts';
import {
  type StartedWorker,
  startWorker,
  type WorkerOptions,
} from '../../../server/campaign/worker.ts';
import { OwnRedis, WITHOUT_REDIS } from '../../../server/cluster/redis-server.fixture.ts';
import { plainVerdict } from '../../../server/verify/answer/plain.ts';
import { exploreScenario } from '../../../server/verify/explore/explore-scenario.ts';
import { shapeNamed } from '../../../server/verify/shapes/shapes.ts';
import { type Running, runMmrace, startMmrace } from '../run-mmrace.fixture.ts';
import { planFrom, scenarioFrom } from '../scenario-choice.ts';
import { askedCampaign, type CampaignQuestions } from './asked-campaign.ts';
import { beginCampaign } from './begin-campaign.ts';
import { type OpenCampaigns, openCampaigns } from './campaign-redis.ts';
import { tellCampaign } from './campaign-text.ts';
import { watchCampaign } from './watch-campaign.ts';

const MODEL = campaignModel();
const LEASE_MS = 1_000;
const SCENARIO = 'seed-zero-page';
/** Several units. */
const EXECUTIONS = 2_200;
const SAMPLED: CampaignQuestions = {
  words: [SCENARIO],
  patches: ['stock'],
  drivers: [[]],
  strategies: ['pct'],
  budgetExecutions: EXECUTIONS,
  seed: 1,
  depth: 3,
  shapes: () => [],
  shapeExecutions: 300,
};
const EXHAUSTIVE: CampaignQuestions = {
  ...SAMPLED,
  strategies: ['dpor'],
  budgetExecutions: 1_000_000_000,
};
/** More executions than anybody waits for: devices that migrate do not stand for each other. */
const ENDLESS = { devices: 8, migrators: 6 };
const RUN = [
  'campaign',
  'run',
  SCENARIO,
  '--strategy',
  'pct',
  '--budget-executions',
  String(EXECUTIONS),
];
const FOLDER = mkdtempSync(join(tmpdir(), 'mmrace-survival-'));

interface Counts {
  readonly verdict: string;
  readonly executions: number;
  readonly steps: number;
}

let redis: OwnRedis;
let open: OpenCampaigns;
let workers: StartedWorker[] = [];
let processes: Running[] = [];
let alone: object;

suite('a campaign', { skip: WITHOUT_REDIS }, () => {
  before(async () => {
    redis = await OwnRedis.start();
    alone = await searchedAlone();
  });

  after(async () => {
    await redis.end();
    rmSync(FOLDER, { recursive: true });
  });

  beforeEach(async () => {
    redis.command('config', 'set', 'maxmemory', '0');
    redis.command('flushall');
    open = await openCampaigns(redis.url);
  });

  afterEach(async () => {
    for (const { process } of processes) process.kill('SIGKILL');
    for (const worker of workers) await worker.close();
    [workers, processes] = [[], []];
    await open.close();
  });

  test('survives kill -9 of the command and of a worker, and a worker that stands still', async () => {
    const command = startMmrace(...RUN, '--redis', redis.url);
    processes.push(command);
    const [, id = ''] = /campaign (c\w+):/.exec(await command.says('goes on with it')) ?? [];
    command.process.kill('SIGKILL');
    const victim = workProcess();
    await until(id, ({ left, units }) => left < units);
    victim.process.kill('SIGKILL');
    const sleeper = workProcess();
    await untilWorker(sleeper, 'busy');
    sleeper.process.kill('SIGSTOP');
    await worker();
    sameAsAlone(await finished(id));
    sleeper.process.kill('SIGCONT');
    await untilWorker(sleeper, 'idle');
    const look = await open.campaigns.look(id);
    assert.equal(look.differs, '');
    assert.equal(look.aside.size, 0);
    sleeper.process.kill('SIGTERM');
    assert.equal((await sleeper.ended).code, 0);

    // Answers are kept by what was asked, and a second campaign needs no worker.
    for (const one of workers) await one.close();
    const again = await runMmrace(...RUN, '--redis', redis.url, '--json');
    assert.equal(again.code, 2, again.stderr);
    sameAsAlone(JSON.parse(again.stdout));
  });

  test('keeps what a slow worker has, since its lease is renewed while it searches', async () => {
    const id = await begun({
      ...SAMPLED,
      strategies: ['dfs'],
      budgetExecutions: 5_000,
    });
    await worker({ leaseMs: 300 });
    await until(id, ({ left }) => left === 0);
    assert.equal(redis.command('hget', `mmrace:campaign:${id}`, 'n:answer'), '1');
    const { aside } = await open.campaigns.look(id);
    assert.equal(aside.size, 0);
  });

  test('survives a restart of Redis, with what it has on its disk', async () => {
    const id = await begun(SAMPLED);
    await worker();
    await until(id, ({ left, units }) => left < units);
    await redis.kill();
    assert.equal(await redis.again(), 'there');
    sameAsAlone(await finished(id));
  });

  test('is paused while Redis is full, which is said, and goes on when there is room', async () => {
    redis.command('config', 'set', 'maxmemory', '1mb');
    await assert.rejects(begun(SAMPLED), /nothing is begun: Redis is full/);
    assert.equal(redis.command('keys', 'mmrace:campaign*'), '');
    redis.command('config', 'set', 'maxmemory', '0');
    const id = await begun(SAMPLED);
    redis.command('config', 'set', 'maxmemory', '1mb');
    const told: string[] = [];
    await worker({ say: (text) => told.push(text) });
    while (!told.some((text) => text.includes('Redis is full'))) await later(20);
    const { left, units } = await open.campaigns.look(id);
    assert.equal(left, units);
    redis.command('config', 'set', 'maxmemory', '0');
    sameAsAlone(await finished(id));
  });

  test('sets a unit aside that has killed three workers, names it, and answers the others', async () => {
    const patch = join(FOLDER, 'poison.ts');
    writeFileSync(
      patch,
      `export const patch = { overrides: (stock) => ({
        *migrateVmaPages(...args) {
          if (process.env.MMRACE_POISON === 'yes') process.kill(process.pid, 'SIGKILL');
          return yield* stock.migrateVmaPages(...args);
        },
      }) };\n`,
    );
    const shapes = ['none:load', 'none:migrate', 'none:store'].map(shapeNamed);
    const id = await begun({
      ...SAMPLED,
      words: ['shapes'],
      patches: [patch],
      shapes: () => shapes,
    });
    await worker({ code: 'not allowed' });
    for (let death = 0; death < 3; death += 1) {
      const victim = workProcess({ MMRACE_POISON: 'yes' }, '--allow-code', '--lease-ms', '300');
      assert.equal((await victim.ended).code, null);
    }
    await worker({ code: 'allowed', leaseMs: 300 });
    const { look } = await watchCampaign(id, open, new AbortController().signal);
    assert.deepEqual([...look.aside.values()], ['3 workers died of it, or stood still']);
    const told = await toldOf(id);
    assert.equal(told.exitCode, 2);
    assert.match(told.text, /set aside: unit [0-9a-f]{40}: 3 workers died/);
    assert.match(told.text, /2 of 3 shapes asked/);

    // The page has the same, as far as it is known.
    const book = await openCampaignBook(redis.url, 'mmrace');
    const shown = await book.one(id);
    assert.deepEqual([await book.one('c0'), (await book.list()).campaigns[0]?.id], ['unknown', id]);
    book.close();
    if (shown === 'unknown') throw new Error('it is not in the book');
    assert.deepEqual(shown.campaign, { ...shown.campaign, state: 'done', aside: 1, left: 0 });
    const [question] = shown.questions;
    assert.deepEqual([question?.answered, question?.found], [2, 0]);
    assert.deepEqual(
      question?.matrix.map(({ operations: [one], verdict }) => [one, verdict]),
      [
        ['load', 'not reached'],
        ['migrate', 'not asked'],
        ['store', 'not reached'],
      ],
    );
  });

  test('is refused by workers of another model, and by those that run no code of users', async () => {
    const patch = join(FOLDER, 'own.ts');
    const shipped = 'remove-second-invalidate';
    writeFileSync(
      patch,
      `import { removeSecondInvalidate } from 'mmrace/patches/${shipped}';
      import { id } from './id.ts';
      export const patch = { ...removeSecondInvalidate, id };\n`,
    );
    writeFileSync(join(FOLDER, 'id.ts'), "export const id = 'own';\n");
    const id = await begun({ ...EXHAUSTIVE, patches: [patch, shipped] });
    const told: string[] = [];
    await worker({ say: (text) => told.push(text), model: 'f'.repeat(64) });
    await worker({ say: (text) => told.push(text) });
    assert.deepEqual(told.toSorted(), [
      `refused: ${id} brings code of its own, which runs only with --allow-code`,
      `refused: ${id} is of another model (${MODEL.slice(0, 8)}; this worker has ffffffff)`,
    ]);
    const { left, units } = await open.campaigns.look(id);
    assert.equal(left, units);

    // Elsewhere than where it stands it is the same patch.
    await worker({ code: 'allowed' });
    const { answers } = (await finished(id)) as { readonly answers: readonly Counts[] };
    const [own, other] = answers.map(({ verdict, executions, steps }) => [
      verdict,
      executions,
      steps,
    ]);
    assert.equal(own?.[0], 'broken');
    assert.deepEqual(own, other);
  });

  test('is ended by cancel, with the search that is under way', async () => {
    const id = await begun({ ...EXHAUSTIVE, ...ENDLESS });
    await worker();
    const busy = async () => (await open.campaigns.workers())[0]?.busy;
    while ((await busy()) !== 1) await later(20);
    assert.equal(await open.campaigns.cancel(id), 'cancelled');
    while ((await busy()) !== 0) await later(20);
    const told = await toldOf(id);
    assert.match(told.text, /the campaign was cancelled/);
    assert.equal(told.exitCode, 2);
  });
});

async function searchedAlone(): Promise<object> {
  const plan = await planFrom(scenarioFrom(SCENARIO), { patch: 'stock', driver: [] });
  const verdict = exploreScenario(plan, {
    strategy: 'pct',
    budgetExecutions: EXECUTIONS,
    budgetSeconds: 1e9,
    seed: 1,
    depth: 3,
    clock: () => 0,
    onProgress: () => undefined,
  });
  return plainVerdict(plan, { patch: 'stock', token: 'none' }, verdict);
}

async function begun(questions: CampaignQuestions): Promise<string> {
  const { spec, cores } = await askedCampaign(questions);
  return await beginCampaign(open, spec, cores);
}

async function worker(options: Partial<WorkerOptions> = {}): Promise<void> {
  const usual = { url: redis.url, prefix: 'mmrace', model: MODEL, threads: 1, leaseMs: LEASE_MS };
  workers.push(
    await startWorker({ ...usual, code: 'not allowed', say: () => undefined, ...options }),
  );
}

function workProcess(environment: NodeJS.ProcessEnv = {}, ...more: readonly string[]): Running {
  Object.assign(process.env, environment);
  const started = startMmrace(
    ...['work', '--redis', redis.url, '--threads', '1', '--lease-ms', String(LEASE_MS), ...more],
  );
  for (const name of Object.keys(environment)) delete process.env[name];
  processes.push(started);
  return started;
}

/** As it says of itself; one that stood still has to say it again. */
async function untilWorker({ process: { pid } }: Running, state: 'busy' | 'idle'): Promise<void> {
  const isSo = async () =>
    (await open.campaigns.workers()).some(
      (one) => one.pid === pid && one.busy > 0 === (state === 'busy'),
    );
  while (!(await isSo())) await later(20);
}

async function until(id: string, is: (look: CampaignLook) => unknown): Promise<void> {
  while (!is(await open.campaigns.look(id))) await later(20);
}

function toldOf(id: string) {
  return tellCampaign(open.campaigns, { id, code: 'allowed', model: MODEL });
}

async function finished(id: string): Promise<object> {
  await watchCampaign(id, open, new AbortController().signal);
  return (await toldOf(id)).plain;
}

function sameAsAlone(plain: unknown): void {
  const { answers } = plain as { readonly answers: readonly Record<string, unknown>[] };
  const [answer] = answers;
  const expected = JSON.parse(JSON.stringify(alone)) as Record<string, unknown>;
  const { question: _, seconds: __, pairs: ___, ...rest } = answer ?? {};
  const { seconds: ____, pairs: _____, ...wanted } = expected;
  assert.deepEqual(JSON.parse(JSON.stringify(rest)), wanted);
}
