import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import { skippedTests } from './skipped-tests.ts';

type Skip = string | boolean | undefined;

async function* passed(skips: readonly Skip[]): AsyncGenerator<TestEvent> {
  for (const skip of skips) yield { type: 'test:pass', data: { skip } } as TestEvent;
}

async function report(...skips: readonly Skip[]): Promise<string> {
  let text = '';
  for await (const line of skippedTests(passed(skips))) text += line;
  return text;
}

test('each reason for which tests were skipped is told once, and nothing where none was', async () => {
  const told = await report('no zsh', undefined, 'no browser', 'no zsh', true, false);
  assert.equal(
    told,
    '2 tests skipped: no zsh\n1 test skipped: no browser\n1 test skipped: without a word\n',
  );
  assert.equal(await report(undefined), '');
});
