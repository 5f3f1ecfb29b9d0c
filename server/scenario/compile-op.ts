/**
 * Operations as tasks. Everything that can be known before a world exists is worked out here, once; what is returned
 * runs in every world.
 */
import type { LabDevice } from '../../clients/drivers/catalogue/driver-variant.ts';
import type { LabVerb } from '../../clients/drivers/faulty/lab-verb.ts';
import type { Accessed, CpuApi } from '../abi/cpu-api.ts';
import type { World } from '../machine/world.ts';
import { type Task, waitUntil } from '../task/task.ts';
import { addressOf, type PageRange, pageCount, pagesFrom } from '../vocabulary/address.ts';
import type { Result } from '../vocabulary/errno.ts';
import { canonicalValue } from './condition.ts';
import type { Milestones } from './milestones.ts';
import type { CpuOp, Op } from './op-schema.ts';
import { pageAt } from './places.ts';
import type { Scenario } from './scenario-schema.ts';

/** What an operation finds in its world. */
export interface Surroundings {
  readonly world: World;
  readonly milestones: Milestones;
  cpu(actor: string): CpuApi;
  device(actor: string): LabDevice;
}

/** Does the operation for `actor`. Returns: what its register holds: a value, OK, an errno or a signal. */
export type CompiledOp = (in_: Surroundings, actor: string) => Task<string>;

/** `op` must have passed check-scenario.ts, for a scenario with an actor of the kind that it is for. */
export function compileOp(scenario: Scenario, op: Op): CompiledOp {
  const range = rangeOf(scenario, op);
  if (op.do === 'wait') return ({ milestones }, _actor) => waitFor(milestones, op.for);
  const verb = verbOf(op, range);
  if (verb !== 'not of a device') {
    return ({ device }, actor) => performVerb(device(actor), verb);
  }
  return compileCpuOp(scenario, op as Exclude<CpuOp, { do: 'wait' }>, range);
}

/** The pages that the operation is about; for those without any, the first page of the scenario. */
function rangeOf(scenario: Scenario, op: Op): PageRange {
  const place = 'at' in op ? op.at : (scenario.vmas[0]?.name ?? '');
  return pagesFrom(pageAt(scenario, place), 'pages' in op ? (op.pages ?? 1) : 1);
}

function* waitFor(milestones: Milestones, name: string): Task<string> {
  yield waitUntil('program.wait', milestones.object(name), () => milestones.reached(name));
  return 'OK';
}

function verbOf(op: Op, range: PageRange): LabVerb | 'not of a device' {
  switch (op.do) {
    case 'write': {
      const values = new Array<string>(pageCount(range)).fill(canonicalValue(op.value));
      return { verb: 'write', range, values };
    }
    case 'release':
      return { verb: 'release' };
    case 'read':
    case 'migrate-to-dev':
    case 'migrate-to-sys':
    case 'snapshot':
    case 'exclusive':
    case 'check-exclusive':
    case 'fault-read':
    case 'fault-write':
    case 'prefetch':
    case 'read-mapped':
    case 'migrate':
    case 'collect':
      return { verb: op.do, range };
    default:
      return 'not of a device';
  }
}

/** The first value that was read, where the verb reads and succeeds; else OK or the errno. */
function* performVerb(device: LabDevice, verb: LabVerb): Task<string> {
  const result = yield* device.perform(verb);
  return result.errno === 'OK' ? (result.values?.[0] ?? 'OK') : result.errno;
}

function compileCpuOp(
  scenario: Scenario,
  op: Exclude<CpuOp, { do: 'wait' }>,
  range: PageRange,
): CompiledOp {
  const address = addressOf(range.first);
  switch (op.do) {
    case 'load':
      return ({ cpu }, actor) => accessed(cpu(actor).load(address), (value) => hex(value));
    case 'store': {
      const value = BigInt(op.value);
      return ({ cpu }, actor) => accessed(cpu(actor).store(address, value), () => 'OK');
    }
    case 'mmap':
      return ({ cpu }, actor) => called(cpu(actor).mmap({ range, prot: op.prot, kind: op.kind }));
    case 'munmap':
      return ({ cpu }, actor) => called(cpu(actor).munmap(range));
    case 'mprotect':
      return ({ cpu }, actor) => called(cpu(actor).mprotect(range, op.prot));
    case 'madvise':
      return ({ cpu }, actor) => called(cpu(actor).madvise(range, op.advice));
    case 'mremap': {
      const to = pageAt(scenario, op.to);
      return ({ cpu }, actor) => called(cpu(actor).mremap(range, to));
    }
    case 'fork':
      return (in_, actor) => forkChild(in_, actor, op.child);
    case 'exit':
      return ({ cpu }, actor) => called(cpu(actor).exit());
    case 'pin':
      return ({ cpu }, actor) => called(cpu(actor).pin(op.id, range, op.mode));
    case 'unpin':
      return ({ cpu }, actor) => called(cpu(actor).unpin(op.id));
    case 'oom-reap':
      return ({ world }) => called(world.kernel.fn.oomReapTaskMm(world.kernel, world.mm));
  }
}

function* forkChild(in_: Surroundings, actor: string, child: string): Task<string> {
  const forked = yield* called(in_.cpu(actor).fork(child));
  in_.milestones.forkEnded(child, forked === 'OK' ? 'born' : 'stillborn');
  return forked;
}

function* accessed<T>(access: Task<Accessed<T>>, show: (value: T) => string): Task<string> {
  const done = yield* access;
  return done.kind === 'done' ? show(done.value) : done.signal;
}

function* called(call: Task<Result<unknown>>): Task<string> {
  const done = yield* call;
  return done.ok ? 'OK' : done.errno;
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
