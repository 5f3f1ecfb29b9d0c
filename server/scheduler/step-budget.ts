/**
 * How many steps a machine may still take before others have their turn. Used up by each step, and by what it leads to
 * elsewhere.
 */
export interface StepBudget {
  left: number;
}

/** For a machine that is alone: a replay, a test. */
export const WITHOUT_END: Readonly<StepBudget> = { left: Number.POSITIVE_INFINITY };
