/** Questions to devices: where they leave, the callback, and where the reply arrives. */
import { describeBody } from '../describe-event.ts';
import type { Bracket } from '../timeline/brackets.ts';
import { type Span, threadOfSpan } from '../timeline/spans.ts';
import type { Placed, Slice } from './lanes.ts';
import type { TraceLog } from './trace-log.ts';
import { micros, pidOf, type TraceRecord } from './trace-record.ts';
import { timeOf } from './trace-time.ts';

export interface Flow {
  readonly ask: Slice;
  readonly callback: Slice;
  readonly reply: Slice | 'none';
  readonly span: Span;
}

export function flowsOf(log: TraceLog): Flow[] {
  const brackets = new Map(
    log.brackets.flatMap((bracket) => bracket.callbacks.map((span) => [span, bracket] as const)),
  );
  return log.spans.all
    .filter(({ opened }) => opened.kind === 'callback')
    .map((span) => flowOf(span, brackets.get(span) ?? 'none', log));
}

function flowOf(span: Span, bracket: Bracket | 'none', log: TraceLog): Flow {
  const { opened, closed, host, thread } = span;
  const asking =
    bracket === 'none'
      ? { host: span.asker, thread }
      : { host: log.spans.hostOf(bracket.start), thread: threadOfSpan(bracket.start) };
  const result = closed === 'never' ? 'did not return' : closed.result;
  const what = { step: opened.n, task: opened.task, what: describeBody(opened), result };
  const ask: Slice = {
    ...asking,
    begins: timeOf(opened.n, 'askBegins'),
    ends: timeOf(opened.n, 'askEnds'),
    name: `ask ${host}: ${opened.function}`,
    category: 'callback',
    args: what,
  };
  const callback: Slice = {
    host,
    thread,
    begins: timeOf(opened.n, 'callbackBegins'),
    ends: timeOf(log.endOf(opened.n, closed), 'callbackEnds'),
    name: opened.function,
    category: 'callback',
    args: what,
  };
  if (closed === 'never') return { ask, callback, reply: 'none', span };
  const reply: Slice = {
    ...ask,
    begins: timeOf(closed.n, 'replyBegins'),
    ends: timeOf(closed.n, 'replyEnds'),
    name: `reply of ${host}: ${result}`,
    args: { step: closed.n, result },
  };
  return { ask, callback, reply, span };
}

/** Each flow has a number of its own: a text would be read as hexadecimal, and a number used twice joins strangers. */
export function flowRecords(
  { ask, callback, reply, span }: Flow,
  id: number,
  placed: Placed,
): TraceRecord[] {
  const flow = { id, cat: 'flow', name: span.opened.function, bp: 'e' };
  const on = (slice: Slice) => ({
    pid: pidOf(placed.laneOf(slice).actor),
    tid: placed.laneOf(slice).tid,
  });
  const { n } = span.opened;
  const begun: TraceRecord = { ph: 's', ...on(ask), ts: micros(timeOf(n, 'flowLeaves')), ...flow };
  const step = { ...on(callback), ts: micros(timeOf(n, 'flowSteps')), ...flow };
  if (reply === 'none' || span.closed === 'never') return [begun, { ph: 'f', ...step }];
  const arrived = { ...on(reply), ts: micros(timeOf(span.closed.n, 'flowArrives')), ...flow };
  return [begun, { ph: 't', ...step }, { ph: 'f', ...arrived }];
}

export function slicesOfFlow({ ask, callback, reply }: Flow): Slice[] {
  return reply === 'none' ? [ask, callback] : [ask, callback, reply];
}
