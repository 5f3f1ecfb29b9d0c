/**
 * Runs trace programs in a world and compares after every operation. The world may be a machine in
 * this process or a live lab with devices in other processes: the runner sees no difference.
 */
import { BadInput } from '../../vocabulary/bad-input.ts';
import { compareResult, compareState, compareVmas, type Difference } from './compare.ts';
import type { TraceProgram, TraceStep } from './parse-program.ts';
import type { OpResult, TraceOp } from './trace-format.ts';
import type { TraceState, TraceVmas } from './trace-state.ts';

/** The world does not model what the operation needs. */
export interface Skipped {
  readonly skipped: string;
}

/** One fresh process with its devices, for one program. */
export interface ConformanceWorld {
  /** Does one operation and waits until everything is at rest again. */
  perform(op: TraceOp): OpResult | Skipped | Promise<OpResult | Skipped>;
  /** Looking has no side effects. */
  state(): TraceState | Promise<TraceState>;
  vmas(): TraceVmas | Promise<TraceVmas>;
  /** Called once, also after a failure. */
  end(): void | Promise<void>;
}

export type NewWorld = (program: TraceProgram) => ConformanceWorld | Promise<ConformanceWorld>;

/** `ops` counts the operations that were performed. `op` is the index of the one that differs. */
/** `kernel` is the one that it was run on, where there was a choice. */
export type ProgramOutcome = { readonly kernel?: string } & Outcome;

type Outcome =
  | { readonly kind: 'passed'; readonly program: string; readonly ops: number }
  | {
      readonly kind: 'skipped';
      readonly program: string;
      readonly ops: number;
      readonly feature: string;
    }
  | {
      readonly kind: 'failed';
      readonly program: string;
      readonly ops: number;
      readonly op: number;
      readonly name: string;
      readonly difference: Difference;
    };

/**
 * Runs `program` up to its first difference. A world that breaks down differs, too: in the field
 * `world`.
 *
 * Throws: BadInput for what a user's own code does wrong.
 */
export async function runProgram(
  program: TraceProgram,
  newWorld: NewWorld,
): Promise<ProgramOutcome> {
  const world = await newWorld(program);
  try {
    return await runSteps(program, world);
  } finally {
    await world.end();
  }
}

async function runSteps(program: TraceProgram, world: ConformanceWorld): Promise<ProgramOutcome> {
  let vmas: TraceVmas = { cpu0: [] };
  for (const [op, step] of program.steps.entries()) {
    if (step.vmas !== 'unchanged') vmas = step.vmas;
    const compared = await compareStep(world, step, vmas);
    const ops = op + 1;
    if (compared === 'same') continue;
    if (isSkipped(compared)) {
      return { kind: 'skipped', program: program.id, ops: op, feature: compared.skipped };
    }
    const name = step.op.op;
    return { kind: 'failed', program: program.id, ops, op, name, difference: compared };
  }
  return { kind: 'passed', program: program.id, ops: program.steps.length };
}

async function compareStep(
  world: ConformanceWorld,
  step: TraceStep,
  vmas: TraceVmas,
): Promise<Difference | Skipped | 'same'> {
  try {
    const result = await world.perform(step.op);
    if (isSkipped(result)) return result;
    const ofResult = compareResult(step.result, result);
    if (ofResult !== 'same') return ofResult;
    const ofState = compareState(step.state, await world.state());
    if (ofState !== 'same') return ofState;
    return compareVmas(vmas, await world.vmas());
  } catch (error) {
    // What a user's own code does wrong says nothing about the kernel.
    if (error instanceof BadInput) throw error;
    const actual = error instanceof Error ? error.message : String(error);
    return { field: 'world', expected: 'an answer', actual };
  }
}

function isSkipped(answer: object | string): answer is Skipped {
  return typeof answer === 'object' && Object.hasOwn(answer, 'skipped');
}
