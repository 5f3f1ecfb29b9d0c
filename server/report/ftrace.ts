/**
 * The log as a trace file of ftrace, so that grep habits work and Perfetto opens it. Events that Linux has a tracepoint
 * for carry its name and its fields; all others begin with `mmrace_`. A second is a million steps: step 17 is 0.000017.
 */

import type { Event } from '../abi/event.ts';
import { type KnownPages, type TracePlace, tracepointOf } from './ftrace/tracepoints.ts';
import { kernelLabel } from './lines/kernel-label.ts';
import type { ReportMeta } from './report-meta.ts';
import { actorsSeen } from './timeline/actors.ts';
import { inOrder } from './timeline/event-order.ts';
import { movedPages } from './timeline/moved-pages.ts';
import { spansOf } from './timeline/spans.ts';
import { NO_RETURN_WORDS } from './turn.ts';

/** The first process of a machine that has just booted far enough. */
const FIRST_PID = 1_000;
const STEPS_A_SECOND = 1_000_000;
/** TASK_COMM_LEN without the NUL. */
const COMM_MAX = 15;

/** The whole file, the header included. Actors are tasks, each on a CPU of its own. */
export function ftraceText(events: readonly Event[], meta: ReportMeta): string {
  const log = inOrder(events);
  const actors = actorsSeen(log);
  const known: KnownPages = {
    devices: new Set(actors.filter(({ role }) => role === 'device').map(({ name }) => name)),
    deviceFrames: deviceFramesIn(log),
    moved: movedPages(log, spansOf(log)),
    places: new Map(actors.map(({ name }, at) => [name, placeOf(name, at)])),
  };
  const lines = log.flatMap((event) => {
    const line = ftraceLine(event, known);
    return event.n === meta.turn?.noReturn ? [line, noReturnLine(line)] : [line];
  });
  return `${[...header(log.length, actors.length, meta), ...lines].join('\n')}\n`;
}

/** As a program that writes to trace_marker right behind `line` would leave it. */
function noReturnLine(line: string): string {
  const [stamp = ''] = /^.*?\d+\.\d{6}: /.exec(line) ?? [];
  return `${stamp}tracing_mark_write: ${NO_RETURN_WORDS}`;
}

function header(count: number, cpus: number, meta: ReportMeta): string[] {
  return [
    '# tracer: nop',
    '#',
    `# entries-in-buffer/entries-written: ${count}/${count}   #P:${cpus}`,
    '#',
    `# simulated by mmrace: ${meta.name}, kernel ${kernelLabel(meta)}; one step is one microsecond`,
    '#',
    '#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
    '#              | |         |   |||||     |         |',
  ];
}

/** The task that the actor `name` is, the how manieth of the log it may be. */
export function placeOf(name: string, at: number): TracePlace {
  const comm = name.replaceAll(/\s/g, '_').slice(0, COMM_MAX);
  return { comm, pid: FIRST_PID + at, cpu: at };
}

/** One event as a line of trace or trace_pipe. */
export function ftraceLine(event: Event, known: KnownPages): string {
  const { comm, pid, cpu } = known.places.get(event.actor) ?? { comm: '<...>', pid: 0, cpu: 0 };
  const { name, fields } = tracepointOf(event, known);
  const seconds = `${Math.floor(event.n / STEPS_A_SECOND)}`.padStart(5);
  const micros = `${event.n % STEPS_A_SECOND}`.padStart(6, '0');
  const task = `${comm.padStart(16)}-${`${pid}`.padEnd(7)}`;
  return `${task} [${`${cpu}`.padStart(3, '0')}] ..... ${seconds}.${micros}: ${name}: ${fields}`.trimEnd();
}

function deviceFramesIn(log: readonly Event[]): Set<number> {
  const frames = new Set<number>();
  for (const event of log) {
    if (event.kind === 'pte' && event.to.state === 'device-private') frames.add(event.to.pfn);
    if (event.kind === 'device-access' && event.memory === 'private') frames.add(event.pfn);
  }
  return frames;
}
