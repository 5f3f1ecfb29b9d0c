/**
 * The log as a trace for ui.perfetto.dev, in Chrome's JSON: a process for the CPUs and one for each device, a thread
 * for each actor, a flow from every question to a device over its callback to the reply, asynchronous slices for
 * migrations and invalidations in flight, and counters. Time is the step, not the clock, so that two runs can be
 * compared.
 */
import type { Event } from '../abi/event.ts';
import { counterValues } from './perfetto/counters.ts';
import { flowRecords, flowsOf, slicesOfFlow } from './perfetto/flows.ts';
import { inFlightRecords } from './perfetto/in-flight.ts';
import { type Lane, placeSlices } from './perfetto/lanes.ts';
import { callSlices, pointSlices, sliceRecord } from './perfetto/slices.ts';
import { readLog, type TraceLog } from './perfetto/trace-log.ts';
import { CPU_PID, micros, pidOf, type TraceRecord } from './perfetto/trace-record.ts';
import { timeOf } from './perfetto/trace-time.ts';
import type { ReportMeta } from './report-meta.ts';
import { actorsSeen } from './timeline/actors.ts';
import { NO_RETURN_WORDS } from './turn.ts';

/** One record a line, so that two traces can be compared. */
export function perfettoTrace(events: readonly Event[], meta: ReportMeta): string {
  const log = readLog(events);
  const actors = actorsSeen(log.events);
  const known = new Set(actors.map(({ name }) => name));
  const devices = new Map(
    actors.filter(({ role }) => role === 'device').map((actor) => [actor.name, pidOf(actor)]),
  );
  const flows = flowsOf(log);
  const slices = [...flows.flatMap(slicesOfFlow), ...callSlices(log), ...pointSlices(log)].filter(
    ({ host }) => known.has(host),
  );
  const placed = placeSlices(slices, actors);
  const records = [
    ...slices.map((slice) => sliceRecord(slice, placed.laneOf(slice))),
    ...flows.flatMap((flow, at) => flowRecords(flow, at + 1, placed)),
    ...inFlightRecords(log, flows.length + 1, devices),
    ...violationRecords(log),
    ...turnRecords(log, meta),
    ...counterRecords(log, devices),
  ].sort((a, b) => a.ts - b.ts);
  return document([...metadata(placed.lanes), ...records], meta);
}

function document(records: readonly TraceRecord[], meta: ReportMeta): string {
  const { name, kernel, patch, verdict, seen, bound, reproduce } = meta;
  const otherData = { generator: 'mmrace', name, kernel, patch, verdict, seen, bound, reproduce };
  const lines = records.map((record) => JSON.stringify(record)).join(',\n');
  return `{"displayTimeUnit":"ns","otherData":${JSON.stringify(otherData)},"traceEvents":[\n${lines}\n]}\n`;
}

function metadata(lanes: readonly Lane[]): TraceRecord[] {
  return lanes.flatMap(({ actor, index, tid }) => {
    const at = { ph: 'M' as const, pid: pidOf(actor), tid, ts: 0 };
    const thread = index === 0 ? actor.name : `${actor.name} (${index + 1})`;
    const process = actor.role === 'cpu' ? 'mm (CPUs)' : `${actor.name} (device)`;
    return [
      ...(index > 0 || (actor.role === 'cpu' && actor.index > 0)
        ? []
        : [
            { ...at, name: 'process_name', args: { name: process } },
            { ...at, name: 'process_sort_index', args: { sort_index: pidOf(actor) } },
          ]),
      { ...at, name: 'thread_name', args: { name: thread } },
      { ...at, name: 'thread_sort_index', args: { sort_index: tid } },
    ];
  });
}

function counterRecords(log: TraceLog, pids: ReadonlyMap<string, number>): TraceRecord[] {
  const values = counterValues(log.events, log.spans, new Set(pids.keys()));
  return values.map(({ device, name, time, value }) => ({
    ph: 'C',
    pid: pids.get(device) ?? CPU_PID,
    tid: 0,
    ts: micros(time),
    name,
    args: { [name]: value },
  }));
}

/** Where it was decided. */
function turnRecords({ events }: TraceLog, { turn }: ReportMeta): TraceRecord[] {
  return events
    .filter(({ n }) => n === turn?.noReturn)
    .map(({ n }) => ({
      ph: 'i',
      s: 'g',
      pid: CPU_PID,
      tid: 0,
      ts: micros(timeOf(n, 'violation')),
      name: 'point of no return',
      cat: 'violation',
      args: { step: n, text: NO_RETURN_WORDS },
    }));
}

function violationRecords({ events }: TraceLog): TraceRecord[] {
  return events
    .filter((event) => event.kind === 'violation')
    .map(({ n, rule, oracle, text }) => ({
      ph: 'i',
      s: 'g',
      pid: CPU_PID,
      tid: 0,
      ts: micros(timeOf(n, 'violation')),
      name: `BUG [${rule}]`,
      cat: 'violation',
      args: { step: n, oracle, text },
    }));
}
