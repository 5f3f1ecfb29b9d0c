import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Event } from '../abi/event.ts';
import { RUNS_AT_ONCE_MAX, RUNS_KEPT_MAX, RUNS_WAITING_MAX } from '../protocol/http-api.ts';
import { FORMAT_NAMES } from '../report/format-names.ts';
import {
  type HttpAnswer,
  type HttpHarness,
  type HttpHarnessOptions,
  startHttp,
} from './http.fixture.ts';

/** With real threads. Those that are there already are used again. */
let threaded: HttpHarness;
let http: HttpHarness;

before(async () => {
  threaded = await startHttp();
});

beforeEach(() => {
  http = threaded;
});

after(async () => {
  await threaded.close();
});

const BROKEN = { scenario: 'seed-zero-page', patch: 'remove-second-invalidate' };
/** More executions than anybody waits for. */
const ENDLESS = {
  scenario: 'seed-zero-page',
  parameters: { devices: 5, migrators: 2 },
  strategy: 'dfs',
};

async function start(question: object): Promise<string> {
  const { status, body, headers } = await http.post('/api/runs', question);
  assert.equal(status, 202);
  assert.equal(headers.location, `/api/runs/${body.run.id}`);
  return body.run.id;
}

async function until(
  id: string,
  good: (run: HttpAnswer['body']) => boolean,
): Promise<HttpAnswer['body']> {
  for (;;) {
    const { run } = (await http.get(`/api/runs/${id}`)).body;
    if (good(run)) return run;
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

const isOver = (run: HttpAnswer['body']) => run.state !== 'waiting' && run.state !== 'running';

test('a run comes to a verdict, its events, its sibling and every report', async () => {
  const run = await until(await start(BROKEN), isOver);
  assert.equal(run.state, 'done', run.failure);
  const { verdict } = run;
  assert.equal(verdict.verdict, 'broken');
  assert.ok(verdict.windowEntered > 0);
  assert.match(verdict.token, /^mmr1\./);
  const url = `/api/runs/${run.id}`;
  const { body } = await http.get(`${url}/events`);
  assert.equal(body.events.length, body.stepOfEvent.length);
  assert.equal(body.steps.length, verdict.counterexample.steps.length);
  assert.equal(body.pointOfNoReturn, verdict.counterexample.pointOfNoReturn);
  assert.equal(body.failure, verdict.counterexample.failure);
  assert.ok(body.setup.some((event: Event) => event.kind === 'vma'));
  assert.ok(body.events.some((event: Event) => event.kind === 'violation'));
  assert.ok(!body.sibling.events.some((event: Event) => event.kind === 'violation'));
  assert.equal(body.sibling.events.length, body.sibling.stepOfEvent.length);
  assert.equal(body.sibling.swapped.length, 2);
  for (const format of FORMAT_NAMES) {
    const report = await http.get(`${url}/report/${format}`);
    assert.equal(report.status, 200);
    assert.match(
      String(report.headers['content-disposition']),
      /^attachment; filename="seed-zero-page\./,
    );
    assert.ok(report.text.length > 0);
  }
  assert.equal((await http.get(`${url}/report/pdf`)).status, 400);
});

test('a report says the command that asks the same again', async () => {
  const question = {
    scenario: 'seed-zero-page',
    parameters: { devices: 3 },
    driver: ['corrected'],
    strategy: 'random',
    seed: 7,
    budgetExecutions: 20,
  };
  const run = await until(await start(question), isOver);
  const { text } = await http.get(`/api/runs/${run.id}/report/ktap`);
  const command =
    'mmrace explore scenarios/seed-zero-page.yaml --kernel 6.12 --patch stock --driver corrected ' +
    '--devices 3 --strategy random --seed 7';
  assert.ok(text.includes(command), text);
});

test('what holds has an execution to show, and no failure', async () => {
  const run = await until(await start({ scenario: 'seed-zero-page' }), isOver);
  assert.equal(run.verdict.verdict, 'holds');
  const { body } = await http.get(`/api/runs/${run.id}/events`);
  assert.deepEqual([body.failure, body.pointOfNoReturn, body.sibling], [null, null, null]);
  assert.ok(body.events.length > 0);
});

test('a run tells how far it is, and ends when it is cancelled', async () => {
  const id = await start(ENDLESS);
  const early = await http.get(`/api/runs/${id}/events`);
  assert.equal(early.status, 409);
  assert.equal(early.body.error.code, 'run-not-done');
  const running = await until(id, (run) => run.progress.executions > 0);
  assert.equal(running.state, 'running');
  const cancel = () => http.app.inject({ method: 'DELETE', url: `/api/runs/${id}` });
  assert.equal((await cancel()).json().run.state, 'cancelled');
  assert.equal((await cancel()).json().run.state, 'cancelled');
  assert.equal((await http.get(`/api/runs/${id}`)).body.run.state, 'cancelled');
});

test('a question that cannot be asked is refused with its reason', async () => {
  const cases = [
    [{ scenario: 'x' }, 404, /^body\.scenario: x/],
    [{ ...BROKEN, patch: 'x' }, 404, /^body\.patch: x/],
    [{ ...BROKEN, patch: './mine.ts' }, 400, /^body\.patch: expected `stock`, a patch that ships/],
    [{ ...BROKEN, driver: ['x'] }, 400, /no driver "x"; there are dmirror/],
    [{ ...BROKEN, driver: ['gpu9=corrected'] }, 400, /no device "gpu9"/],
    [{ ...BROKEN, driver: ['../../mine.ts'] }, 400, /^body\.driver\[0\]: expected NAME/],
    [{ ...BROKEN, parameters: { devices: 99 } }, 400, /^body\.parameters/],
    [{ ...BROKEN, budgetSeconds: 0 }, 400, /^body\.budgetSeconds/],
    [{ ...BROKEN, strategy: 'luck' }, 400, /^body\.strategy: expected one of "dpor"/],
  ] as const;
  for (const [question, status, what] of cases) {
    const answer = await http.post('/api/runs', question);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.body.error.what, what);
  }
  assert.equal((await http.get('/api/runs/nope')).body.error.code, 'no-such-run');
});

/** A pool whose runs end when the test says so. */
function handPool() {
  const ends: ((error: Error) => void)[] = [];
  const newPool: NonNullable<HttpHarnessOptions['newPool']> = async () => ({
    run: () => new Promise((_resolve, reject) => ends.push(reject)),
    destroy: async () => undefined,
  });
  return { ends, newPool };
}

test('runs that wait are bounded, and those that are over are forgotten in time', async (t) => {
  const { ends, newPool } = handPool();
  http = await startHttp({ newPool });
  t.after(() => http.close());
  const most = RUNS_AT_ONCE_MAX + RUNS_WAITING_MAX;
  const first = await start(BROKEN);
  for (let at = 1; at < most; at += 1) await start(BROKEN);
  const refused = await http.post('/api/runs', BROKEN);
  assert.equal(refused.status, 429);
  assert.equal(refused.body.error.code, 'too-many-runs');
  ends[0]?.(new Error('the thread has died'));
  const failed = await until(first, isOver);
  assert.deepEqual([failed.state, failed.failure], ['failed', 'the thread has died']);
  for (let at = 0; at < RUNS_KEPT_MAX + 5; at += 1) {
    await start(BROKEN);
    ends.at(-1)?.(new Error('again'));
    await new Promise(setImmediate);
  }
  const { runs } = (await http.get('/api/runs')).body;
  assert.ok(runs.length <= RUNS_KEPT_MAX + most, `${runs.length} are known`);
  assert.equal((await http.get(`/api/runs/${first}`)).status, 404);
});

test('threads that cannot begin fail the runs that wait for them, and nothing else', async (t) => {
  let fail: (error: unknown) => void = () => undefined;
  http = await startHttp({
    newPool: async (onError) => {
      fail = onError;
      return { run: () => new Promise(() => undefined), destroy: async () => undefined };
    },
  });
  t.after(() => http.close());
  const id = await start(BROKEN);
  fail(new Error('the file is gone'));
  const run = await until(id, isOver);
  assert.deepEqual([run.state, run.failure], ['failed', 'the file is gone']);
  assert.equal((await http.get('/healthz')).status, 200);
});

test('a server that is going takes no run', async () => {
  http.readiness.state = 'going';
  const { status } = await http.post('/api/runs', BROKEN);
  http.readiness.state = 'ready';
  assert.equal(status, 503);
});

test('a scenario of the caller’s own is explored, and what is wrong with one is told line by line', async () => {
  const { body: shipped } = await http.get('/api/scenarios/seed-zero-page/text');
  const check = async (text: string) => (await http.post('/api/scenarios/check', { text })).body;
  const mine = shipped.text.replace('name: seed-zero-page', 'name: mine');
  const fine = await check(mine);
  assert.deepEqual([fine.problems, fine.scenario.name], [[], 'mine']);
  const run = await until(await start({ ...BROKEN, scenario: 'mine', text: mine }), isOver);
  assert.deepEqual([run.verdict.scenario, run.verdict.verdict], ['mine', 'broken']);
  const asked = await http.post('/api/tokens/read', { token: run.verdict.token });
  assert.equal(asked.status, 200);
  assert.equal((await check(asked.body.question.text)).scenario.name, 'mine');

  const wrong = mine.replace('kind: device', 'kind: toaster');
  const line = wrong.split('\n').findIndex((each: string) => each.includes('toaster')) + 1;
  const { problems } = await check(wrong);
  assert.ok(
    problems.some((problem: { line: number }) => problem.line === line),
    problems,
  );
  const refused = await http.post('/api/runs', { scenario: 'mine', text: wrong });
  assert.deepEqual([refused.status, refused.body.error.code], [400, 'bad-choice']);
});

test('the question of a token is asked again; what is no token is refused in words', async () => {
  const run = await until(await start(BROKEN), isOver);
  const { body } = await http.post('/api/tokens/read', { token: run.verdict.token });
  assert.deepEqual(
    [body.question.scenario, body.question.patch, body.question.text],
    [BROKEN.scenario, BROKEN.patch, undefined],
  );
  assert.equal((await until(await start(body.question), isOver)).verdict.verdict, 'broken');
  const none = await http.post('/api/tokens/read', { token: 'hello' });
  assert.deepEqual([none.status, none.body.error.code], [400, 'bad-choice']);
});

test('a search may be kept to few switches', async () => {
  const executions = async (limits: object) =>
    (await until(await start({ ...BROKEN, ...limits }), isOver)).verdict.executions;
  assert.notEqual(await executions({ preemptions: 0 }), await executions({}));
});

test('a patch that came as text is explored where code is taken, and nowhere else', async () => {
  const asks = { scenario: 'seed-zero-page', code: 'export const patch = {};' };
  const refused = await http.post('/api/runs', asks);
  assert.deepEqual([refused.status, refused.body.error.code], [403, 'no-code-here']);

  http = await startHttp({ ownCode: 'taken' });
  try {
    const { text } = (await http.get('/api/functions/migrateVmaPages')).body;
    const verdictOf = async (code: string) => until(await start({ ...asks, code }), isOver);
    const stock = await verdictOf(text);
    assert.equal(stock.verdict?.verdict, 'holds', stock.failure);
    // The bracket that the seed patch took out.
    const without = text.replace("bracket === 'none' && fillsHole(migration, index)", 'false');
    assert.notEqual(without, text);
    const broken = await verdictOf(without);
    assert.equal(broken.verdict?.verdict, 'broken', broken.failure);
    assert.match((await verdictOf(asks.code)).failure, /^mine\.mts: expected patch\.overrides/);
  } finally {
    await http.close();
  }
});
