/** Which question a device was fenced for: in fields for the client, and in words for the person behind it. */
import type { ServerNotificationParams } from '../../protocol/server-notifications.ts';
import type { QuestionParams } from '../../protocol/server-questions.ts';
import type { PageRange } from '../../vocabulary/address.ts';
import type { ActorQuestion, AwaitedQuestion, SentInvalidate } from './remote-actor.ts';

/** `question` is the number that the machine has given it. */
export type AboutQuestion = Pick<
  ServerNotificationParams['fenced'],
  'question' | 'method' | 'subscription' | 'range'
>;

export function aboutQuestion(id: number, question: ActorQuestion): AboutQuestion {
  if (question.kind === 'sent')
    return { question: id, method: 'invalidate', ...invalidated(question) };
  const { method } = question;
  return isInvalidation(question)
    ? { question: id, method, ...invalidated(question) }
    : { question: id, method };
}

const INVALIDATIONS: readonly string[] = ['invalidate', 'invalidate_start', 'invalidate_finish'];

/** Whether it is one of the questions that ask for an invalidation, whole or in a pass. */
export function isInvalidation(question: AwaitedQuestion): question is AwaitedInvalidation {
  return INVALIDATIONS.includes(question.method);
}

type AwaitedInvalidation = AwaitedQuestion & { readonly params: QuestionParams['invalidate'] };

/** `the invalidate of pages 0x100200 to 0x100201 of subscription 3` */
export function questionWords(question: ActorQuestion): string {
  if (question.kind === 'awaited' && question.method === 'migrate_to_ram') {
    const { page } = question.params as QuestionParams['migrate_to_ram'];
    return `the migrate_to_ram of page ${hex(page)}`;
  }
  const method = question.kind === 'sent' ? 'invalidate' : question.method;
  if (question.kind === 'awaited' && !isInvalidation(question)) return method;
  const { subscription, range } = invalidated(question);
  const pages =
    range.end - range.first === 1
      ? `page ${hex(range.first)}`
      : `pages ${hex(range.first)} to ${hex(range.end - 1)}`;
  return `the ${method} of ${pages} of subscription ${subscription}`;
}

function invalidated(question: SentInvalidate | AwaitedInvalidation): {
  readonly subscription: number;
  readonly range: PageRange;
} {
  if (question.kind === 'sent') return { subscription: question.sub.id, range: question.range };
  const { subscription, range } = question.params;
  return { subscription, range };
}

function hex(page: number): string {
  return `0x${page.toString(16)}`;
}
