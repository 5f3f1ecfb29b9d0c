/** A lab of real machines under a hand that pauses and steps: what it records is replayed to the same end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJournal } from '../journal/read-journal.ts';
import { journalRecorder } from '../journal/recorder.ts';
import { type Replayed, replay } from '../journal/replay.ts';
import type { QuestionParams } from '../protocol/server-questions.ts';
import { Lab } from './lab.ts';
import type { ActorLink, LabActor, QuestionId, SavedLink } from './lab-actor.ts';
import { newLabInit } from './lab-init.ts';
import { newLiveMachine } from './new-live-machine.ts';
import { EMPTY_SCENE, type Scene } from './scene.ts';

const MODEL = { hash: 'abc', version: '0' };
const ADDRESS = '0x100200000';
const PAGE = 0x100200;

/** Remembers what it is asked, and answers when it is told to. */
class PatientLink implements ActorLink {
  responses = 0;
  readonly open: { id: QuestionId; method: string; params: unknown }[] = [];

  respond(): void {
    this.responses += 1;
  }
  ask(id: QuestionId, method: string, params: unknown): number {
    this.open.push({ id, method, params });
    return 1;
  }
  tell(): number {
    return 1;
  }
  pong(): number {
    return 0;
  }
  refuseRequest(): number {
    return 1;
  }
  saved(): SavedLink {
    return { keys: [{ hash: 'a', epoch: 1 }], received: 0, sent: 0, frames: [] };
  }
  refuse(): void {}
  close(): void {}
  slow(): void {}
  flow(): void {}
  cut(): void {}
}

const SCENE: Scene = {
  ...EMPTY_SCENE,
  setup: [
    { kind: 'attach', actor: 'cpu9', role: 'cpu' },
    {
      kind: 'request',
      actor: 'cpu9',
      id: 1,
      method: 'mmap',
      params: { address: ADDRESS, pages: 2, prot: 'rw', kind: 'anon-private' },
      contents: [],
    },
  ],
};

function startLab() {
  const recordings: string[][] = [];
  const lab = new Lab({
    name: 'test',
    joinCode: 'BCDFG',
    beginning: newLabInit(SCENE),
    config: { patch: 'stock' },
    leaseMs: 1_000,
    record: (name, config) => {
      const lines: string[] = [];
      recordings.push(lines);
      const header = {
        format: 'mmrace-journal',
        version: 2,
        model: MODEL,
        lab: name,
        config,
      } as const;
      return journalRecorder((line) => lines.push(line), header);
    },
    onBug: (_lab, bug) => {
      throw bug;
    },
    factory: newLiveMachine,
  });
  const join = (name: string, role: 'cpu' | 'device') => {
    const link = new PatientLink();
    const actor = lab.attach(name, role, link);
    assert.ok(!('code' in actor));
    return { actor, link };
  };
  return {
    lab,
    recordings,
    cpu0: join('cpu0', 'cpu'),
    cpu1: join('cpu1', 'cpu'),
    gpu: join('gpu0', 'device'),
  };
}

type Started = ReturnType<typeof startLab>;
let nextId = 0;

function request(lab: Lab, actor: LabActor, method: string, params: unknown): void {
  nextId += 1;
  lab.take(actor, { kind: 'request', actor: actor.name, id: nextId, method, params, contents: [] });
}

function answerOne({ lab, gpu }: Started): void {
  const question = gpu.link.open.shift();
  if (question === undefined) return;
  const { seq } = question.params as QuestionParams['invalidate'];
  lab.takeAnswer(gpu.actor, question.id, {
    ok: true,
    result: { result: 'done', invalidate_seq: seq },
  });
}

/** One thing that can happen in the lab; `at` chooses among ready tasks. */
interface Deed {
  readonly do: keyof typeof DEEDS;
  readonly at: number;
}

const DEEDS = {
  pause: ({ lab }: Started) => lab.drive.pause(),
  resume: ({ lab }: Started) => lab.drive.resume(),
  next: ({ lab }: Started) => lab.drive.step('next'),
  choose: ({ lab }: Started, at: number) => {
    const ready = lab.controlSeen().tasks.filter((task) => task.ready);
    const chosen = ready[at % Math.max(1, ready.length)];
    if (chosen !== undefined) lab.drive.step(chosen.id);
  },
  look: ({ lab }: Started) => lab.snapshot(),
  peek: ({ lab, cpu0, cpu1 }: Started, at: number) =>
    request(lab, at % 2 === 0 ? cpu0.actor : cpu1.actor, 'load', { address: ADDRESS }),
  poke: ({ lab, cpu1 }: Started, at: number) =>
    request(lab, cpu1.actor, 'store', { address: ADDRESS, value: `0x${at.toString(16)}` }),
  drop: ({ lab, cpu1 }: Started) =>
    request(lab, cpu1.actor, 'madvise', { address: ADDRESS, pages: 1, advice: 'DONTNEED' }),
  subscribe: ({ lab, gpu }: Started) =>
    request(lab, gpu.actor, 'mmu_interval_notifier_insert', {
      range: { first: PAGE, end: PAGE + 2 },
    }),
  answer: (started: Started) => answerOne(started),
};

const at = fc.integer({ min: 0, max: 7 });
const among = (...deeds: Deed['do'][]) => fc.record({ do: fc.constantFrom(...deeds), at });
/** Mostly steps: only where several tasks want one lock at once does it matter who looked when. */
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 6, arbitrary: among('choose') },
  { weight: 4, arbitrary: among('next', 'look') },
  { weight: 3, arbitrary: among('peek', 'poke', 'drop', 'subscribe', 'answer') },
  { weight: 1, arbitrary: among('pause', 'pause', 'pause', 'resume') },
);

function replayed(lines: readonly string[]): Replayed {
  const journal = parseJournal(lines.join(''), 'run.jsonl');
  return replay(journal, { newMachine: newLiveMachine, model: MODEL, onEvent: () => undefined });
}

function played(deeds: readonly Deed[]): string[] {
  const started = startLab();
  for (const one of deeds) DEEDS[one.do](started, one.at);
  started.lab.close('going');
  return started.recordings[0] ?? assert.fail('nothing was recorded');
}

test('whatever a hand did to a lab, its recording is replayed to the same events and state', () => {
  fc.assert(
    fc.property(fc.array(deed, { minLength: 60, maxLength: 150 }), (deeds) => {
      const outcome = replayed(played([{ do: 'pause', at: 0 }, ...deeds]));
      assert.equal(outcome.outcome, 'identical');
    }),
    { numRuns: 60, seed: 7 },
  );
});

test('a recording without its steps, or with another choice, is not replayed to the same', () => {
  const choice = (at: number): Deed => ({ do: 'choose', at });
  const lines = played([
    { do: 'pause', at: 0 },
    { do: 'peek', at: 0 },
    { do: 'poke', at: 5 },
    ...Array.from({ length: 12 }, (_, at) => choice(at)),
  ]);
  assert.equal(replayed(lines).outcome, 'identical');
  const running = lines.map((line) => line.replace('{"kind":"pause"}', '{"kind":"resume"}'));
  assert.equal(replayed(running).outcome, 'diverged');
  const ids = [...new Set(lines.join('').match(/"task":\d+/g))];
  assert.ok(ids.length > 1, 'the hand chose among several');
  const [one = '', other = ''] = ids;
  const swapped = lines.map((line) => line.replace(one, other));
  assert.equal(replayed(swapped).outcome, 'diverged');
});

test('time stands still in a paused lab: no device is fenced that could have answered', () => {
  const started = startLab();
  const { lab, gpu } = started;
  DEEDS.subscribe(started);
  DEEDS.poke(started, 1);
  lab.tick(0);
  DEEDS.drop(started);
  assert.equal(gpu.link.open.length, 1);
  lab.tick(900);
  lab.drive.pause();
  lab.tick(100_000);
  assert.equal(lab.timeAt(100_050), 900);
  assert.equal(lab.snapshot().actors.find(({ name }) => name === 'gpu0')?.state, 'attached');
  lab.drive.resume();
  lab.tick(100_050);
  assert.equal(lab.snapshot().actors.find(({ name }) => name === 'gpu0')?.state, 'attached');
  // The 100 ms that were left of its lease are over.
  lab.tick(100_200);
  assert.equal(lab.snapshot().actors.find(({ name }) => name === 'gpu0')?.state, 'fenced');
  lab.close('going');
});

test('a lab that begins anew is set again, and still paused', async () => {
  const started = startLab();
  const { lab, gpu, cpu0, cpu1 } = started;
  lab.drive.pause();
  const renewed = lab.renew({ patch: 'remove-second-invalidate' });
  for (const { actor, link } of [gpu, cpu0, cpu1]) {
    const reset = link.open.find(({ method }) => method === 'reset');
    lab.takeAnswer(actor, reset?.id ?? '', { ok: true, result: {} });
  }
  await renewed;
  const { patch, vmas, control } = lab.snapshot();
  assert.equal(patch, 'remove-second-invalidate');
  assert.equal(vmas.length, 1);
  assert.equal(control?.paused, true);
  DEEDS.peek(started, 0);
  assert.equal(lab.controlSeen().tasks[0]?.ready, true);
  lab.close('going');
  assert.equal(replayed(started.recordings[1] ?? []).outcome, 'identical');
});

test('a client with the name of an actor of the scene hears nothing of how the scene is set', async () => {
  const { lab } = startLab();
  const link = new PatientLink();
  const actor = lab.attach('cpu9', 'cpu', link);
  assert.ok(!('code' in actor));
  const renewed = lab.renew({ patch: 'stock' });
  assert.deepEqual(
    link.open.map(({ method }) => method),
    ['reset'],
  );
  assert.equal(link.responses, 0);
  lab.close('going');
  await renewed;
});
