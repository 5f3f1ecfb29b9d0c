import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../abi/event.ts';
import { PATCHES } from '../patches/patches.ts';
import { type CounterexampleRun, counterexampleSheet } from './counterexample-sheet.ts';
import { liveScenario } from './live-scenario.ts';
import { AS_WRITTEN, planScenario } from './scenario-plan.ts';
import { shippedScenario } from './shipped-scenarios.ts';

const PAGE = 0x100200;

function runOf(name: string, events: readonly object[]): CounterexampleRun {
  const scenario = shippedScenario(name);
  const patch = PATCHES.get('remove-second-invalidate');
  assert.ok(scenario !== 'none' && patch !== undefined);
  const { seats, todo } = liveScenario(planScenario(scenario, AS_WRITTEN), patch.id);
  const numbered = events.map((event, at) => ({ n: at + 1, ...event })) as unknown as Event[];
  return { scenario, seats, todo, events: numbered };
}

function call(actor: string, called: string, task = 'migrate') {
  return { actor, task, kind: 'call', function: called };
}

function back(actor: string, called: string, task = 'migrate') {
  return { actor, task, kind: 'return', function: called };
}

const READ = [
  call('reader0', 'hmm_range_fault', 'prefetch'),
  back('reader0', 'hmm_range_fault', 'prefetch'),
  { actor: 'reader0', task: 'prefetch', kind: 'mirror', device: 'reader0', page: PAGE },
];
const ASKED = { actor: 'reader0', task: 'invalidate reader0', kind: 'callback', page: PAGE };
const STALE = {
  actor: 'migrator0',
  task: 'migrate',
  kind: 'violation',
  rule: 'OR1',
  device: 'reader0',
  page: PAGE,
};

test('an order of whole calls is a cue for each, and goes on until the wrong value is read', () => {
  const made = counterexampleSheet(
    runOf('seed-zero-page', [
      call('migrator0', 'migrate_vma_setup'),
      ASKED,
      back('migrator0', 'migrate_vma_setup'),
      ...READ,
      call('migrator0', 'migrate_vma_pages'),
      STALE,
    ]),
  );
  assert.ok('sheet' in made);
  assert.equal(made.page, PAGE);
  const { cast, cues, at } = made.sheet;
  assert.equal(at, 'a');
  assert.deepEqual(
    cast.map(({ role, actor }) => [role, actor]),
    [
      ['migrator', 'migrator'],
      ['reader', 'reader'],
    ],
  );
  assert.deepEqual(
    cues.map(({ role, do: verbs }) => `${role}: ${verbs.join(', ')}`),
    [
      'migrator: setup',
      'reader: read',
      'migrator: pages, finalize',
      'migrator: write',
      'reader: read',
    ],
  );
});

test('an order inside a call, a verb that no cue has, and a faulty driver have no sheet, and say why', () => {
  const whyOf = (name: string, events: readonly object[]) => {
    const made = counterexampleSheet(runOf(name, events));
    return 'why' in made ? made.why : 'a sheet';
  };
  const inside = [call('migrator0', 'migrate_vma_setup'), ...READ];
  const ended = [...inside, back('migrator0', 'migrate_vma_setup'), STALE];
  assert.match(whyOf('seed-zero-page', ended), /^Its order lies inside a call of migrator0/);
  const advice = [{ ...call('cpu0', 'madvise_dontneed', 'madvise'), page: PAGE }, STALE];
  assert.match(whyOf('seed-zero-page', advice), /^cpu0 calls madvise_dontneed\(\)/);
  assert.match(whyOf('erase-without-driver-lock', READ), /somebody has to do this|no phone plays/);
});
