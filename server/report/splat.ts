/**
 * What the console of a real kernel would have shown, so that it is recognised at a glance: KCSAN for a stale value or
 * mapping, refcount for a frame that lived too short or too long, lockdep for tasks that wait in a circle. The banner
 * says that it is simulated; nothing is invented that the model does not know (no code offsets, no registers).
 */

import type { Event } from '../abi/event.ts';
import { addressWords } from './event-words.ts';
import { kernelLabel } from './lines/kernel-label.ts';
import { listText } from './lines/list-columns.ts';
import type { ReportMeta } from './report-meta.ts';
import { framesOfEvent } from './splat/frames-of-event.ts';
import { lockdepLines } from './splat/lockdep.ts';
import { actorsSeen } from './timeline/actors.ts';
import { inOrder } from './timeline/event-order.ts';
import { spansOf } from './timeline/spans.ts';

type Violation = Extract<Event, { kind: 'violation' }>;

const PAGE_BYTES_COMPARED = 8;
const KCSAN_RULE = '='.repeat(66);

/** No line is longer than a mailing list takes. One line that says so if nothing went wrong. */
export function splat(events: readonly Event[], meta: ReportMeta): string {
  const log = inOrder(events);
  const violations = log.filter((event) => event.kind === 'violation');
  if (meta.waits.length > 0) return listText([...lockdepLines(meta), ...orderLines(meta)]);
  // The oracle of values names what was read; the others saw it coming.
  const violation = violations.find(({ rule }) => rule === 'OR3') ?? violations[0];
  if (violation === undefined)
    return listText([`mmrace: no splat: ${meta.seen}`, ...orderLines(meta)]);
  return listText(
    isAboutFrames(violation)
      ? refcountLines(log, violation, meta)
      : kcsanLines(log, violation, meta),
  );
}

/** Locks that were taken in the wrong order, whatever came of it. */
function orderLines({ lockOrder = [] }: ReportMeta): string[] {
  return lockOrder.map((breach) => `WARNING: ${breach} (simulated)`);
}

function isAboutFrames({ rule }: Violation): boolean {
  return rule === 'OR2' || rule === 'OR4' || rule.startsWith('FR');
}

function kcsanLines(log: readonly Event[], violation: Violation, meta: ReportMeta): string[] {
  const sides = conflict(log, violation);
  const spans = spansOf(log).all;
  const stacks = sides.map((event) => framesOfEvent(event, spans));
  const title = stacks.map(outermostCall).join(' / ');
  const changed = valuesOf(log, violation);
  return [
    KCSAN_RULE,
    `BUG: KCSAN: data-race in ${title} (simulated)`,
    '',
    ...sides.flatMap((event, at) => [
      `${accessWords(event, violation.page)} by ${byWhom(log, event)}:`,
      ...(stacks[at] ?? []).map((frame) => ` ${frame}`),
      '',
    ]),
    ...(changed === 'unknown' ? [] : [`value changed: ${changed.read} -> ${changed.written}`, '']),
    `[${violation.rule}] ${violation.text}`,
    '',
    `Reported by mmrace (simulated) on: ${meta.name}, kernel ${kernelLabel(meta)}`,
    KCSAN_RULE,
  ];
}

/** What made the access or the mapping stale, and that. An entry changed under a mapping says more than a write. */
function conflict(log: readonly Event[], violation: Violation): Event[] {
  const before = log.filter(
    (event) => event.n < violation.n && concernsPage(event, violation.page),
  );
  const uses = before.filter((event) => isOf(event, violation.device));
  const use = uses.findLast((event) => event.kind.endsWith('access')) ?? uses.at(-1);
  const mapped = uses.findLast((event) => event.kind === 'mirror')?.n ?? 0;
  const change =
    before.findLast((event) => event.kind === 'pte' && event.n > mapped) ??
    before.findLast((event) => isWrite(event) && event !== use);
  return [change, use].filter((event) => event !== undefined);
}

function concernsPage(event: Event, page: number): boolean {
  return 'page' in event && event.page === page && event.kind !== 'violation';
}

type Access = Extract<Event, { kind: 'device-access' | 'cpu-access' | 'pin-access' }>;

function isAccess(event: Event): event is Access {
  return ['device-access', 'cpu-access', 'pin-access'].includes(event.kind);
}

function isWrite(event: Event): boolean {
  return isAccess(event) && event.mode === 'write';
}

function isOf(event: Event, device: string): boolean {
  if (event.kind === 'pte') return false;
  return 'device' in event ? event.device === device : event.actor === device;
}

/** The outermost kernel call is what a title names; a step outside of any call names itself. */
function outermostCall(frames: readonly string[]): string {
  return frames.at(-2) ?? 'unknown';
}

function accessWords(event: Event, page: number): string {
  const where = addressWords(page);
  if (event.kind === 'pte') return `write to the PTE of ${where}`;
  if (event.kind === 'mirror') return `change of ${event.device}'s entry of ${where}`;
  const mode = 'mode' in event && event.mode === 'write' ? 'write to' : 'read of';
  return `${mode} ${where} of ${PAGE_BYTES_COMPARED} bytes`;
}

function byWhom(log: readonly Event[], event: Event): string {
  const actors = actorsSeen(log);
  const at = actors.findIndex(({ name }) => name === event.actor);
  const role = actors[at]?.role === 'device' ? 'device' : 'cpu';
  return `task ${event.task} on ${role} ${event.actor} (step ${event.n})`;
}

function valuesOf(log: readonly Event[], violation: Violation) {
  const values = log.filter(
    (event) => event.n < violation.n && isAccess(event) && event.page === violation.page,
  ) as Access[];
  const read = values.findLast((event) => isOf(event, violation.device) && event.mode === 'read');
  const written = values.findLast((event) => event.mode === 'write');
  if (violation.rule !== 'OR3' || read === undefined || written === undefined) return 'unknown';
  return { read: read.value, written: written.value };
}

function refcountLines(log: readonly Event[], violation: Violation, meta: ReportMeta): string[] {
  const use = log.findLast((event) => event.n < violation.n);
  const frames = use === undefined ? [] : framesOfEvent(use, spansOf(log).all);
  const what = violation.rule === 'OR4' ? 'leaking memory' : 'use-after-free';
  return [
    `------------[ cut here ]------------`,
    `refcount_t: ${what} (simulated)`,
    `WARNING: [${violation.rule}] ${violation.text}`,
    ...(use === undefined ? [] : [`by ${byWhom(log, use)}`]),
    `Kernel: ${kernelLabel(meta)}, scenario ${meta.name}`,
    'Call Trace:',
    ' <TASK>',
    ...frames.map((frame) => ` ${frame}`),
    ' </TASK>',
    '---[ end trace 0000000000000000 ]---',
  ];
}
