/** Observers of a real server in this process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunningServer } from '../../../server/app/start-server.ts';
import { script, TEST_LAB, withServer } from '../prompt/lab-for-prompts.fixture.ts';
import { type WatchedLab, type WatchOptions, watchLab } from './watch-lab.ts';

const EVERYTHING = { actors: [], kinds: [], pages: [], functions: [] } as const;

interface Watched extends WatchedLab {
  readonly printed: string[];
  readonly said: string[];
  /** Waits until a line that was printed fits. */
  prints(text: RegExp): Promise<void>;
}

async function watch(server: RunningServer, more: Partial<WatchOptions> = {}): Promise<Watched> {
  const printed: string[] = [];
  const said: string[] = [];
  const looks = new Set<() => void>();
  const watched = await watchLab({
    url: server.webSocketUrl,
    lab: TEST_LAB,
    name: 'eyes',
    format: 'text',
    filter: EVERYTHING,
    since: 'now',
    colour: 'plain',
    print: (text) => {
      printed.push(...text.split('\n'));
      for (const look of looks) look();
    },
    say: (text) => {
      said.push(text);
      for (const look of looks) look();
    },
    ...more,
  });
  const prints = (text: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if ([...printed, ...said].some((line) => text.test(line))) resolve();
      };
      looks.add(look);
      look();
    });
  return { ...watched, printed, said, prints };
}

test('every event is a line, in order and without gaps', () =>
  withServer(async (server) => {
    const all = await watch(server);
    const some = await watch(server, {
      format: 'jsonl',
      filter: { ...EVERYTHING, kinds: ['pte'] },
    });
    assert.deepEqual(all.said, [
      'lab demo at event 0, kernel stock 6.12, with no actors; nothing is mapped',
    ]);
    await script(server, 'cpu', 'cpu0', ['mmap 0x10000 1', 'load a']);
    await all.prints(/cpu0 +detaches/);
    const numbers = all.printed.map((line) => Number(line.slice(3, 10)));
    assert.deepEqual(
      numbers,
      numbers.map((_, at) => at + 1),
    );
    await some.prints(/"kind":"pte"/);
    assert.deepEqual(
      some.printed.map((line) => JSON.parse(line).kind),
      ['pte'],
    );
    all.close();
    some.close();
  }));

test('what came before is shown with --since, and goes over into what comes', () =>
  withServer(async (server) => {
    await script(server, 'cpu', 'cpu0', ['mmap 0x10000 1', 'load a']);
    const late = await watch(server, { since: 3 });
    await script(server, 'cpu', 'cpu1', ['load a']);
    await late.prints(/cpu1 +detaches/);
    const numbers = late.printed.map((line) => Number(line.slice(3, 10)));
    assert.deepEqual(
      numbers,
      numbers.map((_, at) => at + 4),
    );
    late.close();
  }));

test('an observer that gets a snapshot in the middle says what it did not show', () =>
  withServer(async (server) => {
    const lab = server.labs.get(TEST_LAB);
    assert.ok(lab !== 'none');
    const watched = await watch(server);
    await script(server, 'cpu', 'cpu0', ['mmap 0x10000 1', 'load a']);
    await watched.prints(/cpu0 +detaches/);
    await lab.renew({ ...lab.config, patch: 'remove-second-invalidate' });
    await watched.prints(
      /^the lab began anew: kernel remove-second-invalidate on 6\.12, event 0, with no actors$/,
    );
    watched.close();
  }));
