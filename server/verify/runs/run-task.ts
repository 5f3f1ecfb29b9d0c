/** What goes to a thread that explores, and what comes back: plain data only. */
import type { MessagePort } from 'node:worker_threads';
import type { RunEvents, RunProgress, RunVerdict } from '../../protocol/http-api.ts';
import type { FormatName } from '../../report/format-names.ts';
import type { AskedMoment } from './asked-moment.ts';
import type { FullQuestion } from './run-question.ts';

export interface RunTask {
  readonly question: FullQuestion;
  /** Where its code is, if it has any. */
  readonly ownPatch?: string;
  /** It is about a moment of a live lab, and not about a scenario. */
  readonly moment?: AskedMoment;
  /** Names the sources that run, for the counterexample's token. */
  readonly modelHash: string;
  /** Gets RunNews while it goes on. */
  readonly news: MessagePort;
}

export type RunNews =
  | { readonly kind: 'began' }
  | { readonly kind: 'progress'; readonly progress: RunProgress };

export interface RunResult {
  readonly verdict: RunVerdict;
  readonly progress: RunProgress;
  readonly events: RunEvents;
  readonly reports: { readonly [Name in FormatName]: string };
}
