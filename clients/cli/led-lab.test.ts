/**
 * Counterexamples whose order lies inside of calls are played by clients, cue by cue: the page table goes the way that
 * it went in the search, and the same rule is broken.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { Event } from '../../server/abi/event.ts';
import { DEFAULT_CONFIG } from '../../server/app/config.ts';
import { type RunningServer, startServer } from '../../server/app/start-server.ts';
import type { Lab } from '../../server/live/lab.ts';
import { startCpu } from '../agents/cpu-agent.ts';
import { startDevice } from '../agents/device-agent.ts';
import type { PlayedAgent } from '../agents/played-agent.ts';

const LOOK_MS = 20;
/** Between two requests: a server lets nobody ask more often. */
const RUN_LOOK_MS = 200;

let server: RunningServer;
const agents: PlayedAgent[] = [];
const opened: Lab[] = [];

before(async () => {
  server = await startServer({ ...DEFAULT_CONFIG, port: 0, drainMs: 1, logLevel: 'silent' });
});
afterEach(async () => {
  const leaving = agents.splice(0);
  for (const agent of leaving) agent.close();
  await Promise.all(leaving.map(({ left }) => left));
  for (const lab of opened.splice(0)) server.labs.remove(lab);
});
after(() => server.stop());

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
async function ask(method: string, path: string, body?: unknown): Promise<any> {
  const answer = await fetch(`${server.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answer.json();
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await wait(LOOK_MS);
}

interface Opened {
  readonly lab: Lab;
  /** What the search has seen. */
  readonly found: readonly Event[];
}

async function openedFrom(scenario: string, patch: string): Promise<Opened> {
  const { run } = await ask('POST', '/api/runs', { scenario, patch });
  for (let state = run.state; state !== 'done'; await wait(RUN_LOOK_MS)) {
    ({ state } = (await ask('GET', `/api/runs/${run.id}`)).run);
  }
  const { events } = await ask('GET', `/api/runs/${run.id}/events`);
  const { lab: entry } = await ask('POST', '/api/labs', { run: run.id });
  const lab = server.labs.get(entry.name);
  assert.ok(lab !== 'none');
  opened.push(lab);
  return { lab, found: events };
}

/** A client for each role. Returns who plays it. */
async function cast(lab: Lab): Promise<ReadonlyMap<string, string>> {
  const { sheet, seats } = lab.scene;
  assert.ok(sheet !== undefined);
  const roles = new Map<string, string>();
  for (const { role, actor } of sheet.cast) {
    const taken = new Set(roles.values());
    const seat = seats.find(
      ({ name }) => !taken.has(name) && name.replace(/\d+$/, '') === actor.replace(/\d+$/, ''),
    );
    assert.ok(seat !== undefined, actor);
    roles.set(role, seat.name);
    const who = { url: server.webSocketUrl, lab: lab.name, name: seat.name };
    const options = { ...who, connectMs: 10_000, say: () => undefined };
    agents.push(seat.role === 'cpu' ? startCpu(options) : startDevice(options));
  }
  await Promise.all(agents.map(({ greeted }) => greeted));
  return roles;
}

/** What became of entries, but for which frames they have: a lab has handed out others. */
function entries(events: readonly Event[]): string[] {
  return events.flatMap((event) => {
    if (event.kind !== 'pte') return [];
    return [`mm${event.mm} ${event.page.toString(16)}: ${event.from.state} to ${event.to.state}`];
  });
}

const LED: readonly (readonly [scenario: string, patch: string, breaks: string])[] = [
  ['collect-drops-dirty', 'collect-drops-dirty', 'OR3'],
  ['cow-while-mirrored', 'cow-ends-bracket-early', 'OR1'],
  ['device-fault-without-reference', 'device-fault-without-reference', 'OR2'],
  ['hole-two-winners', 'insert-ignores-pte-change', 'OR1'],
  ['madvise-before-map', 'stock', 'OR1'],
  ['migrate-back-refault', 'stock', 'OR1'],
  ['mprotect-vs-rmap-walk', 'rmap-walk-without-lock', 'OR7'],
  ['mremap-before-its-page', 'mremap-without-rmap-locks', ''],
  ['mremap-vs-rmap-walk', 'move-looks-outside-lock', 'OR3'],
  ['own-refault', 'stock', 'OR1'],
  ['swapin-skips-cache', 'swapin-without-claim', 'OR3'],
];

for (const [scenario, patch, breaks] of LED) {
  test(`${scenario} with ${patch} is led, step by step, to where the search has come`, async () => {
    const { lab, found } = await openedFrom(scenario, patch);
    const { director, scene } = lab;
    assert.ok(director !== 'none', scene.todo.join(' '));
    const roles = await cast(lab);
    let begins = lab.feed.n;
    for (const [at, { role, led }] of (scene.sheet?.cues ?? []).entries()) {
      const cue = { actor: roles.get(role), cue: at };
      const { error } = await ask('POST', `/api/labs/${lab.name}/cues`, cue);
      assert.equal(error, undefined);
      await until(() => director.seen().state !== 'under way');
      if (led?.op.startsWith('setup') === true) begins = lab.feed.n;
    }
    const { state, why } = director.seen();
    assert.deepEqual([state, why], ['done', undefined]);
    const events = lab.eventsAfter(begins);
    assert.ok(events !== 'too-old');
    assert.deepEqual(entries(events).slice(0, entries(found).length), entries(found));
    const broken = events.flatMap((event) => (event.kind === 'violation' ? [event.rule] : []));
    assert.ok(breaks === '' || broken.includes(breaks), broken.join(' '));
  });
}

const NOT_LED: readonly (readonly [scenario: string, patch: string, why: RegExp])[] = [
  ['device-fault-livelock', 'device-fault-reference-before-lock', /faults over and over/],
  ['erase-without-driver-lock', 'stock', /lies inside of dmirror_do_read\(\), which a phone/],
  ['nonblock-unpaired-end', 'eagain-without-end', /That is nothing a phone does|inside of a phone/],
  ['pinned-before-fork', 'fork-shares-pinned', /pin-write 3 1. That is nothing a phone does/],
  ['valid-flag-aba', 'validity-is-boolean', /a client compares its own/],
  ['wedged-device', 'device-fault-ignores-failure', /the driver wedged, which no phone plays/],
];

for (const [scenario, patch, why] of NOT_LED) {
  test(`${scenario} with ${patch} cannot be led, and the lab says why`, async () => {
    const { lab } = await openedFrom(scenario, patch);
    assert.equal(lab.director, 'none');
    assert.match(lab.scene.todo.at(-1) ?? '', why);
  });
}

test('a cue is for the player of its role, in its turn, and ends with the hand that drives', async () => {
  const { lab } = await openedFrom('cow-while-mirrored', 'cow-ends-bracket-early');
  const { director } = lab;
  assert.ok(director !== 'none');
  await cast(lab);
  const cues = `/api/labs/${lab.name}/cues`;
  const cow = { actor: 'cpu0', cue: 0 };
  assert.equal((await ask('POST', cues, { ...cow, cue: 1 })).error.code, 'no-such-cue');
  assert.equal((await ask('POST', cues, { ...cow, actor: 'gpu9' })).error.code, 'no-such-actor');
  assert.equal((await ask('POST', cues, cow)).error, undefined);
  await until(() => director.seen().state === 'next');
  assert.deepEqual(director.seen().held, [{ actor: 'cpu0', at: 'wp_page_copy.ptl' }]);
  assert.equal((await ask('POST', cues, { actor: 'dev0', cue: 1 })).error, undefined);
  await until(() => director.seen().state === 'next');
  assert.equal((await ask('POST', cues, { actor: 'dev0', cue: 2 })).error.what, 'cpu0 is the cpu');
  const control = `/api/labs/${lab.name}/control`;
  const { led } = await ask('POST', control, { action: 'resume' });
  assert.equal(led?.state ?? director.seen().state, 'lost');
  await until(() => lab.controlSeen().tasks.length === 0);
  const restarted = await ask('POST', control, { action: 'restart' });
  assert.equal(restarted.error, undefined);
  assert.deepEqual(director.seen(), { cue: 0, state: 'next', held: [] });
});
