/** What certify found, as people read it and as programs do. */

import type { Certificate } from '../../../server/certify/certify.ts';
import { describeFrame } from '../../../server/certify/client-frame.ts';
import type { DeterminismFinding } from '../../../server/certify/determinism-check.ts';
import { describeCertificateBound, describeFinding } from '../../../server/report/certificate.ts';
import type { ChoiceNames } from '../../../server/report/choice-words.ts';
import { countsByText } from '../../../server/report/describe-failure.ts';
import { raceDiagram } from '../../../server/report/diagram.ts';
import { counted } from '../../../server/report/lines/counted.ts';
import { headline } from '../explore/text.ts';
import { reachedText } from '../reached-text.ts';

const COLUMNS = 75;
/** Frames and grants before the end that are shown. */
const SHOWN_MAX = 30;

export interface CertifiedAs {
  readonly scenario: string;
  readonly kernel: string;
  /** As it was asked for. */
  readonly patch: string;
  readonly patches: ChoiceNames['patches'];
  /** Of the other devices. */
  readonly drivers: ChoiceNames['drivers'];
  readonly device: string;
}

export function certificateText(as: CertifiedAs, certificate: Certificate): string {
  const { verdict, bound, steps, seconds, windowEntered, schedules, finding } = certificate;
  const lines = [
    ...headline(
      `${as.scenario}: ${verdict}`,
      { ...as, kernel: as.patch, version: as.kernel },
      `, ${as.device} in a process of its own`,
    ),
    `  ${describeCertificateBound(as.device, bound)}; ${steps} steps, ${seconds.toFixed(2)} s;`,
    `  the race window was entered in ${windowEntered} of ${counted(schedules, 'schedule')};`,
    `  ${reachedText(certificate.reach.functions, certificate.pairs)}.`,
  ];
  if (finding !== 'none')
    lines.push('', `  ${describeFinding(as.device, finding.reason)}`, ...storyOf(as, finding));
  return lines.join('\n');
}

function storyOf(as: CertifiedAs, finding: DeterminismFinding): string[] {
  const lines: string[] = [];
  const { frame, frames, grants, events, reason } = finding;
  if (frame !== 'none') {
    lines.push('', `Frame ${frame.n}:`, `  expected ${frame.expected}`, `  came     ${frame.came}`);
  }
  const first = Math.max(0, frames.length - SHOWN_MAX);
  lines.push('', `The frames of ${as.device} since its reset:`);
  if (first > 0) lines.push(`  ... ${first} before`);
  for (const one of frames.slice(first)) {
    const mark = frame !== 'none' && one.n === frame.n ? '*' : ' ';
    lines.push(`${mark} ${String(one.n).padStart(3)}. ${describeFrame(one)}`);
  }
  if (grants.length > 0) {
    lines.push('', 'What was granted last:');
    for (const grant of grants.slice(-SHOWN_MAX)) lines.push(`  ${grant}`);
  }
  if (reason.kind === 'contract' || reason.kind === 'oracle') {
    lines.push('', raceDiagram(events, { columns: COLUMNS }));
  }
  lines.push('', 'Reproduce: the same command. Orders depend on nothing but the seed.');
  return lines;
}

/** One object: what `--json` prints. */
export function certificateObject(as: CertifiedAs, certificate: Certificate): unknown {
  const { outcomes, finding, bound, ...rest } = certificate;
  return {
    ...as,
    ...rest,
    executions: certificate.schedules,
    bound: describeCertificateBound(as.device, bound),
    reason: bound,
    outcomes: countsByText(outcomes),
    counterexample:
      finding === 'none'
        ? null
        : {
            ...finding,
            kind: finding.reason.kind,
            failure: describeFinding(as.device, finding.reason),
            frame: finding.frame === 'none' ? null : finding.frame,
          },
  };
}
