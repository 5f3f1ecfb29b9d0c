/**
 * A server is killed as by kill -9, again and again: by the clock, and between any two of its steps that change a file,
 * those of starting and restoring among them. What was acknowledged is there, and every client resumes its session.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { DURABILITY_MODES } from '../journal/durability.ts';
import { openJournal } from '../journal/read-journal.ts';
import { replay } from '../journal/replay.ts';
import { newLiveMachine } from '../live/new-live-machine.ts';
import { Acknowledged } from './acknowledged.fixture.ts';
import { bundleServer } from './bundled-server.fixture.ts';
import { MortalServer } from './mortal-server.fixture.ts';
import { modelOf } from './start-server.ts';

/** For each of three rounds: 60 in all, 20 in each mode. */
const KILLS = 20;
/** Changes of files up to where all labs are restored, or a few more. */
const START_STEPS = 10;
const WORK_STEPS = 150;
const WORK_MS_MAX = 50;
/** A server starts in a second of computing, 21 times; other tests want the same cores. */
const ROUND_MS_MAX = 300_000;
const SERVER = fileURLToPath(new URL('..', import.meta.url));

const ROUNDS = [
  { seed: 1, checkpointEvery: 40 },
  { seed: 2, checkpointEvery: 400 },
  { seed: 3, checkpointEvery: 4_000 },
];

let bundle: string;
let main: string;

before(async () => {
  bundle = mkdtempSync(join(tmpdir(), 'mmrace-server-'));
  main = await bundleServer(bundle);
});

after(() => rmSync(bundle, { recursive: true }));

// Side by side: most of a round is waiting for a process that starts, and for clients that come back.
suite('killed at any moment', { concurrency: ROUNDS.length }, () => {
  for (const round of ROUNDS) {
    const options = { timeout: ROUND_MS_MAX };
    test(`${KILLS} kills lose nothing that was acknowledged: seed ${round.seed}`, options, (t) =>
      killedAgainAndAgain(t, round),
    );
  }
});

async function killedAgainAndAgain(
  t: TestContext,
  { seed, checkpointEvery }: (typeof ROUNDS)[number],
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'mmrace-crash-'));
  const random = xoroshiro128plus(seed);
  const upTo = (most: number) => uniformInt(random, 1, most);
  const server = new MortalServer({ main, directory, checkpointEvery });
  assert.equal(await server.start('each'), 'listens');
  const clients = new Acknowledged(server.webSocketUrl, 'demo');
  try {
    await clients.begin();
    await clients.allAnswered();
    await server.terminate();
    let early = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const dieAt = [upTo(START_STEPS), upTo(WORK_STEPS), 'never' as const][kill % 3];
      // Each mode with each way to die.
      const mode = DURABILITY_MODES[(Math.floor(kill / 3) + seed) % 3] ?? 'each';
      if ((await server.start(mode, dieAt)) === 'over') early += 1;
      // Until it has died at its step; or in the middle of the work, by the clock.
      await Promise.race([clients.allAnswered(), server.over]);
      await sleep(upTo(WORK_MS_MAX));
      await server.kill();
    }
    assert.equal(await server.start('each'), 'listens');
    await clients.allAnswered();
    while (checkpointEvery === 40 && checkpointsIn(directory) === 0) await clients.allAnswered();
    await clients.end();
    const answer = await fetch(`${server.url}/api/labs/demo`);
    assert.match(await answer.text(), /"state":"open"/);
    t.diagnostic(
      `${clients.stores} stores acknowledged, 0 lost; ${early} of ${KILLS} kills while it started`,
    );
    await server.kill();
    const files = readdirSync(directory).filter((file) => file.endsWith('.jsonl'));
    assert.equal(files.length, 1);
    const journal = openJournal(join(directory, files[0] ?? ''));
    const model = modelOf(SERVER);
    const again = replay(journal, {
      newMachine: newLiveMachine,
      model,
      onEvent: () => undefined,
    });
    assert.equal(again.outcome, 'identical');
  } finally {
    clients.giveUp();
    await server.kill();
    rmSync(directory, { recursive: true });
  }
}

function checkpointsIn(directory: string): number {
  return readdirSync(directory).filter((file) => file.endsWith('.checkpoint.json')).length;
}
