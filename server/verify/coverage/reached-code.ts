/**
 * Which code runs while something is done, as V8 counts it: functions for free, lines for about half as much time
 * again. Of this thread alone. Source: the Profiler domain of the Chrome DevTools Protocol, precise coverage.
 */
import { Session } from 'node:inspector';

/** 'functions' costs nothing that can be measured; 'lines' makes a search take about 1.5 times as long. */
export type Detail = 'functions' | 'lines';

interface CountedRange {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

export interface CountedFunction {
  readonly functionName: string;
  /** The first is the function itself; each lies inside one before it. */
  readonly ranges: readonly CountedRange[];
}

export interface CountedScript {
  /** file://... */
  readonly url: string;
  readonly functions: readonly CountedFunction[];
}

/** Does `run`. Returns: what it returned, with the scripts of which something has run meanwhile. */
export function reachedBy<T>(
  detail: Detail,
  run: () => T,
): { readonly value: T; readonly scripts: readonly CountedScript[] } {
  const session = new Session();
  session.connect();
  try {
    session.post('Profiler.enable');
    session.post('Profiler.startPreciseCoverage', {
      callCount: false,
      detailed: detail === 'lines',
    });
    const value = run();
    let scripts: readonly CountedScript[] = [];
    session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error === null) scripts = taken.result;
    });
    return { value, scripts };
  } finally {
    session.disconnect();
  }
}

/** Was the code at `offset` reached? By the innermost range that holds it. */
export function isReached(script: CountedScript, offset: number): boolean {
  const innermost = innermostAt(
    script.functions.flatMap(({ ranges }) => ranges),
    offset,
  );
  return innermost !== undefined && innermost.count > 0;
}

/** The innermost function around `offset`; undefined for code of the module itself. */
export function functionAt(script: CountedScript, offset: number): CountedFunction | undefined {
  const around = script.functions.filter(({ ranges: [whole] }) => whole && holds(whole, offset));
  return around.toSorted((a, b) => size(a.ranges[0]) - size(b.ranges[0]))[0];
}

function innermostAt(ranges: readonly CountedRange[], offset: number): CountedRange | undefined {
  return ranges.filter((range) => holds(range, offset)).sort((a, b) => size(a) - size(b))[0];
}

function holds({ startOffset, endOffset }: CountedRange, offset: number): boolean {
  return startOffset <= offset && offset < endOffset;
}

function size(range: CountedRange | undefined): number {
  return range === undefined ? 0 : range.endOffset - range.startOffset;
}
