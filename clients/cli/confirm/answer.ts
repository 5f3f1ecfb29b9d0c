/** What came of playing a schedule on a real kernel, for people, programs and mails. */
import type { Confirmation, Tally } from '../../../server/realkernel/confirm.ts';
import type { PageSeen } from '../../../server/realkernel/re-enactment.ts';
import { assertNever } from '../../../server/vocabulary/invariant.ts';
import { paragraph } from '../paragraph.ts';
import type { Asked } from './asked-schedules.ts';

export function confirmationLines(
  { title, failure, says }: Asked,
  confirmation: Confirmation,
  release: string,
): string[] {
  const model = says === 'fails' ? failure : `nothing fails (with the patch: ${failure})`;
  const lines = [`${title}: ${confirmation.outcome}`, paragraph(`The model: ${model}`, '  ')];
  if (confirmation.outcome === 'not re-enactable') {
    return [...lines, paragraph(`Not played: ${confirmation.what}`, '  ')];
  }
  const { schedule, control } = confirmation;
  lines.push(...tallyLines(`Linux ${release}`, schedule));
  if (control !== 'none') lines.push(...tallyLines(`Control (${control.order})`, control));
  if (confirmation.outcome === 'not confirmed') lines.push(paragraph(confirmation.why, '  '));
  return lines;
}

/** For a reply on a mailing list; 'none' if nothing was confirmed. */
export function mailLine(
  { title, says }: Asked,
  confirmation: Confirmation,
  release: string,
): string {
  if (confirmation.outcome !== 'confirmed' || says !== 'fails') return 'none';
  const { schedule, control } = confirmation;
  const clean =
    control === 'none'
      ? ''
      : `; in another order (${control.order}) clean, ${control.runs} of ${control.runs}`;
  return `Seen on Linux ${release}, ${schedule.runs} of ${schedule.runs}: ${title}${clean}.`;
}

export function plainConfirmation(
  { title, failure, says }: Asked,
  confirmation: Confirmation,
): object {
  const shared = { question: title, outcome: confirmation.outcome, says, failure };
  if (confirmation.outcome === 'not re-enactable') return { ...shared, point: confirmation.what };
  const { schedule, control } = confirmation;
  return {
    ...shared,
    ...(confirmation.outcome === 'not confirmed' ? { why: confirmation.why } : {}),
    schedule: plainTally(schedule),
    control: control === 'none' ? null : plainTally(control),
  };
}

/** As the kernel's own tests say it: Documentation/dev-tools/ktap.rst. */
export function ktapLines(
  answers: readonly { readonly asked: Asked; readonly confirmation: Confirmation }[],
): string[] {
  const results = answers.map(({ asked: { title }, confirmation }, at) => {
    const number = `${at + 1} ${title}`;
    switch (confirmation.outcome) {
      case 'confirmed':
        return [`ok ${number}`];
      case 'not confirmed':
        return [`# ${confirmation.why}`, `not ok ${number}`];
      case 'not re-enactable':
        return [`ok ${number} # SKIP ${confirmation.what}`];
      default:
        return assertNever(confirmation);
    }
  });
  return ['KTAP version 1', `1..${answers.length}`, ...results.flat()];
}

function tallyLines(who: string, tally: Tally): string[] {
  const { runs, stale, crashed, pages, splat } = tally;
  const clean = runs - stale - crashed;
  const parts = [
    ...(stale > 0 ? [`stale in ${stale}`] : []),
    ...(crashed > 0 ? [`crashed in ${crashed}`] : []),
    ...(clean > 0 && tally.differed === '' ? [`clean in ${clean}`] : []),
  ];
  const lines = [`  ${who}: ${parts.join(', ') || 'not played to its end'} of ${runs} runs`];
  if (tally.kept !== 'none')
    lines.push(paragraph(`the kernel keeps the schedule from happening: ${tally.kept}`, '    '));
  for (const page of pages) lines.push(`    ${pageText(page)}`);
  for (const line of splat.split('\n')) if (line !== '') lines.push(`    | ${line.trimEnd()}`);
  return lines;
}

function pageText({ page, by, written, reads }: PageSeen): string {
  if (typeof written === 'string') return `${page}: ${by} cannot write (${written})`;
  const seen = reads.map(({ actor, value }) => `${actor} reads ${hex(value)}`).join(', ');
  return `${page}: ${by} wrote ${hex(written)}; ${seen}`;
}

function plainTally({ pages, ...tally }: Tally): object {
  return {
    ...tally,
    pages: pages.map((page) => ({
      ...page,
      written: hex(page.written),
      reads: page.reads.map(({ actor, value }) => ({ actor, value: hex(value) })),
    })),
  };
}

function hex(value: bigint | string): string {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
}
