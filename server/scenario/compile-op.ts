/**
 * Operations as tasks. Everything that can be known before a world exists is worked out here, once; what is returned
 * runs in every world.
 */

import type { DmirrorVerb } from '../../clients/drivers/dmirror/dmirror-verb.ts';
import type { LabDevice } from '../../clients/drivers/interface/driver-variant.ts';
import type { CpuApi } from '../abi/cpu-api.ts';
import type { BoundCall } from '../abi/cpu-call.ts';
import { bindCall } from '../abi/cpu-calls.ts';
import { readPinned, writePinned } from '../kernel/hmm/pinned-io.ts';
import { threadOf, type World } from '../machine/world.ts';
import { type Task, waitUntil } from '../task/task.ts';
import type { Milestones } from './milestones.ts';
import { callParams, deviceVerb } from './op-params.ts';
import { isDeviceOp, type Op } from './op-schema.ts';
import type { Scenario } from './scenario-schema.ts';

/** What an operation finds in its world. */
export interface OpContext {
  readonly world: World;
  readonly milestones: Milestones;
  cpu(actor: string): CpuApi;
  device(actor: string): LabDevice;
}

/** Does the operation for `actor`. Returns: what its register holds: a value, OK, an errno or a signal. */
export type CompiledOp = (in_: OpContext, actor: string) => Task<string>;

/** `op` must have passed check-scenario.ts, for a scenario with an actor of the kind that it is for. */
export function compileOp(scenario: Scenario, op: Op): CompiledOp {
  if (isDeviceOp(op)) {
    const verb = deviceVerb(scenario, op);
    return ({ device }, actor) => performVerb(device(actor), verb);
  }
  if (op.do === 'wait') return ({ milestones }, _actor) => waitFor(milestones, op.for);
  // threadTask() begins the program anew.
  if (op.do === 'repeat') return nothing;
  if (op.do === 'oom-reap') {
    return ({ world }) => oomReap(world);
  }
  if (op.do === 'pin-read' || op.do === 'pin-write') return pinnedIo(op);
  const call = bindCall(op.do, callParams(scenario, op));
  if (op.do === 'fork') return (in_, actor) => forkChild(in_, actor, op.child, call);
  return ({ cpu }, actor) => perform(call, cpu(actor));
}

function* nothing(): Task<string> {
  return 'OK';
}

function* waitFor(milestones: Milestones, name: string): Task<string> {
  yield waitUntil('program.wait', milestones.object(name), () => milestones.reached(name));
  return 'OK';
}

/** The first value that was read, where the verb reads and succeeds; else OK or the errno. */
function* performVerb(device: LabDevice, verb: DmirrorVerb): Task<string> {
  const result = yield* device.perform(verb);
  return result.errno === 'OK' ? (result.values?.[0] ?? 'OK') : result.errno;
}

function* perform(call: BoundCall, api: CpuApi): Task<string> {
  const outcome = yield* call(api);
  if (outcome.kind === 'signal') return outcome.signal;
  return outcome.kind === 'failed' ? outcome.errno : (outcome.value ?? 'OK');
}

function* forkChild(in_: OpContext, actor: string, child: string, call: BoundCall): Task<string> {
  const forked = yield* perform(call, in_.cpu(actor));
  in_.milestones.forkEnded(child, forked === 'OK' ? 'born' : 'stillborn');
  return forked;
}

/** I/O of a device that was given the frames: no call of the thread either, whose pin it goes through. */
function pinnedIo(op: Extract<Op, { readonly do: 'pin-read' | 'pin-write' }>): CompiledOp {
  const { id, page = 0 } = op;
  if (op.do === 'pin-read') {
    return function* ({ world }, actor) {
      const read = yield* readPinned(world.kernel, threadOf(world, actor), { id, page });
      return read.ok ? read.value : read.errno;
    };
  }
  const written = BigInt(op.value);
  return function* ({ world }, actor) {
    const done = yield* writePinned(world.kernel, threadOf(world, actor), { id, page }, written);
    return done.ok ? 'OK' : done.errno;
  };
}

/** The OOM reaper is no thread of the process: it is no call of one. */
function* oomReap({ kernel, mm }: World): Task<string> {
  const reaped = yield* kernel.fn.oomReapTaskMm(kernel, mm);
  return reaped.ok ? 'OK' : reaped.errno;
}
