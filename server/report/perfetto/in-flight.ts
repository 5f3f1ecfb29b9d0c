/** Migrations and invalidations from begin to end. They overlap as they like, so they are asynchronous slices. */
import { describeBody } from '../describe-event.ts';
import type { TraceLog } from './trace-log.ts';
import { CPU_PID, micros, type TraceRecord } from './trace-record.ts';
import { timeOf } from './trace-time.ts';

/** `firstId` is above the numbers of all flows. */
export function inFlightRecords(
  log: TraceLog,
  firstId: number,
  devices: ReadonlyMap<string, number>,
): TraceRecord[] {
  const migrations = log.migrations.map(({ setup, device, ended }) => ({
    pid: devices.get(device) ?? CPU_PID,
    name: `migration of ${device}`,
    cat: 'migration',
    begins: timeOf(setup.opened.n, 'migrationBegins'),
    ends: timeOf(log.endOf(setup.opened.n, ended), 'migrationEnds'),
    args: { step: setup.opened.n, what: describeBody(setup.opened) },
  }));
  const invalidations = log.brackets.map(({ start, end }) => ({
    pid: CPU_PID,
    name: `invalidation (${start.event})`,
    cat: 'invalidation',
    begins: timeOf(start.n, 'bracketBegins'),
    ends: timeOf(log.endOf(start.n, end), 'bracketEnds'),
    args: { step: start.n, what: describeBody(start) },
  }));
  return [...migrations, ...invalidations].flatMap(({ pid, name, cat, begins, ends, args }, at) => {
    const track = { pid, tid: 0, name, cat, id: firstId + at };
    return [
      { ph: 'b' as const, ts: micros(begins), ...track, args },
      { ph: 'e' as const, ts: micros(ends), ...track },
    ];
  });
}
