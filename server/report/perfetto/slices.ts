/** Calls from begin to end, and everything that happens at one moment. */
import { describeBody } from '../describe-event.ts';
import { type Span, threadOfSpan } from '../timeline/spans.ts';
import type { Lane, Slice } from './lanes.ts';
import type { TraceLog } from './trace-log.ts';
import { micros, pidOf, type TraceRecord } from './trace-record.ts';
import { timeOf } from './trace-time.ts';

export function callSlices(log: TraceLog): Slice[] {
  return log.spans.all
    .filter(({ opened }) => opened.kind === 'call')
    .map((span) => callSlice(span, log));
}

function callSlice({ opened, closed, host, thread }: Span, log: TraceLog): Slice {
  const result = closed === 'never' ? 'did not return' : closed.result;
  return {
    host,
    thread,
    begins: timeOf(opened.n, 'callBegins'),
    ends: timeOf(log.endOf(opened.n, closed), 'callEnds'),
    name: opened.function,
    category: 'call',
    args: { step: opened.n, task: opened.task, what: describeBody(opened), result },
  };
}

/** What is no call and no callback happens at one moment. */
export function pointSlices({ events, spans }: TraceLog): Slice[] {
  const closings = new Set(
    spans.all.flatMap(({ closed }) => (closed === 'never' ? [] : [closed.n])),
  );
  return events
    .filter((event) => {
      if (event.kind === 'return' || event.kind === 'callback-return')
        return !closings.has(event.n);
      return event.kind !== 'call' && event.kind !== 'callback' && event.kind !== 'violation';
    })
    .map((event) => ({
      host: spans.hostOf(event),
      thread: threadOfSpan(event),
      begins: timeOf(event.n, 'pointBegins'),
      ends: timeOf(event.n, 'pointEnds'),
      name: describeBody(event),
      category: event.kind,
      args: { step: event.n, task: event.task },
    }));
}

export function sliceRecord(slice: Slice, { actor, tid }: Lane): TraceRecord {
  const { begins, ends, name, category, args } = slice;
  return {
    ph: 'X',
    pid: pidOf(actor),
    tid,
    ts: micros(begins),
    dur: micros(ends - begins),
    name,
    cat: category,
    args,
  };
}
