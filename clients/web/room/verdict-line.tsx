import { type PictureVerdict, verdictReason } from '../picture/verdict.ts';
import './room.css';

export interface VerdictLineProps {
  readonly verdict: PictureVerdict;
  readonly called: (actor: string) => string;
}

/** Both values and why, across the whole width, in the place of the cue. */
export function VerdictLine({ verdict, called }: VerdictLineProps) {
  const { is, read, wrote, through } = verdict;
  const reader = called(verdict.reader);
  const writer = called(verdict.writer);
  return (
    <div className={`verdict-line ${is}`} role="status" data-testid="verdict-line">
      <p>
        <span>{writer} wrote</span>
        <output>{wrote}</output>
      </p>
      <p className="middle">
        <b aria-hidden="true">{is === 'right' ? '=' : '≠'}</b>
        <span>{verdictReason({ is, reader, writer, through })}</span>
      </p>
      <p>
        <span>{reader} read</span>
        <output>{read}</output>
      </p>
    </div>
  );
}
