/**
 * A server is killed as by kill -9, again and again: by the clock, and between any two of its steps that change a file,
 * those of starting and restoring among them. What was acknowledged is there, and every client resumes its session.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { DURABILITY_MODES } from '../journal/durability.ts';
import { openJournal } from '../journal/read-journal.ts';
import { replay } from '../journal/replay.ts';
import { newLiveMachine } from '../live/new-live-machine.ts';
import { Acknowledged } from './acknowledged.fixture.ts';
import { MortalServer } from './mortal-server.fixture.ts';
import { modelOf } from './start-server.ts';

/** For each of two seeds and three modes: 60 in all. */
const KILLS = 10;
/** Changes of files up to where all labs are restored, or a few more. */
const START_STEPS = 10;
const WORK_STEPS = 150;
const WORK_MS_MAX = 50;
const SERVER = fileURLToPath(new URL('..', import.meta.url));

const ROUNDS = DURABILITY_MODES.flatMap((durability) =>
  [1, 2].map((seed) => ({ durability, seed })),
);

for (const { durability, seed } of ROUNDS) {
  test(`${KILLS} kills at any moment lose nothing that was acknowledged: ${durability}, ${seed}`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'mmrace-crash-'));
    const random = xoroshiro128plus(seed);
    const upTo = (most: number) => uniformInt(random, 1, most);
    const server = new MortalServer({ directory, durability });
    try {
      assert.equal(await server.start(), 'listens');
      const clients = new Acknowledged(server.webSocketUrl, 'demo');
      await clients.begin();
      await clients.allAnswered();
      await server.kill();
      let early = 0;
      for (let kill = 0; kill < KILLS; kill += 1) {
        const dieAt = [upTo(START_STEPS), upTo(WORK_STEPS), 'never' as const][kill % 3];
        if ((await server.start(dieAt)) === 'over') early += 1;
        // Until it has died at its step; or in the middle of the work, by the clock.
        await Promise.race([clients.allAnswered(), server.over]);
        await sleep(upTo(WORK_MS_MAX));
        await server.kill();
      }
      assert.equal(await server.start(), 'listens');
      await clients.allAnswered();
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
      await server.kill();
      rmSync(directory, { recursive: true });
    }
  });
}
