/**
 * When things happen in a trace: a step is a microsecond, and everything that is drawn of one step has a place of its
 * own inside it, because viewers nest wrongly what begins at the same nanosecond. Times are nanoseconds.
 */
export const STEP_NS = 1_000;

/** Nanoseconds after the beginning of its step. No two of one step are the same. */
export const AT = {
  migrationBegins: 10,
  bracketBegins: 20,
  callBegins: 50,
  /** A point in time is drawn as long as there is room, to be clicked on. */
  pointBegins: 100,
  callbackEnds: 110,
  askBegins: 120,
  flowLeaves: 200,
  askEnds: 300,
  callbackBegins: 400,
  flowSteps: 450,
  replyBegins: 500,
  flowArrives: 550,
  replyEnds: 600,
  pointEnds: 900,
  callEnds: 950,
  violation: 960,
  bracketEnds: 980,
  migrationEnds: 990,
  resident: 991,
  mapped: 992,
  retries: 993,
  residentToo: 994,
} as const;

export function timeOf(step: number, moment: keyof typeof AT): number {
  return step * STEP_NS + AT[moment];
}
