/** How many steps a machine may still take before others have their turn. Used up by whoever takes them. */
export interface StepBudget {
  left: number;
}

/** For whoever has nobody beside it: a replay, a test. */
export const WITHOUT_END: Readonly<StepBudget> = { left: Number.POSITIVE_INFINITY };
