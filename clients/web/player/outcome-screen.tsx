import { useEffect } from 'preact/hooks';
import type { PictureVerdict } from '../picture/verdict.ts';

const BUZZ: { readonly [Is in PictureVerdict['is']]: number[] } = {
  right: [60],
  wrong: [200, 80, 200, 80, 400],
};

export interface OutcomeScreenProps {
  readonly verdict: PictureVerdict;
  readonly onClose: () => void;
}

/** What my read came to: the whole screen, and a buzz. It is about me, and it says who is to blame. */
export function OutcomeScreen({ verdict, onClose }: OutcomeScreenProps) {
  const { is, read, writer, wrote, through } = verdict;
  useEffect(() => {
    try {
      navigator.vibrate?.(BUZZ[is]);
    } catch {
      // A phone that does not buzz still shows it.
    }
  }, [is]);
  return (
    <main className={`outcome ${is}`} data-testid="outcome">
      <h1>You read</h1>
      <output>{read}</output>
      {is === 'right' ? (
        <p>
          You read {read}, as {writer} wrote. ✓
        </p>
      ) : (
        <>
          <p>
            {writer} wrote <strong>{wrote}</strong>.
          </p>
          {through === 'mirror' ? (
            <p>
              The page moved, and <strong>nobody told you</strong>. You did nothing wrong.
            </p>
          ) : (
            <p>
              <strong>It is lost.</strong> You did nothing wrong.
            </p>
          )}
        </>
      )}
      <button type="button" onClick={onClose}>
        Close
      </button>
    </main>
  );
}
