import { type Verdict, verdictReason } from '../picture/verdict.ts';
import './room.css';

/** Both values and why, across the whole width, in the place of the cue. */
export function VerdictLine({ verdict }: { readonly verdict: Verdict }) {
  const { is, reader, read, writer, wrote } = verdict;
  return (
    <div className={`verdict-line ${is}`} role="status" data-testid="verdict-line">
      <p>
        <span>{writer} wrote</span>
        <output>{wrote}</output>
      </p>
      <p className="middle">
        <b aria-hidden="true">{is === 'right' ? '=' : '≠'}</b>
        <span>{verdictReason(verdict)}</span>
      </p>
      <p>
        <span>{reader} read</span>
        <output>{read}</output>
      </p>
    </div>
  );
}
