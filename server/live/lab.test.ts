import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineConfig } from '../machine/machine-config.ts';
import type { Inbound, MachineSinks, Outbound } from '../machine/remote/inbound.ts';
import { HELD_UNORDERED_MS } from '../protocol/limits.ts';
import type { Refusal } from '../protocol/refusal.ts';
import { Lab, type LabOptions } from './lab.ts';
import type { ActorLink, LabActor, QuestionId, SavedLink } from './lab-actor.ts';
import { newLabInit } from './lab-init.ts';

const LEASE_MS = 100;
const STOCK: MachineConfig = { patch: 'stock' };

/** A machine that does nothing by itself. */
class StillMachine {
  readonly accepted: Inbound[] = [];
  readonly config: MachineConfig;
  readonly sinks: MachineSinks;
  stalling: readonly string[] = [];
  onAccept: (inbound: Inbound) => void = () => {};

  constructor(config: MachineConfig, sinks: MachineSinks) {
    this.config = config;
    this.sinks = sinks;
  }

  readonly busy = false;

  goOn(): void {
    // It does nothing.
  }

  accept(inbound: Inbound): void {
    this.accepted.push(inbound);
    this.onAccept(inbound);
  }

  view() {
    return { ptes: [], mirrors: [], vmas: [] };
  }

  stallers(): readonly string[] {
    return this.stalling;
  }

  knows(): boolean {
    return false;
  }

  tasks() {
    return [];
  }

  eventsAfter(): 'too-old' {
    return 'too-old';
  }

  digest(): string {
    return `${this.accepted.length}`;
  }

  ask(actor: string, id: number, method: string): void {
    this.sinks.outbound({ kind: 'question', actor, id, method, params: {} });
  }

  kinds(): string[] {
    return this.accepted.map((inbound) =>
      'actor' in inbound ? `${inbound.kind} ${inbound.actor}` : inbound.kind,
    );
  }
}

const KEY = { hash: 'a', epoch: 1 };

class RecordedLink implements ActorLink {
  readonly asked: { id: QuestionId; method: string; params: unknown }[] = [];
  readonly responses: Extract<Outbound, { kind: 'response' }>[] = [];
  readonly told: string[] = [];
  readonly refusals: Refusal[] = [];
  closedWith = '';
  slowMs = 0;
  cuts = 0;

  respond(response: Extract<Outbound, { kind: 'response' }>): void {
    this.responses.push(response);
  }
  ask(id: QuestionId, method: string, params: unknown): number {
    this.asked.push({ id, method, params });
    return this.asked.length;
  }
  tell(method: string): number {
    this.told.push(method);
    return 0;
  }
  pong(): number {
    return 0;
  }
  refuseRequest(id: number | null, outcome: Refusal): number {
    const actor = 'nobody';
    this.responses.push({ kind: 'response', actor, id: id ?? 0, outcome, contents: [] });
    return 0;
  }
  saved(): SavedLink {
    return { keys: [KEY], received: 0, sent: 0, frames: [] };
  }
  refuse(refusal: Refusal): void {
    this.refusals.push(refusal);
  }
  close(reason: string): void {
    this.closedWith = reason;
  }
  slow(ms: number): void {
    this.slowMs = ms;
  }
  flow(): void {
    // A still machine is never busy.
  }
  cut(): void {
    this.cuts += 1;
  }
}

function startLab(record: LabOptions['record'] = 'none') {
  const machines: StillMachine[] = [];
  const bugs: unknown[] = [];
  const lab = new Lab({
    name: 'test',
    joinCode: 'BCDFG',
    beginning: newLabInit(),
    config: STOCK,
    leaseMs: LEASE_MS,
    record,
    onBug: (_lab, bug) => bugs.push(bug),
    factory: (config, sinks) => {
      const machine = new StillMachine(config, sinks);
      machines.push(machine);
      return machine;
    },
  });
  const machine = () => machines.at(-1) ?? assert.fail('no machine');
  const join = (name: string, role: 'device' | 'cpu' = 'device') => {
    const link = new RecordedLink();
    const actor = lab.attach(name, role, link);
    assert.ok(!('code' in actor));
    return { link, actor };
  };
  return { lab, machine, machines, bugs, join };
}

const OK_ANSWER = { ok: true, result: {} } as const;

function request(actor: LabActor, id: number): Extract<Inbound, { kind: 'request' }> {
  return { kind: 'request', actor: actor.name, id, method: 'exit', params: {}, contents: [] };
}

test('an actor whose question is overdue is fenced, one that answered is not', () => {
  const { lab, machine, join } = startLab();
  const { actor: quick } = join('quick');
  join('late');
  machine().ask('quick', 1, 'invalidate');
  machine().ask('late', 2, 'invalidate');
  lab.tick(LEASE_MS - 1);
  lab.takeAnswer(quick, 1, OK_ANSWER);
  lab.tick(LEASE_MS);
  assert.deepEqual(machine().kinds().slice(2), ['answer quick', 'fence late']);
});

test('a question of the conductor fences no device', async () => {
  const { lab, machine, join } = startLab();
  const { actor, link } = join('a');
  const performed = lab.perform('a', { verb: 'read' });
  assert.equal(link.asked[0]?.method, 'perform');
  lab.tick(10 * LEASE_MS);
  assert.deepEqual(machine().kinds(), ['attach a']);
  lab.takeAnswer(actor, link.asked[0]?.id ?? 0, { ok: true, result: { value: '0x1' } });
  assert.deepEqual(await performed, { ok: true, result: { value: '0x1' } });
});

test('a silent device that holds what others wait for is fenced, unless a conductor holds it', () => {
  const { lab, machine, join } = startLab();
  const { actor: told } = join('told');
  join('silent');
  machine().stalling = ['told', 'silent'];
  lab.take(told, {
    kind: 'notify',
    actor: 'told',
    method: 'held',
    params: { after: 'migrate_vma_setup' },
    contents: [],
  });
  lab.tick(LEASE_MS);
  assert.deepEqual(machine().kinds().slice(2), ['fence silent']);
  // A device that is held but has lost its connection is nobody's to let go.
  lab.away(told);
  lab.tick(2 * LEASE_MS);
  assert.deepEqual(machine().kinds().slice(2), ['fence silent', 'fence told']);
});

test('a staller that waits for an answer itself has time until those that it waits for are fenced', () => {
  const { lab, machine, join } = startLab();
  const { actor } = join('asking');
  lab.take(actor, request(actor, 1));
  machine().stalling = ['asking'];
  lab.tick(2 * LEASE_MS - 1);
  assert.deepEqual(machine().kinds(), ['attach asking', 'request asking']);
  lab.tick(2 * LEASE_MS);
  assert.equal(machine().kinds().at(-1), 'fence asking');
});

test('a fenced device that comes back is attached again', () => {
  const { lab, machine, join } = startLab();
  const { actor, link } = join('a');
  machine().onAccept = ({ kind }) => {
    if (kind === 'fence') {
      machine().sinks.outbound({ kind: 'tell', actor: 'a', method: 'fenced', params: {} });
    }
  };
  lab.away(actor);
  machine().ask('a', 1, 'invalidate');
  lab.tick(LEASE_MS);
  assert.deepEqual(link.told, ['fenced']);
  assert.equal(lab.snapshot().actors[0]?.state, 'fenced');
  assert.equal(lab.back(actor, KEY, 1), 'fenced');
  assert.deepEqual(machine().kinds(), ['attach a', 'fence a', 'attach a']);
  // The question that it left open is nobody's any more.
  lab.tick(3 * LEASE_MS);
  assert.deepEqual(machine().kinds(), ['attach a', 'fence a', 'attach a']);
  assert.equal(lab.snapshot().actors[0]?.state, 'attached');
});

test('what happens inside of an accept waits for its end', () => {
  const { machine, join, lab } = startLab();
  const { actor } = join('a');
  const order: string[] = [];
  machine().onAccept = (inbound) => {
    if (inbound.kind !== 'request') return;
    order.push(`begin ${inbound.id}`);
    if (inbound.id === 1) lab.take(actor, request(actor, 2));
    order.push(`end ${inbound.id}`);
  };
  lab.take(actor, request(actor, 1));
  assert.deepEqual(order, ['begin 1', 'end 1', 'begin 2', 'end 2']);
});

test('hold, held and go: the conductor waits for the actor, in either order', async () => {
  const { lab, join } = startLab();
  const { actor, link } = join('a');
  const held = {
    kind: 'notify',
    actor: 'a',
    method: 'held',
    params: { after: 'hmm_range_fault' },
    contents: [],
  } as const;
  const armed = lab.hold('a', 'hmm_range_fault');
  assert.deepEqual(link.asked[0]?.params, { after: 'hmm_range_fault' });
  lab.takeAnswer(actor, link.asked[0]?.id ?? 0, OK_ANSWER);
  assert.deepEqual(await armed, OK_ANSWER);
  const first = lab.untilHeld('a', 'hmm_range_fault');
  lab.take(actor, held);
  assert.equal(await first, 'held');
  lab.take(actor, held);
  assert.equal(await lab.untilHeld('a', 'hmm_range_fault'), 'held');
  const never = lab.untilHeld('a', 'hmm_range_fault');
  const unanswered = lab.perform('a', { verb: 'read' });
  lab.leave(actor);
  assert.equal(await never, 'gone');
  assert.deepEqual(await unanswered, { ok: false, why: 'a left the lab' });
  assert.equal(await lab.untilHeld('a', 'hmm_range_fault'), 'gone');
});

test('a lab begins anew: what ran is refused, old answers count for nothing, all attach again', async () => {
  const { lab, machines, machine, join } = startLab();
  const { actor, link } = join('a');
  lab.take(actor, request(actor, 7));
  machine().ask('a', 1, 'invalidate');
  const stale = link.asked[0]?.id ?? 0;
  const renewed = lab.renew({ patch: 'remove-second-invalidate' });
  assert.equal(machines.length, 2);
  const outcome = link.responses[0]?.outcome;
  assert.ok(outcome?.ok === false && outcome.errno === 'ESTALE');
  lab.takeAnswer(actor, stale, OK_ANSWER);
  lab.take(actor, request(actor, 8));
  assert.equal(link.responses.length, 2);
  assert.deepEqual(machine().accepted, []);
  // What the old machine still says reaches nobody.
  machines[0]?.ask('a', 9, 'invalidate');
  assert.deepEqual(
    link.asked.map(({ method }) => method),
    ['invalidate', 'reset'],
  );
  lab.takeAnswer(actor, link.asked[1]?.id ?? 0, OK_ANSWER);
  await renewed;
  assert.deepEqual(machine().kinds(), ['attach a']);
  assert.equal(lab.snapshot().patch, 'remove-second-invalidate');
  // The new machine counts its questions from the beginning, and is not confused by old answers.
  machine().ask('a', 1, 'invalidate');
  assert.notEqual(link.asked[2]?.id, stale);
  lab.takeAnswer(actor, link.asked[2]?.id ?? 0, OK_ANSWER);
  assert.deepEqual(machine().accepted.at(-1), {
    kind: 'answer',
    actor: 'a',
    id: 1,
    outcome: OK_ANSWER,
  });
});

test('what a client sends right behind its answer to reset reaches the new machine', async () => {
  const { lab, machine, join } = startLab();
  const { actor, link } = join('a');
  const renewed = lab.renew(STOCK);
  // Two frames of one segment are read in one turn: no promise is settled between them.
  lab.takeAnswer(actor, link.asked[0]?.id ?? 0, OK_ANSWER);
  lab.take(actor, request(actor, 1));
  assert.deepEqual(machine().kinds(), ['attach a', 'request a']);
  assert.deepEqual(link.responses, []);
  await renewed;
});

test('verbs and holds of before a reset are over: no task waits for them, or stands at them', async () => {
  const { lab, join } = startLab();
  const { actor, link } = join('a');
  const held = {
    kind: 'notify',
    actor: 'a',
    method: 'held',
    params: { after: 'migrate_vma_setup' },
    contents: [],
  } as const;
  const performed = lab.perform('a', { verb: 'read' });
  lab.take(actor, held);
  const renewed = lab.renew(STOCK);
  lab.take(actor, held);
  assert.deepEqual(await performed, { ok: false, why: 'the lab test began anew' });
  lab.takeAnswer(actor, link.asked[1]?.id ?? 0, OK_ANSWER);
  await renewed;
  assert.equal(actor.holding, 0);
  const fresh = lab.untilHeld('a', 'migrate_vma_setup');
  lab.leave(actor);
  assert.equal(await fresh, 'gone');
});

test('an actor that was away when its lab began anew is attached once it has answered', async () => {
  const { lab, machine, join } = startLab();
  const { actor, link } = join('a');
  lab.away(actor);
  const renewed = lab.renew(STOCK);
  assert.equal(lab.back(actor, KEY, 1), 'attached');
  lab.takeAnswer(actor, link.asked[0]?.id ?? 0, OK_ANSWER);
  await renewed;
  assert.equal(lab.snapshot().actors[0]?.state, 'attached');
  assert.deepEqual(machine().kinds(), ['attach a']);
});

test('a machine that throws closes its lab and is reported', () => {
  const { lab, machine, bugs, join } = startLab();
  const { actor, link } = join('a');
  machine().onAccept = () => {
    throw new Error('a bug');
  };
  lab.take(actor, request(actor, 1));
  assert.equal(link.closedWith, 'internal');
  assert.equal(lab.state, 'closed');
  assert.equal(bugs.length, 1);
  const late = lab.attach('b', 'cpu', new RecordedLink());
  assert.ok('code' in late && late.code === 'no-such-lab');
});

test('a recording that can no longer be written closes its lab and is reported', () => {
  const full = () => {
    throw new Error('ENOSPC');
  };
  const { lab, bugs, join } = startLab(() => ({
    inbound: (inbound) => (inbound.kind === 'attach' ? undefined : full()),
    event: () => undefined,
    settled: () => undefined,
    lab: () => undefined,
    close: full,
  }));
  const { actor, link } = join('a');
  lab.take(actor, request(actor, 1));
  assert.equal(link.closedWith, 'internal');
  assert.equal(bugs.length, 1);
});

test('a lab whose next recording cannot be opened stays as it is', async () => {
  let opened = 0;
  const { lab, machine, join } = startLab(() => {
    opened += 1;
    if (opened > 1) throw new Error('EACCES');
    return {
      inbound: () => undefined,
      event: () => undefined,
      settled: () => undefined,
      lab: () => undefined,
      close: () => assert.fail('the first recording goes on'),
    };
  });
  const { actor, link } = join('a');
  const before = machine();
  await assert.rejects(lab.renew({ patch: 'remove-second-invalidate' }), /EACCES/);
  assert.equal(lab.config.patch, 'stock');
  lab.take(actor, request(actor, 1));
  assert.deepEqual(before.kinds(), ['attach a', 'request a']);
  assert.deepEqual(link.asked, []);
});

test('a device that says held by itself is not fenced at once, and not spared for ever', () => {
  const { lab, machine, join } = startLab();
  const { actor } = join('a');
  machine().stalling = ['a'];
  const held = {
    kind: 'notify',
    actor: 'a',
    method: 'held',
    params: { after: 'migrate_vma_setup' },
    contents: [],
  } as const;
  lab.take(actor, held);
  lab.tick(HELD_UNORDERED_MS - 1);
  assert.equal(actor.fenced, false);
  // To say it again does not help.
  lab.take(actor, held);
  lab.tick(HELD_UNORDERED_MS + 2 * LEASE_MS);
  assert.equal(actor.fenced, true);
});

test('a device that a conductor has told to hold is spared for as long as it holds', () => {
  const { lab, machine, join } = startLab();
  const { actor, link } = join('a');
  machine().stalling = ['a'];
  lab.hold('a', 'migrate_vma_setup');
  lab.takeAnswer(actor, link.asked[0]?.id ?? 0, OK_ANSWER);
  const params = { after: 'migrate_vma_setup' };
  lab.take(actor, { kind: 'notify', actor: 'a', method: 'held', params, contents: [] });
  lab.tick(10 * HELD_UNORDERED_MS);
  assert.equal(actor.fenced, false);
});
