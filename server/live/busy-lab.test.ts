/** A request that takes many steps: other labs have their turn, its own clients wait, and nothing happens otherwise. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJournal } from '../journal/read-journal.ts';
import { journalRecorder } from '../journal/recorder.ts';
import { replay } from '../journal/replay.ts';
import type { Inbound, Outbound } from '../machine/remote/inbound.ts';
import type { RequestId } from '../protocol/envelope.ts';
import { Lab } from './lab.ts';
import type { ActorLink, LabActor, SavedLink } from './lab-actor.ts';
import { newLabInit } from './lab-init.ts';
import { newLiveMachine } from './new-live-machine.ts';

const MODEL = { hash: 'abc', version: '0' };
const PAGES = 8_000;
const REGION = { address: '0x100200000', pages: PAGES };

class Link implements ActorLink {
  readonly answered: RequestId[] = [];
  readonly flows: string[] = [];
  asked = 0;

  respond({ id }: Extract<Outbound, { kind: 'response' }>): void {
    this.answered.push(id);
  }
  ask(): number {
    this.asked += 1;
    return 1;
  }
  tell(): number {
    return 1;
  }
  refuse(): number {
    return 1;
  }
  pong(): number {
    return 0;
  }
  refuseRequest(): number {
    return 1;
  }
  saved(): SavedLink {
    return assert.fail();
  }
  close(): void {}
  slow(): void {}
  cut(): void {}
  flow(state: 'stopped' | 'free'): void {
    this.flows.push(state);
  }
}

function startLab() {
  const lines: string[] = [];
  const lab = new Lab({
    name: 'test',
    joinCode: 'BCDFG',
    beginning: newLabInit(),
    config: { patch: 'stock' },
    leaseMs: 1_000,
    record: (name, config) =>
      journalRecorder((line) => lines.push(line), {
        format: 'mmrace-journal',
        version: 2,
        model: MODEL,
        lab: name,
        config,
      }),
    onBug: (_lab, bug) => {
      throw bug;
    },
    factory: newLiveMachine,
  });
  const link = new Link();
  const cpu = lab.attach('cpu0', 'cpu', link);
  assert.ok('name' in cpu);
  ask(lab, cpu, 1, 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  assert.deepEqual(link.answered, [1]);
  return { lab, link, cpu, lines };
}

function ask(lab: Lab, { name: actor }: LabActor, id: number, method: string, params: object) {
  const request: Inbound = { kind: 'request', actor, id, method, params, contents: [] };
  lab.take(lab.actors.get(actor) as LabActor, request);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

const PIN = { ...REGION, id: 1, mode: 'get' };

test('a long request is carried out in slices, between which another lab is served', async () => {
  const busy = startLab();
  const other = startLab();
  ask(busy.lab, busy.cpu, 2, 'pin', PIN);
  let turns = 0;
  while (busy.link.answered.length < 2) {
    turns += 1;
    const id = 10 + turns;
    ask(other.lab, other.cpu, id, 'load', { address: REGION.address });
    assert.equal(other.link.answered.at(-1), id, 'in the same turn');
    await nextTurn();
  }
  assert.ok(turns > 1, `${turns} turns`);
  busy.lab.close('going');
  other.lab.close('going');
});

test('what a lab takes is written down at once, also when the steps of the turn are used up', () => {
  const { lab, cpu, lines } = startLab();
  let id = 2;
  for (; !lab.busy; id += 1) {
    const before = lines.length;
    ask(lab, cpu, id, 'load', { address: REGION.address });
    assert.ok(lines.length > before, `request ${id}`);
  }
  // It would have gone on: nothing that was taken here was long.
  assert.ok(id > 100, `${id} requests`);
  lab.close('going');
});

test('thousands of questions are asked in slices, as steps are', async () => {
  const { lab, cpu } = startLab();
  const SUBSCRIPTIONS = 1_000;
  const range = { first: 0x100200, end: 0x100200 + PAGES };
  const link = new Link();
  const devices = ['gpu0', 'gpu1', 'gpu2'].map((name) => lab.attach(name, 'device', link));
  for (const device of devices) {
    assert.ok('name' in device);
    for (let id = 1; id <= SUBSCRIPTIONS; id += 1) {
      ask(lab, device, id, 'mmu_interval_notifier_insert', { range });
      if (id % 100 === 0) await nextTurn();
    }
  }
  ask(lab, cpu, 2, 'munmap', REGION);
  for (let before = 0; before < link.asked; await nextTurn()) {
    assert.ok(link.asked - before < SUBSCRIPTIONS, `${link.asked - before} in one turn`);
    before = link.asked;
  }
  assert.equal(link.asked, 3 * SUBSCRIPTIONS);
  // Devices that are fenced leave all of them open, and each is an event.
  lab.tick(20_000);
  assert.ok(devices.every((device) => 'name' in device && device.fenced));
  assert.ok(lab.busy);
  while (lab.busy) await nextTurn();
  lab.close('going');
});

test('clients of a busy lab are not read from, and are heard in order once it is not busy', async () => {
  const { lab, link, cpu } = startLab();
  ask(lab, cpu, 2, 'pin', PIN);
  assert.ok(lab.busy);
  lab.stop(link);
  const order: string[] = [];
  lab.inTurn(() => order.push(`after ${link.answered.at(-1)}`));
  lab.inTurn(() => ask(lab, cpu, 3, 'load', { address: REGION.address }));
  lab.inTurn(() => order.push(`after ${link.answered.at(-1)}`));
  assert.deepEqual([link.answered, link.flows, order], [[1], ['stopped'], []]);
  while (link.answered.length < 3) await nextTurn();
  assert.deepEqual(
    [link.answered, order],
    [
      [1, 2, 3],
      ['after 2', 'after 3'],
    ],
  );
  assert.deepEqual(link.flows, ['stopped', 'free']);
  lab.close('going');
});

test('a recording of slices replays as one, also if the lab ends in the middle', async () => {
  for (const end of ['later', 'at once']) {
    const { lab, link, cpu, lines } = startLab();
    ask(lab, cpu, 2, 'pin', PIN);
    ask(lab, cpu, 3, 'load', { address: REGION.address });
    while (end === 'later' && link.answered.length < 3) await nextTurn();
    lab.close('going');
    const journal = parseJournal(lines.join(''), 'test');
    const replayed = replay(journal, {
      newMachine: newLiveMachine,
      model: MODEL,
      onEvent: () => undefined,
    });
    assert.equal(replayed.outcome, 'identical');
  }
});

test('what waits for a busy lab costs no client the lease', () => {
  const { lab, cpu } = startLab();
  ask(lab, cpu, 2, 'pin', PIN);
  const before = lab.timeAt(10_000);
  lab.tick(10_000);
  assert.equal(lab.timeAt(10_000), before);
  lab.close('going');
});
