import { useEffect, useState } from 'preact/hooks';
import type { LabFeed } from '../lab/lab-feed.ts';

/** Milliseconds between two looks at the clock. */
const LOOK_MS = 500;

/** A picture that is not live is grey, and says how old it is. */
export function NotLive({ feed }: { readonly feed: LabFeed }) {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  if (feed.live === 'live') return null;
  const seconds = Math.max(0, Math.round((now - feed.heardAt) / 1_000));
  return (
    <p className="not-live-chip chip warn" role="status">
      ◌ as of {seconds} s ago
    </p>
  );
}
