import { useCallback, useEffect, useState } from 'preact/hooks';
import type { NewRun, RunEntry, RunEvents } from '../../../server/protocol/http-api.ts';
import { RequestFailed, sentenceOf, serverApi } from '../server-api.ts';
import { goTo } from '../shell/navigation.ts';

const LOOK_MS = 250;

export type FollowedRun =
  | { readonly state: 'asking' }
  | { readonly state: 'under-way'; readonly run: RunEntry }
  | { readonly state: 'done'; readonly run: RunEntry; readonly events: RunEvents | 'none' }
  | { readonly state: 'failed'; readonly why: string };

/** Follows a run to its end. One that the server has forgotten is asked for again: same question, same answer. */
export function useRun(
  id: string,
  question: NewRun | 'none',
  event: number | 'end',
): readonly [FollowedRun, () => void] {
  const [followed, setFollowed] = useState<FollowedRun>({ state: 'asking' });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the question and the event belong to the id.
  useEffect(() => {
    let wanted = true;
    let timer: ReturnType<typeof setTimeout> | 'none' = 'none';
    const follow = async (): Promise<void> => {
      const { run } = await serverApi.run(id);
      if (!wanted) return;
      if (run.state === 'waiting' || run.state === 'running') {
        setFollowed({ state: 'under-way', run });
        timer = setTimeout(() => follow().catch(failed), LOOK_MS);
        return;
      }
      const events = run.state === 'done' ? await eventsOf(id) : 'none';
      if (wanted) setFollowed({ state: 'done', run, events });
    };
    const failed = async (error: unknown): Promise<void> => {
      const isGone = error instanceof RequestFailed && error.status === 404;
      if (isGone && question !== 'none') {
        const again = await serverApi.startRun(question);
        if (wanted) goTo({ view: 'run', id: again.run.id, question, event }, 'replace');
        return;
      }
      if (wanted) setFollowed({ state: 'failed', why: sentenceOf(error) });
    };
    setFollowed({ state: 'asking' });
    follow()
      .catch(failed)
      .catch((error: unknown) => setFollowed({ state: 'failed', why: sentenceOf(error) }));
    return () => {
      wanted = false;
      if (timer !== 'none') clearTimeout(timer);
    };
  }, [id]);
  const cancel = useCallback(() => {
    serverApi.cancelRun(id).catch(() => undefined);
  }, [id]);
  return [followed, cancel];
}

async function eventsOf(id: string): Promise<RunEvents | 'none'> {
  try {
    return await serverApi.runEvents(id);
  } catch (error) {
    // A verdict without an execution to show.
    if (error instanceof RequestFailed && error.status < 500 && error.status >= 400) return 'none';
    throw error;
  }
}
