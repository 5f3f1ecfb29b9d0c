import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { describeBound } from '../../../server/report/bound.ts';
import { exploreMoment } from '../../../server/verify/moment/explore-moment.ts';
import { momentOf, newMomentRun } from '../../../server/verify/moment/moment-world.ts';
import type { Agent } from '../../agents/agent-process.ts';
import { startCpu } from '../../agents/cpu-agent.ts';
import { startDevice } from '../../agents/device-agent.ts';
import { UsageError } from '../failure.ts';
import { startLocalServer } from '../local-server.ts';
import { exploreFrom, saveMoment, textOfMoment } from './from-moment.ts';
import { readCounterexample, readRecorded } from './read-recorded.ts';
import { executeAgain } from './replay-counterexample.ts';

const SEED = 'remove-second-invalidate';
const REGION = { address: '0x100200000', pages: 1 };
const RANGE = { first: 0x100200, end: 0x100201 };
const BUDGET = {
  strategy: 'dpor',
  budgetExecutions: 3_000,
  budgetSeconds: 60,
  seed: 1,
  depth: 3,
} as const;

let folder = '';
/** By kernel: a run in which nothing went wrong. Device 1 reads, device 0 migrates, device 1 reads again. */
const files = new Map<string, string>();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mmrace-'));
  for (const patch of ['stock', SEED]) files.set(patch, await recorded(patch));
});

after(() => rm(folder, { recursive: true }));

async function recorded(patch: string): Promise<string> {
  const recordTo = await mkdtemp(join(folder, 'run-'));
  const server = await startLocalServer({ port: 0, logLevel: 'silent', drainMs: 0, recordTo });
  const { lab, machine } = server.openLab('recorded', { patch });
  const agents: Agent[] = [];
  const join_ = async (start: typeof startCpu, name: string): Promise<void> => {
    const url = server.webSocketUrl;
    agents.push(start({ url, lab: 'recorded', name, connectMs: 1_000, say: () => undefined }));
    while (!lab.actors.has(name)) await new Promise((resolve) => setImmediate(resolve));
  };
  await join_(startCpu, 'cpu0');
  await join_(startDevice, 'dev0');
  await join_(startDevice, 'dev1');
  const perform = async (actor: string, verb: string, more: object) => {
    const performed = await lab.perform(actor, { verb, ...more });
    assert.ok(performed.ok, `${actor}: ${verb}`);
  };
  await perform('cpu0', 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  await perform('cpu0', 'load', { address: REGION.address });
  await perform('dev1', 'read', { range: RANGE });
  await perform('dev0', 'migrate-to-dev', { range: RANGE });
  const violations = machine().world.oracles.violations.filter(({ rule }) => rule.startsWith('OR'));
  assert.deepEqual(violations, []);
  for (const agent of agents) agent.close();
  await server.close();
  const found = (await readdir(recordTo)).find((file) => file.startsWith('recorded'));
  return join(recordTo, found ?? 'none');
}

function file(patch: string): string {
  return files.get(patch) ?? 'none';
}

function labOf(patch: string) {
  const lab = readRecorded(file(patch));
  assert.ok(lab.kind === 'lab');
  return lab;
}

/** The entry after which the CPU has loaded. */
function loaded(patch: string): number {
  const { entries } = labOf(patch).journal;
  return entries.find(({ inbound }) => 'method' in inbound && inbound.method === 'load')?.n ?? 0;
}

function from(patch: string, step: number, entries: number) {
  return { ...BUDGET, from: `${file(patch)}@${step}`, entries, patch: 'stock', driver: [] };
}

test('a run in which nothing went wrong, on a kernel where it could have: the other order is found', async () => {
  const answer = exploreFrom(from(SEED, loaded(SEED), 20));
  assert.equal(answer.verdict.verdict, 'broken');
  assert.match(textOfMoment(answer), /OR1: dev1 maps 0x100200000 to frame zero/);
  assert.match(textOfMoment(answer), /from entry \d+, the \d+ entries up to \d+ in every order/);
  assert.match(textOfMoment(answer), /<-- BUG/);
  const saved = join(folder, 'found.json');
  saveMoment(saved, answer);
  for (const what of [saved, answer.kept === 'none' ? '' : answer.kept.token]) {
    const again = await executeAgain(readCounterexample(what));
    assert.equal(again.ran.outcome, 'fails as promised');
  }
});

test('on the stock kernel the same moment holds, and the bound says of what', () => {
  const { verdict } = exploreFrom(from('stock', loaded('stock'), 8));
  assert.equal(verdict.verdict, 'holds', describeBound(verdict.bound));
  assert.match(
    describeBound(verdict.bound),
    /the 8 entries up to \d+ .* all \d+ executions that differ/,
  );
});

test('where nothing of the patch can follow the answer is unknown', () => {
  const early = exploreFrom(from(SEED, 0, loaded(SEED) - 2));
  assert.equal(early.verdict.verdict, 'unknown');
  const bound = describeBound(early.verdict.bound);
  assert.match(bound, /, which remove-second-invalidate overrides, runs? in none of/);
});

test('what was recorded is among what can follow, from every other entry', () => {
  const { journal } = labOf('stock');
  let looked = 0;
  for (let step = 0; step < journal.entries.length; step += 2) {
    const moment = momentOf(journal, step, 2);
    const { outcomes, verdict } = exploreMoment(moment, {
      ...BUDGET,
      clock: () => 0,
      onProgress: () => undefined,
    });
    assert.notEqual(verdict, 'broken', `from ${step}`);
    const open = moment.run.questions.some(
      ({ answeredAt }) => answeredAt === Number.POSITIVE_INFINITY,
    );
    // Whoever is asked answers, though the recording's answer may come later.
    if (open || verdict !== 'holds') continue;
    const then = newMomentRun(momentOf(journal, step + moment.entries, 0)).outcome();
    looked += 1;
    assert.ok(outcomes.has(then), `from ${step}: ${then} is not among ${[...outcomes.keys()]}`);
  }
  assert.ok(looked > 5, `${looked} of ${journal.entries.length}`);
});

test('a step beyond the recording, another patch, a file that is none: one sentence each', async () => {
  const none = join(folder, 'none.jsonl');
  await writeFile(none, 'nothing\n');
  const wrong = [
    [{ ...from('stock', 0, 4), from: `${file('stock')}@9999` }, /nothing follows: .* entries/],
    [{ ...from('stock', 0, 4), from: file('stock') }, /expected RUN\.jsonl@STEP/],
    [{ ...from('stock', 0, 4), patch: SEED }, /made with the kernel stock: leave --patch out/],
    [{ ...from('stock', 0, 4), from: `${none}@1` }, /none\.jsonl:1: expected/],
  ] as const;
  for (const [options, sentence] of wrong) {
    assert.throws(
      () => exploreFrom(options),
      (error) => error instanceof UsageError && sentence.test(error.message),
    );
  }
});
