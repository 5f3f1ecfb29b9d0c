/**
 * A recording executed again with everything that the machine said in it: which response and which question came of
 * which entry. This says what a client knew when it sent a frame.
 */

import type { Journal, JournalEntry } from '../../journal/read-journal.ts';
import type { MachineConfig } from '../../machine/machine-config.ts';
import type { FromClient, Outbound } from '../../machine/remote/inbound.ts';
import { LiveMachine } from '../../machine/remote/live-machine.ts';

export type Request = Extract<FromClient, { kind: 'request' }>;
export type Response = Extract<Outbound, { kind: 'response' }>;
export type OutboundQuestion = Extract<Outbound, { kind: 'question' }>;
export type Answer = Extract<FromClient, { kind: 'answer' }>;

/** A request with the entry that it was, and its answer with the entry that brought it about. */
export interface RecordedRequest {
  readonly n: number;
  readonly request: Request;
  response: Response | 'none';
  /** Infinity while there is none. */
  answeredAt: number;
}

export interface RecordedQuestion {
  /** The entry that brought it about. */
  readonly n: number;
  readonly question: OutboundQuestion;
  answer: Answer | 'none';
  answeredAt: number;
}

export interface RecordedRun {
  readonly config: MachineConfig;
  readonly entries: readonly JournalEntry[];
  /** By `n` of the entry. */
  readonly requests: ReadonlyMap<number, RecordedRequest>;
  /** By `n` of the answer. */
  readonly answered: ReadonlyMap<number, RecordedQuestion>;
  readonly questions: readonly RecordedQuestion[];
}

/** Executes the entries up to and with `last`. Throws: UnknownPatch; what the machine throws. */
export function recordedRun(journal: Journal, last: number): RecordedRun {
  const entries = journal.entries.slice(0, last);
  const requests = new Map<number, RecordedRequest>();
  const answered = new Map<number, RecordedQuestion>();
  const questions: RecordedQuestion[] = [];
  let n = 0;
  const machine = new LiveMachine(journal.header.config, {
    outbound: (outbound) => {
      if (outbound.kind === 'question') {
        const question = {
          n,
          question: outbound,
          answer: 'none',
          answeredAt: Number.POSITIVE_INFINITY,
        } as const;
        questions.push({ ...question });
      } else if (outbound.kind === 'response') {
        const open = [...requests.values()].findLast(
          ({ request, response }) =>
            response === 'none' && request.actor === outbound.actor && request.id === outbound.id,
        );
        if (open !== undefined) Object.assign(open, { response: outbound, answeredAt: n });
      }
    },
    event: () => undefined,
  });
  for (const entry of entries) {
    n = entry.n;
    const { inbound } = entry;
    if (inbound.kind === 'request') {
      requests.set(n, {
        n,
        request: inbound,
        response: 'none',
        answeredAt: Number.POSITIVE_INFINITY,
      });
    } else if (inbound.kind === 'answer') {
      const asked = questions.find(
        ({ question, answer }) =>
          answer === 'none' && question.actor === inbound.actor && question.id === inbound.id,
      );
      if (asked !== undefined) {
        Object.assign(asked, { answer: inbound, answeredAt: n });
        answered.set(n, asked);
      }
    }
    machine.accept(inbound);
  }
  return { config: journal.header.config, entries, requests, answered, questions };
}
