import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Control, LabDetail } from '../../../server/protocol/http-api.ts';
import type { VerbResult } from '../../sdk/conductor.ts';
import { resultWords } from '../player/result-words.ts';
import { sentenceOf, serverApi } from '../server-api.ts';
import { presenterToken } from '../shell/memory.ts';
import { showToast } from '../shell/toasts.tsx';

/** Milliseconds between two looks at a lab, besides those after each action. */
const LOOK_MS = 1_500;

export interface LabControlHand {
  readonly detail: LabDetail | 'unknown';
  readonly act: (control: Control) => void;
}

/** How a lab is, and the hand on it. What goes wrong is told over the page. */
export function useLabControl(lab: string, stamp: unknown): LabControlHand {
  const [detail, setDetail] = useState<LabDetail | 'unknown'>('unknown');
  // biome-ignore lint/correctness/useExhaustiveDependencies: `stamp` says that something is another than before.
  useEffect(() => {
    let wanted = true;
    const look = () => {
      if (document.visibilityState !== 'visible') return;
      serverApi.lab(lab).then(
        (found) => {
          if (wanted) setDetail(found);
        },
        () => undefined,
      );
    };
    look();
    const timer = setInterval(look, LOOK_MS);
    return () => {
      wanted = false;
      clearInterval(timer);
    };
  }, [lab, stamp]);
  const act = useCallback(
    (control: Control) => {
      serverApi.control(lab, control, presenterToken(lab)).then(
        (answer) => {
          setDetail(answer);
          const performed = performedWords(answer.performed);
          if (performed !== '' && control.action === 'perform')
            showToast(`${control.actor}, ${String(control.verb.verb)}: ${performed}`);
        },
        (error: unknown) => showToast(sentenceOf(error)),
      );
    },
    [lab],
  );
  return { detail, act };
}

function performedWords(performed: unknown): string {
  return typeof performed === 'object' && performed !== null
    ? resultWords(performed as VerbResult)
    : '';
}
