import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HMM_PFN_NONE, hmmPfnToPfn } from '../../abi/hmm-pfn.ts';
import type { Journal, JournalEntry } from '../../journal/read-journal.ts';
import { RemoteHarness } from '../../machine/remote/remote-machine.fixture.ts';
import { clientScripts } from './client-script.ts';
import { momentOf, newMomentRun } from './moment-world.ts';
import { recordedRun } from './recorded-run.ts';

const PAGE = 0x100200;
const REGION = { address: '0x100200000', pages: 1 };
const RANGE = { first: PAGE, end: PAGE + 1 };

interface Recording {
  readonly journal: Journal;
  /** The entry of the request that asked for `method` last. */
  readonly entryOf: (method: string) => number;
}

/** The inbound log of what `play` does. */
function recorded(play: (harness: RemoteHarness) => void): Recording {
  const harness = new RemoteHarness();
  const entries: JournalEntry[] = [];
  const { machine } = harness;
  const accept = machine.accept.bind(machine);
  machine.accept = (inbound) => {
    const n = entries.length + 1;
    entries.push({ line: n + 1, n, inbound, settled: 'none' });
    accept(inbound);
  };
  play(harness);
  const header = { config: { patch: 'stock' } } as unknown as Journal['header'];
  return {
    journal: { header, entries, end: 'none' },
    entryOf: (method) => {
      const found = entries.findLast(
        ({ inbound }) => inbound.kind === 'request' && inbound.method === method,
      );
      return found?.n ?? assert.fail(`${method} was not asked for`);
    },
  };
}

/** gpu0 maps a page that the CPU has written to; then the CPU gives it up, which gpu0 is asked about. */
function mapAndZap(harness: RemoteHarness): void {
  harness.attach('cpu0', 'cpu');
  harness.attach('gpu0');
  harness.result('cpu0', 'mmap', { ...REGION, prot: 'rw', kind: 'anon-private' });
  harness.result('cpu0', 'store', { address: REGION.address, value: '0x2a' });
  const inserted = harness.result('gpu0', 'mmu_interval_notifier_insert', { range: RANGE });
  const { pfns } = harness.result('gpu0', 'hmm_range_fault_unlocked', {
    ...inserted,
    range: RANGE,
    default_flags: 'fault-write',
  });
  const pfn = hmmPfnToPfn(pfns[0] ?? HMM_PFN_NONE);
  const entry = { state: 'mapped', pfn, access: 'write' };
  harness.notify('gpu0', 'mirror_changed', { changes: [{ page: PAGE, entry }] });
  harness.result('cpu0', 'madvise', { ...REGION, advice: 'DONTNEED' });
  harness.result('cpu0', 'load', { address: REGION.address });
}

test('a request has the answer that came of it, and the entry that brought the answer about', () => {
  const { journal, entryOf } = recorded(mapAndZap);
  const { requests, questions } = recordedRun(journal, journal.entries.length);
  const load = requests.get(entryOf('load'));
  assert.equal(load?.answeredAt, entryOf('load'));
  const zap = requests.get(entryOf('madvise'));
  const [question] = questions;
  assert.equal(question?.question.method, 'invalidate');
  assert.equal(question?.n, entryOf('madvise'));
  assert.equal(zap?.answeredAt, question?.answeredAt, 'madvise waits for gpu0');
  assert.ok(zap !== undefined && zap.answeredAt > zap.n);
});

test('up to an entry nothing of what came later is known', () => {
  const { journal, entryOf } = recorded(mapAndZap);
  const { requests, questions } = recordedRun(journal, entryOf('madvise'));
  assert.equal(requests.get(entryOf('madvise'))?.response, 'none');
  assert.equal(questions[0]?.answer, 'none');
});

test('a client does after a moment what it did then, knowing what it had been answered', () => {
  const { journal, entryOf } = recorded(mapAndZap);
  const run = recordedRun(journal, journal.entries.length);
  const [cpu, gpu] = clientScripts(run, entryOf('store'));
  assert.deepEqual(
    [cpu?.actor, cpu?.role, gpu?.actor, gpu?.role],
    ['cpu0', 'cpu', 'gpu0', 'device'],
  );
  const asked = (cpu?.frames ?? []).map(({ frame, after }) => [
    frame.kind === 'request' ? frame.method : frame.kind,
    after.map(({ request }) => request.method),
  ]);
  assert.deepEqual(asked, [
    ['madvise', ['mmap', 'store']],
    ['load', ['mmap', 'store', 'madvise']],
  ]);
  const told = (gpu?.frames ?? []).map(({ frame }) =>
    'method' in frame ? frame.method : frame.kind,
  );
  // What it drops when it is asked is part of its answer.
  assert.deepEqual(told, [
    'mmu_interval_notifier_insert',
    'hmm_range_fault_unlocked',
    'mirror_changed',
  ]);
});

test('a device comes back to the fault that it had begun before the moment', () => {
  const { journal, entryOf } = recorded(mapAndZap);
  const run = recordedRun(journal, journal.entries.length);
  const gpu = clientScripts(run, entryOf('hmm_range_fault_unlocked')).find(
    ({ role }) => role === 'device',
  );
  assert.deepEqual(
    gpu?.frames.map(({ frame }) => ('method' in frame ? frame.method : frame.kind)),
    ['hmm_range_fault_unlocked', 'mirror_changed'],
  );
  assert.equal(gpu?.begin, 1);
});

test('played from any entry on, no client is answered otherwise than then, and nothing goes wrong', () => {
  const { journal, entryOf } = recorded(mapAndZap);
  const all = journal.entries.length;
  for (let step = entryOf('mmap'); step < all; step += 1) {
    const run = newMomentRun(momentOf(journal, step, all));
    run.scheduler.runFirstCome(1_000);
    const from = `from entry ${step}`;
    assert.deepEqual(run.departures(), [], from);
    assert.equal(run.failure(), 'none', from);
    assert.equal(run.failureAtEnd(run.scheduler.blockedTasks()), 'none', from);
    // Before gpu0 has mapped the page either of the two may come first.
    if (step <= entryOf('hmm_range_fault_unlocked')) continue;
    const mirror = run.world.oracles.mirrors.byDevice.get('gpu0');
    assert.equal(mirror?.size, 0, `${from}: gpu0 drops what it is asked to drop`);
  }
});
