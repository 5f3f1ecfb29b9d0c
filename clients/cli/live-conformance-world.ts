/**
 * A conformance world in a live lab: the operations are verbs of clients in other processes, every kernel call goes
 * over a real WebSocket, and the state is looked at in the server. One machine a program, the same clients for all.
 */
import type { ConformanceWorld } from '../../server/conformance/traces/run-program.ts';
import {
  actorOf,
  CHILD,
  isTraceDeviceOp,
  traceCallParams,
  verbOf,
} from '../../server/conformance/traces/trace-calls.ts';
import type { OpResult, TraceOp } from '../../server/conformance/traces/trace-format.ts';
import type { TraceMachine } from '../../server/conformance/traces/trace-machine.ts';
import { type Viewed, viewState, viewVmas } from '../../server/conformance/traces/trace-view.ts';
import type { VerbParams } from '../sdk/conductor.ts';
import type { LiveLab } from './live-lab.ts';
import { traceMachineConfig } from './trace-machine-config.ts';

const DEVICES = ['dev0', 'dev1'] as const;

export async function newLiveConformanceWorld(
  live: LiveLab,
  machine: TraceMachine,
): Promise<ConformanceWorld> {
  await live.renew(traceMachineConfig(machine));
  return {
    perform: async (op) => {
      const result = (await live.perform(performerOf(op), verbParamsOf(op))) as OpResult;
      // The child's session ends behind its answer; until then its name is taken.
      if (op.op === 'exit') await childGone(live);
      assertHealthy(live);
      return result;
    },
    state: () => viewState(viewed(live)),
    vmas: () => viewVmas(viewed(live)),
    end: () => endChild(live),
  };
}

/** A child that still lives belongs to this program; its session ends before the next one begins. */
async function endChild(live: LiveLab): Promise<void> {
  if (!live.lab.actors.has(CHILD)) return;
  await live.lab.perform(CHILD, { verb: 'exit' });
  await childGone(live);
}

function childGone(live: LiveLab): Promise<void> {
  return live.until(
    () => !live.lab.actors.has(CHILD),
    () => `${CHILD} did not leave`,
  );
}

function performerOf(op: TraceOp): string {
  return isTraceDeviceOp(op) ? (DEVICES[op.dev] ?? 'nobody') : actorOf(op);
}

function verbParamsOf(op: TraceOp): VerbParams {
  return isTraceDeviceOp(op) ? { ...verbOf(op) } : { verb: op.op, ...traceCallParams(op) };
}

function viewed(live: LiveLab): Viewed {
  const { world } = live.machine;
  const child = world.cpus.get(CHILD);
  const cpu1 = child?.mm.alive === true ? child.mm : 'none';
  return { kernel: world.kernel, cpu0: world.mm, cpu1, devices: DEVICES };
}

/** The oracles watch in the server as well. */
function assertHealthy(live: LiveLab): void {
  const [violation] = live.machine.world.oracles.violations;
  if (violation !== undefined) throw new Error(`[${violation.rule}] ${violation.text}`);
}
