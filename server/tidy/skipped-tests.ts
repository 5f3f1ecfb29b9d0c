/**
 * A reporter of node:test for the last lines of `npm test`: why tests were skipped, each reason once. A reason is what
 * the test gave as `skip`, and names the command that mends it.
 */
import type { TestEvent } from 'node:test/reporters';

export async function* skippedTests(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts = new Map<string, number>();
  for await (const { type, data } of events) {
    if (type !== 'test:pass' || data.skip === undefined || data.skip === false) continue;
    const reason = typeof data.skip === 'string' && data.skip !== '' ? data.skip : 'without a word';
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  for (const [reason, count] of counts)
    yield `${count} ${count === 1 ? 'test' : 'tests'} skipped: ${reason}\n`;
}

// biome-ignore lint/style/noDefaultExport: node:test takes the default export of a reporter's module.
export { skippedTests as default };
