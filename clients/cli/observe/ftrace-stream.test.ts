import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ftraceText } from '../../../server/report/ftrace.ts';
import { metaOf, runGolden } from '../../../server/report/golden/golden-runs.fixture.ts';
import { FtraceStream } from './ftrace-stream.ts';

/** Which task on which CPU it is depends on who came first; everything behind that does not. */
function behindTheCpu(line: string): string {
  return line.replace(/^.*\[\d+\] /, '').replace(/ pid=\d+/, '');
}

test('a stream says of each event what the report of the whole log says', async () => {
  const verdict = runGolden('seed-zero-page', 'stock');
  const events = verdict.events.toSorted((a, b) => a.n - b.n);
  const report = ftraceText(events, metaOf(verdict)).trimEnd().split('\n');
  const whole = report.filter((line) => !line.startsWith('#')).map(behindTheCpu);
  const devices = [
    ...new Set(events.flatMap((event) => ('device' in event ? [event.device] : []))),
  ];
  const stream = new FtraceStream(devices);
  assert.deepEqual(
    events.map((event) => behindTheCpu(stream.line(event))),
    whole,
  );
  assert.ok(whole.some((line) => /mm_migrate_pages: nr_succeeded=1/.test(line)));
});
