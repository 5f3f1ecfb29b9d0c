/**
 * KTAP version 1 (Documentation/dev-tools/ktap.rst) with the totals line of the kernel's selftests. A test that could
 * not be decided is `not ok ... # ERROR`, never `ok`. A test with subtests fails if one of them does.
 */

/** 'error': not decided, because a bound was reached or something broke down. */
export type KtapOutcome = 'pass' | 'fail' | 'xfail' | 'skip' | 'timeout' | 'error';

export type KtapTest = KtapLeaf | KtapGroup;

export interface KtapLeaf {
  readonly name: string;
  readonly outcome: KtapOutcome;
  /** Why, for whatever did not simply pass; else empty. */
  readonly reason: string;
  /** Lines printed before the result. */
  readonly diagnostics: readonly string[];
}

export interface KtapGroup {
  readonly name: string;
  readonly subtests: readonly KtapTest[];
  readonly diagnostics: readonly string[];
}

export type KtapTotals = { readonly [Outcome in KtapOutcome]: number };

const DIRECTIVE: { readonly [Outcome in KtapOutcome]: string } = {
  pass: '',
  fail: '',
  xfail: 'XFAIL',
  skip: 'SKIP',
  timeout: 'TIMEOUT',
  error: 'ERROR',
};

/** A whole KTAP document, with the totals of its first level at the end. */
export function ktapDocument(tests: readonly KtapTest[]): string {
  return `${[...level(tests), totalsLine(totalsOf(tests))].join('\n')}\n`;
}

export function totalsOf(tests: readonly KtapTest[]): KtapTotals {
  const totals = { pass: 0, fail: 0, xfail: 0, skip: 0, timeout: 0, error: 0 };
  for (const test of tests) totals[outcomeOf(test)] += 1;
  return totals;
}

/** Fails worse than errs, errs worse than is skipped; a group without subtests was skipped. */
export function outcomeOf(test: KtapTest): KtapOutcome {
  if ('outcome' in test) return test.outcome;
  const outcomes = new Set(test.subtests.map(outcomeOf));
  for (const worst of ['fail', 'timeout', 'error'] as const) {
    if (outcomes.has(worst)) return worst === 'timeout' ? 'error' : worst;
  }
  return outcomes.has('pass') || outcomes.has('xfail') ? 'pass' : 'skip';
}

function level(tests: readonly KtapTest[]): string[] {
  const lines = ['KTAP version 1', `1..${tests.length}`];
  for (const [at, test] of tests.entries()) {
    if ('subtests' in test) lines.push(...level(test.subtests).map((line) => `  ${line}`));
    for (const said of test.diagnostics) lines.push(...diagnostic(said));
    lines.push(resultLine(at + 1, test));
  }
  return lines;
}

function diagnostic(said: string): string[] {
  return said.split('\n').map((line) => `# ${line}`.trimEnd());
}

function resultLine(number: number, test: KtapTest): string {
  const outcome = outcomeOf(test);
  const ok = outcome === 'pass' || outcome === 'xfail' || outcome === 'skip';
  const reason = 'reason' in test ? oneLine(test.reason) : '';
  const directive = [DIRECTIVE[outcome], reason].filter((word) => word !== '').join(' ');
  const result = `${ok ? 'ok' : 'not ok'} ${number} ${oneLine(test.name)}`;
  return directive === '' ? result : `${result} # ${directive}`;
}

/** A description must not have the sign that begins a directive. */
function oneLine(text: string): string {
  return text
    .replaceAll(/[\r\n]+/g, ' ')
    .replaceAll('#', 'no. ')
    .trim();
}

function totalsLine(totals: KtapTotals): string {
  const error = totals.error + totals.timeout;
  return (
    `# Totals: pass:${totals.pass} fail:${totals.fail} xfail:${totals.xfail} xpass:0 ` +
    `skip:${totals.skip} error:${error}`
  );
}
