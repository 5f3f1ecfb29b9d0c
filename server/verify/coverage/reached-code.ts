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

/** Counting that has begun. */
export interface Counting {
  /** The scripts of which something has run since it began. To be called before end(). */
  taken(): readonly CountedScript[];
  /** To be called once, also after a failure. */
  end(): void;
}

/**
 * Of lines, functions that were compiled before are known as wholes alone: countFromHere() must have been called before
 * they were loaded. What a question does not bring along is looked at by functions.
 */
export function beginCounting(detail: Detail): Counting {
  if (detail === 'functions' && lasting === undefined) return counting(started(detail), 'once');
  const session = countFromHere();
  // What V8 has made faster since, by putting functions into their callers, it does not count: made slow again.
  start(session, 'lines');
  taken(session);
  return counting(session, 'for ever');
}

/** Never ended: where counting ends, V8 forgets where the blocks of the functions are that it has compiled. */
let lasting: Session | undefined;

/** Call it before code is loaded whose lines are to be counted in this thread. */
export function countFromHere(): Session {
  lasting ??= started('lines');
  return lasting;
}

function started(detail: Detail): Session {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  start(session, detail);
  return session;
}

function start(session: Session, detail: Detail): void {
  // What is counted once only is not reported again: a session that lasts has to count.
  const detailed = detail === 'lines';
  session.post('Profiler.startPreciseCoverage', { callCount: detailed, detailed });
}

function counting(session: Session, how: 'once' | 'for ever'): Counting {
  return {
    taken: () => taken(session),
    end: () => {
      if (how === 'once') session.disconnect();
    },
  };
}

/** What has run since it was asked last. */
function taken(session: Session): readonly CountedScript[] {
  let scripts: readonly CountedScript[] = [];
  session.post('Profiler.takePreciseCoverage', (error, result) => {
    if (error === null) scripts = result.result;
  });
  return scripts;
}

/** Did the function run at all? */
export function hasRun({ ranges: [whole] }: CountedFunction): boolean {
  return (whole?.count ?? 0) > 0;
}

/** The script as a whole is a function without a name that begins at 0. */
export function isModule({ functionName, ranges }: CountedFunction): boolean {
  return functionName === '' && ranges[0]?.startOffset === 0;
}
/**
 * Which characters of a function ran, by what V8 has counted of it and of the functions within it: 1 if reached.
 * `begin` and `end`: its body, see FileFunction. All 0 if V8 does not report it: nothing has called it since the count
 * began.
 */
export function reachedIn(
  { functions }: CountedScript,
  { begin, end }: { readonly begin: number; readonly end: number },
): Uint8Array {
  const reached = new Uint8Array(end - begin);
  const whole = countedAt(functions, begin, end);
  if (whole === undefined) return reached;
  const ranges = functions
    .flatMap((one) => one.ranges)
    .filter(({ startOffset, endOffset }) => startOffset >= whole.startOffset && endOffset <= end)
    .sort((a, b) => size(b) - size(a));
  for (const { startOffset, endOffset, count } of ranges) {
    reached.fill(count > 0 ? 1 : 0, Math.max(0, startOffset - begin), endOffset - begin);
  }
  return reached;
}

/** Functions may end at one place, as `a => b => c`: the one whose parameters stand right before its body. */
function countedAt(
  functions: readonly CountedFunction[],
  begin: number,
  end: number,
): CountedRange | undefined {
  return functions
    .flatMap(({ ranges: [whole] }) => whole ?? [])
    .filter(({ startOffset, endOffset }) => startOffset <= begin && endOffset === end)
    .sort((a, b) => size(a) - size(b))[0];
}

function size({ startOffset, endOffset }: CountedRange): number {
  return endOffset - startOffset;
}
