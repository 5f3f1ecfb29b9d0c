import type { RunVerdict } from '../../../server/protocol/http-api.ts';

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
      <p className={windowEntered === 0 ? 'note warn' : 'quiet'}>
        {windowEntered === 0
          ? 'The race window was never entered: this says nothing about the race.'
          : `The race window was entered in ${windowEntered.toLocaleString('en')} executions.`}
      </p>
    </section>
  );
}
