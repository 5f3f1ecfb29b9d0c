import { useSyncExternalStore } from 'preact/compat';
import { useEffect, useMemo } from 'preact/hooks';
import { LabFeed } from './lab-feed.ts';

/** Watches a lab for as long as the component is there, and draws it again when something came. */
export function useLabFeed(lab: string): LabFeed {
  const feed = useMemo(() => new LabFeed(lab, newWatcherName()), [lab]);
  useEffect(() => {
    feed.start();
    return () => feed.stop();
  }, [feed]);
  useSyncExternalStore(feed.subscribe, feed.version);
  return feed;
}

function newWatcherName(): string {
  return `view-${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36)}`;
}
