import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runGolden } from '../../../server/report/golden/golden-runs.fixture.ts';
import { RULES } from '../../../server/vocabulary/rules.ts';
import { explainViolation } from './explain-violation.ts';

test('the seed race is told: which actor mapped, which changed, which was not told, and which rule that broke', () => {
  const { events, violations } = runGolden('seed-zero-page', 'patched');
  const [violation] = violations;
  assert.ok(violation !== undefined);
  const told = explainViolation(violation, events);
  const story = told.story.join('\n');
  assert.match(story, /dev1 put the page into its own page table: zero page \(r\)/);
  assert.match(story, /dev0 changed the CPU's entry/);
  assert.match(story, /no invalidation of the page was sent after it had mapped it/);
  assert.match(story, /had ended by then/);
  assert.equal(told.ruleText, RULES.OR1);
  assert.ok(told.cpuSide.length > 0 && told.deviceSide.length > 0);
  assert.ok(told.deviceSide.every((event) => violation.deviceHistory.includes(event.n)));
});

test('a device that was told and kept its entry is told apart from one that was not told', () => {
  const { events, violations } = runGolden('seed-zero-page', 'patched');
  const [violation] = violations;
  assert.ok(violation !== undefined);
  const range = { first: violation.page, end: violation.page + 1 };
  const at = { actor: 'dev0', task: 't', mm: 0, ...range };
  const warned = events.flatMap((event) =>
    event.n === violation.n - 1
      ? [
          {
            ...at,
            n: event.n - 0.6,
            kind: 'invalidate_range_start',
            id: 9_999,
            event: 'migrate',
            owner: '',
          } as const,
          { ...at, n: event.n - 0.4, kind: 'invalidate_range_end', id: 9_999 } as const,
          event,
        ]
      : [event],
  );
  assert.match(explainViolation(violation, warned).story.join('\n'), /kept its entry all the same/);
});
