/** What the exit code of every command means. A verdict that is not known is never 0. */
export const EXIT = {
  /** The answer is yes: the property holds for the whole stated bound, all programs agree. */
  OK: 0,
  /** A counterexample, a difference. */
  BROKEN: 1,
  /** The bound or the time ran out first, or the race window was never entered. */
  UNKNOWN: 2,
  SKIPPED: 4,
  /** The command line or a file given on it is wrong. */
  USAGE: 64,
  /** The Node that runs it is too old; said by mmrace.js. */
  UNAVAILABLE: 69,
  /** A bug of ours. */
  INTERNAL: 70,
  /** The answer could not be written to stdout: a disk that is full. */
  UNWRITTEN: 74,
  INTERRUPTED: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
