/** Whether new clients are welcome. */
export interface Readiness {
  state: 'ready' | 'going';
  /** Why labs cannot be recorded at this moment; 'none' if they can, or need not be. */
  readonly recordingProblem: () => Promise<string>;
}
