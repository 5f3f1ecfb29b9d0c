/** Tasks that wait for one another, as lockdep would have warned of them. */
import { kernelLabel } from '../lines/kernel-label.ts';
import type { ReportMeta, ReportWait } from '../report-meta.ts';

const RULE = '='.repeat(66);
/** The columns of lockdep's own picture: CPUs 24 apart, locks under their names, the first's further out. */
const NAME_INDENT = 7;
const LOCK_INDENT = 2;
const STRIDE = 24;
const PICTURE_TASKS_MAX = 3;

/** `meta.waits` is not empty. */
export function lockdepLines(meta: ReportMeta): string[] {
  const { waits, name, seen } = meta;
  const closes = waits.every((wait, at) => waits[(at + 1) % waits.length]?.holds === wait.wants);
  return [
    RULE,
    closes
      ? 'WARNING: possible circular locking dependency detected (simulated)'
      : 'INFO: tasks blocked for ever (simulated)',
    `${name}, kernel ${kernelLabel(meta)}`,
    '-'.repeat(RULE.length),
    ...waits.flatMap(waitLines),
    ...(closes ? circle(waits) : []),
    seen,
    RULE,
  ];
}

function waitLines({ task, wants, waitsAt, holds, heldSince }: ReportWait): string[] {
  const wanting = [`${task} is trying to acquire lock:`, ` (${wants}), at: ${waitsAt}`, ''];
  if (holds === '') return wanting;
  return [...wanting, 'but task is already holding lock:', ` (${holds}), at: ${heldSince}`, ''];
}

function circle(waits: readonly ReportWait[]): string[] {
  const chain = waits.map(({ holds }) => holds);
  const lines = ['Chain exists of:', `  ${[...chain, chain[0]].join(' --> ')}`, ''];
  if (waits.length > PICTURE_TASKS_MAX || !fits(waits)) return lines;
  return [...lines, ' Possible unsafe locking scenario:', '', ...picture(waits), ''];
}

function fits(waits: readonly ReportWait[]): boolean {
  return waits.every(({ holds, wants }) => {
    return Math.max(holds.length, wants.length) + 'lock();'.length < STRIDE;
  });
}

/** The first one comes last, as lockdep draws it: its second lock is the one that closes the circle. */
function picture(waits: readonly ReportWait[]): string[] {
  const [first, ...others] = waits.map((wait, at) => ({
    wait,
    column: at === 0 ? LOCK_INDENT : NAME_INDENT + at * STRIDE,
  }));
  const all = first === undefined ? others : [first, ...others];
  const heads = (text: (at: number) => string) =>
    `${' '.repeat(NAME_INDENT)}${all.map((_, at) => text(at).padEnd(STRIDE)).join('')}`.trimEnd();
  const take = (column: number, lock: string) => `${' '.repeat(column)}lock(${lock});`;
  return [
    heads((at) => `CPU${at}`),
    heads(() => '----'),
    ...all.map(({ wait, column }) => take(column, wait.holds)),
    ...others.map(({ wait, column }) => take(column, wait.wants)),
    ...(first === undefined ? [] : [take(first.column, first.wait.wants)]),
    '',
    ' *** DEADLOCK ***',
  ];
}
