/** A frame of a device's, as one run compares it with the next: what it says, and not how it is numbered. */
import type { FromClient } from '../machine/remote/inbound.ts';

export interface ClientFrame {
  /** Counted from 1, from the reset on. */
  readonly n: number;
  readonly kind: 'request' | 'notification' | 'answer';
  /** Of an answer: the method of the question. */
  readonly method: string;
  /** Params or result with the keys in order, and pages. */
  readonly content: string;
}

/** Where two runs of one schedule part. */
export interface FrameDifference {
  readonly n: number;
  readonly expected: string;
  readonly came: string;
}

/** Characters of a frame that are shown. */
const SHOWN_MAX = 200;

/** `asked` is the method of a question by its id. */
export function clientFrame(
  n: number,
  inbound: FromClient,
  asked: (id: number) => string,
): ClientFrame | 'none' {
  switch (inbound.kind) {
    case 'request':
    case 'notify': {
      const { method, params, contents } = inbound;
      const pages = contents.map((page) => Buffer.from(page).toString('base64'));
      const content = canonical(params) + (pages.length === 0 ? '' : ` pages ${pages.join(' ')}`);
      return { n, kind: inbound.kind === 'request' ? 'request' : 'notification', method, content };
    }
    case 'answer': {
      const { id, outcome } = inbound;
      const content = outcome.ok ? canonical(outcome.result) : `error ${outcome.errno}`;
      return { n, kind: 'answer', method: asked(id), content };
    }
    default:
      return 'none';
  }
}

/** The first frame in which `second` is not `first`, or 'none'. */
export function firstDifference(
  first: readonly ClientFrame[],
  second: readonly ClientFrame[],
): FrameDifference | 'none' {
  for (let at = 0; at < Math.max(first.length, second.length); at += 1) {
    const expected = describeFrame(first[at]);
    const came = describeFrame(second[at]);
    if (sameFrame(first[at], second[at])) continue;
    return { n: at + 1, expected, came };
  }
  return 'none';
}

function sameFrame(a: ClientFrame | undefined, b: ClientFrame | undefined): boolean {
  return a?.kind === b?.kind && a?.method === b?.method && a?.content === b?.content;
}

/** `hmm_range_fault {"range":...}`, `answer to invalidate {...}`, 'nothing'. */
export function describeFrame(frame: ClientFrame | undefined): string {
  if (frame === undefined) return 'nothing';
  const { kind, method, content } = frame;
  const text = `${kind === 'answer' ? `answer to ${method}` : method} ${content}`;
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}...`;
}

/** JSON with the keys of every object in order: in which one a client writes them says nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
