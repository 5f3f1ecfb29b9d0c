import type { QuestionParams } from '../protocol/server-questions.ts';

type Invalidate = QuestionParams['invalidate'];

/**
 * The params of questions as JSON text. A bracket asks many devices to invalidate the same: what they are sent
 * differs in the subscription only, and the rest is written once.
 */
export class ParamsText {
  #last: Invalidate | 'none' = 'none';
  /** Of the last, behind the subscription. */
  #rest = '';

  of(method: string, params: unknown): string {
    if (method === 'invalidate' && isInvalidate(params)) return this.#invalidate(params);
    return JSON.stringify(params);
  }

  #invalidate(params: Invalidate): string {
    if (this.#last === 'none' || !sameButSubscription(params, this.#last)) {
      const { subscription: _, ...rest } = params;
      this.#last = params;
      this.#rest = JSON.stringify(rest).slice(1);
    }
    return `{"subscription":${params.subscription},${this.#rest}`;
  }
}

/** A machine may be another one than ours. */
function isInvalidate(params: unknown): params is Invalidate {
  return (
    typeof params === 'object' && params !== null && 'subscription' in params && 'range' in params
  );
}

function sameButSubscription(a: Invalidate, b: Invalidate): boolean {
  return (
    a.range.first === b.range.first &&
    a.range.end === b.range.end &&
    a.seq === b.seq &&
    a.mm === b.mm &&
    a.event === b.event &&
    a.owner === b.owner &&
    a.blocking === b.blocking
  );
}
