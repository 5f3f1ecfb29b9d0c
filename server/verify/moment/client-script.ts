/**
 * What the clients of a recording did after a moment, as a program for each: its own frames in its own order, each
 * with what it had been answered by then. Answers to questions are no part of it: a client that is asked answers.
 */

import type { JournalEntry } from '../../journal/read-journal.ts';
import type { FromClient } from '../../machine/remote/inbound.ts';
import type { DeviceNotificationParams } from '../../protocol/client-notifications.ts';
import type { QuestionParams, QuestionResults } from '../../protocol/server-questions.ts';
import type { Answer, RecordedQuestion, RecordedRequest, RecordedRun } from './recorded-run.ts';

export type ClientMessage = Exclude<FromClient, { kind: 'answer' }>;

/** One frame, and the requests of the same client whose answers it had when it sent it. */
export interface ScriptFrame {
  readonly frame: ClientMessage;
  /** The request as recorded; 'none' for other frames. */
  readonly recorded: RecordedRequest | 'none';
  readonly after: readonly RecordedRequest[];
}

/** How a client brought a page back when it was asked to. */
export interface ServiceScript {
  readonly page: number;
  readonly frames: readonly ScriptFrame[];
  /** 'not recorded': the answer came later than what is played. */
  readonly outcome: Answer['outcome'] | 'not recorded';
}

export interface ClientScript {
  readonly actor: string;
  readonly role: 'device' | 'cpu';
  /** From the last beginning of a range fault on, which it may have to come back to. */
  readonly frames: readonly ScriptFrame[];
  /** The first of `frames` that comes after the moment. */
  readonly begin: number;
  readonly services: readonly ServiceScript[];
  /** Whether it moves its sequence for what its own migrations invalidate. */
  readonly ownSequence: 'moves' | 'stays';
  /** What it did in the first of two passes where it left something to the second. */
  readonly firstPass: 'moves sequence' | 'drops entries';
}

/** The programs that follow entry `step`, of those who do anything. */
export function clientScripts(run: RecordedRun, step: number): ClientScript[] {
  const roles = new Map<string, 'device' | 'cpu'>();
  for (const { inbound } of run.entries) {
    if (inbound.kind === 'attach') roles.set(inbound.actor, inbound.role);
  }
  return [...roles].map(([actor, role]) => scriptOf(run, step, actor, role));
}

function scriptOf(
  run: RecordedRun,
  step: number,
  actor: string,
  role: 'device' | 'cpu',
): ClientScript {
  const asked = run.questions.filter(({ question }) => question.actor === actor);
  const services = asked
    .filter(({ question, answeredAt }) => question.method === 'migrate_to_ram' && answeredAt > step)
    .map((question) => ({ question, frames: [] as ScriptFrame[] }));
  const frames: ScriptFrame[] = [];
  let begin = 0;
  for (const entry of run.entries) {
    const { inbound } = entry;
    if (entry.n === step + 1) begin = frames.length;
    if (!('actor' in inbound) || inbound.actor !== actor || inbound.kind === 'answer') continue;
    if (belongsToAnswer(inbound, openAt(asked, entry, ...INVALIDATIONS))) continue;
    const recorded: RecordedRequest | 'none' = run.requests.get(entry.n) ?? 'none';
    const frame = { frame: inbound, recorded, after: answersBefore(run, actor, entry) };
    const [serving] = openAt(asked, entry, 'migrate_to_ram');
    if (serving === undefined) frames.push(frame);
    else if (entry.n > step)
      services.find(({ question }) => question === serving)?.frames.push(frame);
  }
  if (run.entries.length === step) begin = frames.length;
  const fault = frames.slice(0, begin).findLastIndex(({ frame }) => isReadBegin(frame));
  const from = fault < 0 ? begin : fault;
  return {
    actor,
    role,
    frames: frames.slice(from),
    begin: begin - from,
    services: services.map(({ question: { question, answer }, frames: list }) => ({
      page: pageOf(question.params),
      frames: list,
      outcome: answer === 'none' ? 'not recorded' : answer.outcome,
    })),
    ownSequence: asked.some(movesOwnSequence) ? 'moves' : 'stays',
    firstPass: asked.some(beginsWithoutSequence) ? 'drops entries' : 'moves sequence',
  };
}

/** Where a range fault begins. */
export function isReadBegin(frame: ClientMessage): boolean {
  return (
    frame.kind === 'request' &&
    (frame.method === 'mmu_interval_read_begin' || frame.method === 'hmm_range_fault_unlocked')
  );
}

const INVALIDATIONS = ['invalidate', 'invalidate_start', 'invalidate_finish'] as const;

/** Questions that were put before `entry` and answered after it. */
function openAt(
  asked: readonly RecordedQuestion[],
  entry: JournalEntry,
  ...methods: readonly string[]
): RecordedQuestion[] {
  return asked.filter(
    ({ n, question, answeredAt }) =>
      methods.includes(question.method) && n < entry.n && answeredAt > entry.n,
  );
}

/** Entries that it drops because of an invalidation are notified before the answer. */
function belongsToAnswer(frame: ClientMessage, open: readonly RecordedQuestion[]): boolean {
  if (frame.kind !== 'notify' || frame.method !== 'mirror_changed') return false;
  const { changes } = frame.params as DeviceNotificationParams['mirror_changed'];
  return changes.every(
    ({ page, entry }) =>
      entry.state === 'none' &&
      open.some(({ question }) => {
        const { range } = question.params as QuestionParams['invalidate'];
        return range.first <= page && page < range.end;
      }),
  );
}

function answersBefore(run: RecordedRun, actor: string, entry: JournalEntry): RecordedRequest[] {
  return [...run.requests.values()].filter(
    ({ request, answeredAt }) => request.actor === actor && answeredAt < entry.n,
  );
}

function pageOf(params: unknown): number {
  return (params as QuestionParams['migrate_to_ram']).page;
}

function movesOwnSequence({ question, answer }: RecordedQuestion): boolean {
  const asked = INVALIDATIONS.some((method) => method === question.method);
  if (!asked || answer === 'none' || !answer.outcome.ok) return false;
  const { owner, seq } = question.params as QuestionParams['invalidate'];
  const { invalidate_seq } = answer.outcome.result as { readonly invalidate_seq: number };
  return owner === question.actor && invalidate_seq === seq;
}

function beginsWithoutSequence({ question, answer }: RecordedQuestion): boolean {
  if (question.method !== 'invalidate_start' || answer === 'none' || !answer.outcome.ok)
    return false;
  const { seq } = question.params as QuestionParams['invalidate_start'];
  const { result, invalidate_seq } = answer.outcome.result as QuestionResults['invalidate_start'];
  return result === 'begun' && invalidate_seq !== seq;
}
