/** The same operations, one after the other, in two worlds that must agree: in this process, and live. */
import { compareResult, compareState, compareVmas, type Difference } from '../traces/compare.ts';
import type { ConformanceWorld } from '../traces/run-program.ts';
import { actorOf, CHILD, isTraceDeviceOp } from '../traces/trace-calls.ts';
import type { TraceOp } from '../traces/trace-format.ts';
import type { FuzzProgram } from './fuzz-program.ts';

export interface WorldsDiffer {
  /** Index of the operation. */
  readonly op: number;
  readonly name: string;
  readonly difference: Difference;
}

/** The operations of `program` in order, without those that need a child that does not live, or a second one. */
export function sequenceOf(program: FuzzProgram): TraceOp[] {
  const ops: TraceOp[] = [];
  let child: 'alive' | 'none' = 'none';
  for (const { op } of program.steps.flat()) {
    const possible =
      op.op === 'fork'
        ? child === 'none'
        : isTraceDeviceOp(op) || actorOf(op) !== CHILD || child === 'alive';
    if (!possible) continue;
    if (op.op === 'fork') child = 'alive';
    if (op.op === 'exit') child = 'none';
    ops.push(op);
  }
  return ops;
}

/** Stops at the first difference. A world that breaks down differs, unless the other does so in the same words. */
export async function compareWorlds(
  ops: readonly TraceOp[],
  one: ConformanceWorld,
  other: ConformanceWorld,
): Promise<WorldsDiffer | 'same'> {
  for (const [at, op] of ops.entries()) {
    const expected = await performed(one, op);
    const actual = await performed(other, op);
    const difference = differenceOf(expected, actual);
    if (difference !== 'same') return { op: at, name: op.op, difference };
    if ('broken' in expected) return 'same';
  }
  return 'same';
}

type Performed =
  | { readonly broken: string }
  | {
      readonly result: Exclude<
        Awaited<ReturnType<ConformanceWorld['perform']>>,
        { skipped: string }
      >;
      readonly state: Awaited<ReturnType<ConformanceWorld['state']>>;
      readonly vmas: Awaited<ReturnType<ConformanceWorld['vmas']>>;
    };

async function performed(world: ConformanceWorld, op: TraceOp): Promise<Performed> {
  try {
    const result = await world.perform(op);
    if ('skipped' in result) return { broken: `skipped: ${result.skipped}` };
    return { result, state: await world.state(), vmas: await world.vmas() };
  } catch (error) {
    return { broken: error instanceof Error ? error.message : String(error) };
  }
}

function differenceOf(expected: Performed, actual: Performed): Difference | 'same' {
  if ('broken' in expected || 'broken' in actual) {
    const [a, b] = [expected, actual].map((each) => ('broken' in each ? each.broken : 'an answer'));
    return a === b ? 'same' : { field: 'world', expected: a ?? '', actual: b ?? '' };
  }
  const found = [
    () => compareResult(expected.result, actual.result),
    () => compareState(expected.state, actual.state),
    () => compareVmas(expected.vmas, actual.vmas),
  ];
  for (const compare of found) {
    const difference = compare();
    if (difference !== 'same') return difference;
  }
  return 'same';
}
