/**
 * The outcome block of herd7 (every end state counted once) and of litmus7 and klitmus7 (trials counted), as kernel
 * people read it. A search that did not end prints no `States`, and says `Unknown` of what it has only not seen.
 */
import { listText } from './lines/list-columns.ts';

export interface LitmusState {
  /** `dev1:r0=0x0; PTE=zero;` in the reader's words. */
  readonly text: string;
  /** End states or executions if counted exhaustively, trials if sampled. */
  readonly count: number;
  /** Whether the condition's expression is true in it. */
  readonly meets: boolean;
}

export type LitmusQuantifier = 'exists' | '~exists' | 'forall';

export interface LitmusResult {
  readonly name: string;
  readonly form: 'exhaustive' | 'sampled';
  /** Whether every state that there is, within the bound, is in `states`. A sample never is complete. */
  readonly complete: boolean;
  readonly states: readonly LitmusState[];
  readonly quantifier: LitmusQuantifier;
  /** Over registers and locations, with `/\`, `\/` and `~`; without parentheses around it. */
  readonly condition: string;
  /** Executions or trials in which the expression is true, and in which it is not. */
  readonly positive: number;
  readonly negative: number;
  readonly seconds: number | 'not measured';
  /** 32 hexadecimal digits that name the test. */
  readonly hash: string;
}

const KIND = { exists: 'Allowed', '~exists': 'Forbidden', forall: 'Required' } as const;

/** No line is longer than LIST_COLUMNS_MAX; what is wrapped goes on indented. */
export function litmusBlock(result: LitmusResult): string {
  const lines = result.form === 'exhaustive' ? exhaustive(result) : sampled(result);
  return listText(lines);
}

function exhaustive(result: LitmusResult): string[] {
  const { name, states, complete } = result;
  const { confirming, refuting } = witnesses(result);
  return [
    `Test ${name} ${KIND[result.quantifier]}`,
    ...(complete ? [`States ${states.length}`] : ['# The search did not end.']),
    ...states.map(({ text }) => text),
    answer(result),
    'Witnesses',
    `Positive: ${confirming} Negative: ${refuting}`,
    `Condition ${result.quantifier} (${result.condition})`,
    observation(result),
    ...time(result),
    `Hash=${result.hash}`,
  ];
}

function sampled(result: LitmusResult): string[] {
  const { name, states, quantifier, condition } = result;
  const { confirming, refuting } = witnesses(result);
  // As litmus7 marks them: what the question is about, which for `forall` is the exception.
  const marked = quantifier !== 'forall';
  const validated = answer({ ...result, complete: true }) === 'Ok';
  return [
    `Test ${name} ${KIND[quantifier]}`,
    `Histogram (${states.length} states)`,
    ...states.map(
      ({ text, count, meets }) =>
        `${String(count).padEnd(6)}${meets === marked ? '*' : ':'}>${text}`,
    ),
    validated ? 'Ok' : 'No',
    '',
    'Witnesses',
    `Positive: ${confirming}, Negative: ${refuting}`,
    `Condition ${quantifier} (${condition}) is ${validated ? '' : 'NOT '}validated`,
    `Hash=${result.hash}`,
    observation({ ...result, complete: true }),
    ...time(result),
  ];
}

/** Counted by what the whole condition says, quantifier included; the observation counts its expression alone. */
function witnesses({ quantifier, positive, negative }: LitmusResult) {
  return quantifier === '~exists'
    ? { confirming: negative, refuting: positive }
    : { confirming: positive, refuting: negative };
}

function answer({ quantifier, positive, negative, complete }: LitmusResult): string {
  const seen = quantifier === 'forall' ? negative > 0 : positive > 0;
  if (!(seen || complete)) return 'Unknown';
  const asks = quantifier === 'exists';
  return seen === asks ? 'Ok' : 'No';
}

function observation({ name, positive, negative, complete }: LitmusResult): string {
  let how = 'Sometimes';
  if (positive === 0) how = complete ? 'Never' : 'Unknown';
  else if (negative === 0 && complete) how = 'Always';
  return `Observation ${name} ${how} ${positive} ${negative}`;
}

function time({ name, seconds }: LitmusResult): string[] {
  return seconds === 'not measured' ? [] : [`Time ${name} ${seconds.toFixed(2)}`];
}
