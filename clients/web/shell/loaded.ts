import { useCallback, useEffect, useState } from 'preact/hooks';
import { sentenceOf } from '../server-api.ts';

/** What was asked of the server, and what came. */
export type Loaded<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'there'; readonly value: T }
  | { readonly state: 'failed'; readonly why: string; readonly error: unknown };

/** Loads once, and again every `everyMs` milliseconds ('once': never) or when reload() is called. */
export function useLoaded<T>(
  load: () => Promise<T>,
  everyMs: number | 'once' = 'once',
): readonly [Loaded<T>, () => void] {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: 'loading' });
  const [turn, setTurn] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another `load` each time it is drawn is the same question.
  useEffect(() => {
    let wanted = true;
    let timer: ReturnType<typeof setTimeout> | 'none' = 'none';
    const again = () => {
      if (wanted && everyMs !== 'once') timer = setTimeout(run, everyMs);
    };
    const run = () => {
      load().then(
        (value) => {
          if (wanted) setLoaded({ state: 'there', value });
          again();
        },
        (error: unknown) => {
          if (wanted) setLoaded({ state: 'failed', why: sentenceOf(error), error });
          again();
        },
      );
    };
    run();
    return () => {
      wanted = false;
      if (timer !== 'none') clearTimeout(timer);
    };
  }, [turn, everyMs]);
  return [loaded, useCallback(() => setTurn((before) => before + 1), [])];
}
