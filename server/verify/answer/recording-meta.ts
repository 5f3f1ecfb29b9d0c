import { createHash } from 'node:crypto';
import type { Event } from '../../abi/event.ts';
import type { ReportMeta } from '../../report/report-meta.ts';

export interface RecordingFacts {
  readonly lab: string;
  readonly kernel: string;
  readonly patch: string;
  /** Inbound events of the recording. */
  readonly entries: number;
  readonly reproduce: string;
}

/** One live run as reports show it. That nothing went wrong in it proves nothing: then the verdict is unknown. */
export function metaOfRecording(events: readonly Event[], facts: RecordingFacts): ReportMeta {
  const { lab, kernel, patch, entries, reproduce } = facts;
  const first = events.find((event) => event.kind === 'violation');
  const seen =
    first === undefined ? 'nothing forbidden was seen in it' : `${first.rule}: ${first.text}`;
  const verdict = first === undefined ? 'unknown' : 'broken';
  return {
    name: lab,
    kernel,
    patch,
    verdict,
    seen,
    bound: `one live run: ${entries} inbound events`,
    reproduce,
    litmus: {
      name: lab,
      form: 'sampled',
      complete: false,
      states: [{ text: `${seen};`, count: 1, meets: first !== undefined }],
      quantifier: 'exists',
      condition: 'violation',
      positive: first === undefined ? 0 : 1,
      negative: first === undefined ? 1 : 0,
      seconds: 'not measured',
      hash: createHash('sha256')
        .update(JSON.stringify([lab, kernel, patch]))
        .digest('hex')
        .slice(0, 32),
    },
    properties: [],
    waits: [],
  };
}
