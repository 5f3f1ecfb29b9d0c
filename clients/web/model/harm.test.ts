import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../../server/abi/event.ts';
import { EventHistory } from './event-history.ts';
import { punchlineOf, violationWords } from './harm.ts';
import { emptyModel } from './lab-model.ts';

const HISTORY = { cpuHistory: [], deviceHistory: [] };

function violation(rule: string, oracle: string) {
  const where = { actor: 'gpu0', task: 'pages', device: 'gpu1', page: 0x100 };
  return { kind: 'violation', rule, oracle, text: '', ...where, ...HISTORY };
}

const READ = {
  kind: 'device-access',
  actor: 'gpu1',
  task: 'read',
  device: 'gpu1',
  page: 0x100,
  pfn: 0,
  mode: 'read',
  value: '0x0',
};

test('a stale entry is quiet until somebody reads through it; the story is about the wrong value', () => {
  const history = new EventHistory(emptyModel('stock'));
  const events = [
    violation('OR1', 'mirror coherence'),
    violation('CR40', 'OR6'),
    READ,
    violation('OR1', 'mirror coherence'),
    violation('OR3', 'values'),
  ].map((event, at) => ({ ...event, n: at + 1 }));
  history.append(events as unknown as Event[]);
  assert.deepEqual([...history.quiet], [1, 2]);
  assert.equal(history.violations[punchlineOf(history.violations, history.quiet)]?.n, 5);
  assert.deepEqual(
    history.violations.map((one) => violationWords(one, history.harmOf(one.n))),
    ['stale entry', 'contract broken', 'stale entry used', 'wrong value'],
  );
});
