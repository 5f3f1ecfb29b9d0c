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
  /** No server answers, it refused the session or ended it for good. Of mmrace.js: the Node that runs it is too old. */
  UNAVAILABLE: 69,
  /** A bug of ours. */
  INTERNAL: 70,
  /** The answer could not be written to stdout: a disk that is full. */
  UNWRITTEN: 74,
  INTERRUPTED: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** As docs/COMMANDS.md and the manual page have them. */
export const EXIT_MEANINGS: readonly (readonly [code: ExitCode, meaning: string])[] = [
  [
    EXIT.OK,
    'the answer is yes: it holds for the whole stated bound, all agree, every verb did what it says',
  ],
  [EXIT.BROKEN, 'a counterexample, a difference, a verb that failed, something that is not ok'],
  [EXIT.UNKNOWN, 'not known: the bound or the time ran out, or the race window was never entered'],
  [EXIT.SKIPPED, 'skipped'],
  [EXIT.USAGE, 'the command line or a file given on it cannot be used'],
  [
    EXIT.UNAVAILABLE,
    'no server answers, it refused or ended the session for good, or the Node that runs it is too old',
  ],
  [EXIT.INTERNAL, 'a bug of mmrace'],
  [EXIT.UNWRITTEN, 'the answer could not be written to stdout'],
  [EXIT.INTERRUPTED, 'interrupted before the answer was complete'],
];
