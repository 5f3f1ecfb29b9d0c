import { readTraces } from './read-traces.ts';
import { type NewWorld, type ProgramOutcome, runProgram } from './run-program.ts';

/**
 * Runs every program of `paths` (files and folders), each in a world of its own, one after the
 * other. `onOutcome` is called with each as it ends.
 *
 * Throws: TraceError if a file cannot be used; programs before it have been run.
 */
export async function runTraces(
  paths: readonly string[],
  newWorld: NewWorld,
  onOutcome: (outcome: ProgramOutcome) => void = () => undefined,
): Promise<ProgramOutcome[]> {
  const outcomes: ProgramOutcome[] = [];
  for await (const { program } of readTraces(paths)) {
    const outcome = await runProgram(program, newWorld);
    outcomes.push(outcome);
    onOutcome(outcome);
  }
  return outcomes;
}
