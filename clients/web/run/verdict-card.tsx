import type { RunVerdict } from '../../../server/protocol/http-api.ts';
import { Term } from '../shell/term.tsx';

/** The verdict, within which bound it holds, and whether the race window was entered at all. */
export function VerdictCard({ verdict }: { readonly verdict: RunVerdict }) {
  const { executions, steps, seconds, windowEntered, bound } = verdict;
  return (
    <section className="stack" aria-label="Verdict">
      <div className="verdict" data-testid="verdict">
        <span className={`word ${verdict.verdict}`}>
          {{ holds: '✓ holds', broken: '✕ broken', unknown: '? unknown' }[verdict.verdict]}
        </span>
        <span>{bound}</span>
        <span className="quiet">
          {executions.toLocaleString('en')} executions, {steps.toLocaleString('en')} steps,{' '}
          {seconds.toFixed(2)} s
        </span>
      </div>
      {(verdict.seenOnLinux ?? []).map((seen) => (
        <p key={seen} data-testid="seen-on-linux">
          {seen}.
        </p>
      ))}
      <p className={windowEntered === 0 ? 'note warn' : 'quiet'}>
        The <Term of="race window">race window</Term> was{' '}
        {windowEntered === 0
          ? 'never entered: this says nothing about the race.'
          : `entered in ${windowEntered.toLocaleString('en')} executions.`}
      </p>
    </section>
  );
}
