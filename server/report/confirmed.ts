/** What real kernels said of schedules of the model: as kept in a file, and in words. */
import { assertNever } from '../vocabulary/invariant.ts';

/** One schedule that was played, or why none was. */
export interface Confirmed {
  /** As `uname -r` has it. */
  readonly linux: string;
  /** What the kernel's test driver was changed in. */
  readonly driver: string;
  /** A scenario, or a finding of fuzz. */
  readonly question: string;
  /** Of the model. */
  readonly kernel: string;
  readonly patch: string;
  /** 'on stock': what fails with the patch was played without it. */
  readonly played: 'as found' | 'on stock' | 'nothing';
  /** What the model says of the schedule. */
  readonly model: string;
  readonly outcome: 'confirmed' | 'not confirmed' | 'not re-enactable' | 'nothing to play';
  /** How the runs went, or why there are none. */
  readonly linuxDid: string;
  /** How the safe sibling went, or another order; empty if none was played. */
  readonly control: string;
}

/** `Seen on Linux 6.12.117: stale in 10 of 10 runs`; of a kernel that holds, what breaks it with a patch. */
export function seenText({ linux, played, patch, linuxDid }: Confirmed): string {
  switch (played) {
    case 'as found':
      return `Seen on Linux ${linux}: ${linuxDid} runs`;
    case 'on stock':
      return `On Linux ${linux}: ${linuxDid} runs of what fails with ${patch}`;
    case 'nothing':
      return '';
    default:
      return assertNever(played);
  }
}

/** docs/CONFIRMED.md */
export function confirmedDocument(rows: readonly Confirmed[]): string {
  const releases = [...new Set(rows.map(({ linux }) => linux))];
  const changes = [...new Set(rows.map(({ driver }) => driver))];
  return `${[
    '# What a real kernel said',
    '',
    `Made by \`npm run docs\` of what \`npm run confirm:all\` has written, on Linux ${releases.join(' and ')}`,
    `in QEMU. The kernel's own driver: ${changes.join('; ')}. Each`,
    'schedule of the model was played thread by thread on the kernel, and so was the nearest schedule that is safe in',
    'the model, as the control. *stale*: after it, a device or the CPU reads something else than was written last, or',
    'a program has read what the model says that it must not.',
    ...releases.flatMap((linux) =>
      releaseLines(
        linux,
        rows.filter((row) => row.linux === linux),
      ),
    ),
  ].join('\n')}\n`;
}

function releaseLines(linux: string, rows: readonly Confirmed[]): string[] {
  const count = (outcome: Confirmed['outcome']) =>
    rows.filter((row) => row.outcome === outcome).length;
  return [
    '',
    `## Linux ${linux}`,
    '',
    `${count('confirmed')} confirmed, ${count('not confirmed')} not confirmed,`,
    `${count('not re-enactable')} cannot be played, ${count('nothing to play')} have no schedule to play.`,
    '',
    '| Question | Patch | The model | Linux | Control | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows.map(
      ({ question, patch, played, model, linuxDid, control, outcome }) =>
        `| ${question} | ${patch}${played === 'on stock' ? ', played on stock' : ''} | ` +
        `${cell(model)} | ${cell(linuxDid)} | ${cell(control)} | ${outcome} |`,
    ),
  ];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
