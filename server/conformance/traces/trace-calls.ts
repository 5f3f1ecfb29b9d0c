/**
 * The operations of a trace as calls: what a CPU does through CpuApi, what a device does as a verb
 * of dmirror. The same for a machine in this process and for clients in others.
 */
import type { DmirrorVerb } from '../../../clients/drivers/dmirror-verb.ts';
import type { Accessed, CpuApi, MmapRequest } from '../../abi/cpu-api.ts';
import type { Task } from '../../task/task.ts';
import {
  PAGE_SIZE,
  type PageRange,
  pageIndex,
  pageOf,
  pagesFrom,
  type VirtualAddress,
  virtualAddress,
} from '../../vocabulary/address.ts';
import type { Result } from '../../vocabulary/errno.ts';
import type { OpResult, TraceOp } from './trace-format.ts';
import { parseAddress } from './trace-state.ts';

/** Operations that a device performs. */
export type DeviceOp = Extract<TraceOp, { readonly dev: number }>;
/** Operations that a CPU thread performs: the one named, else `cpu0`. */
export type CpuOp = Exclude<TraceOp, DeviceOp>;

/** The name of the child that `fork` makes. */
export const CHILD = 'cpu1';

export function isDeviceOp(op: TraceOp): op is DeviceOp {
  return 'dev' in op;
}

/** Who performs `op`. */
export function actorOf(op: CpuOp): 'cpu0' | 'cpu1' {
  return 'actor' in op ? op.actor : 'cpu0';
}

export function verbOf(op: DeviceOp): DmirrorVerb {
  switch (op.op) {
    case 'dev-read':
      return { verb: 'read', range: rangeOf(op.addr, op.pages) };
    case 'dev-write':
      return { verb: 'write', range: rangeOf(op.addr, op.values.length), values: op.values };
    case 'release':
      return { verb: 'release' };
    case 'migrate-to-dev':
    case 'migrate-to-sys':
    case 'snapshot':
    case 'exclusive':
    case 'check-exclusive':
      return { verb: op.op, range: rangeOf(op.addr, op.pages) };
  }
}

/** Performs `op` through the CpuApi of actorOf(op). Yields: yes. */
export function* performCpuOp(api: CpuApi, op: CpuOp): Task<OpResult> {
  switch (op.op) {
    case 'load':
      return accessed(yield* api.load(addressOf(op.addr)), (value) => ({
        value: `0x${value.toString(16)}`,
      }));
    case 'store':
      return accessed(yield* api.store(addressOf(op.addr), BigInt(op.value)), () => ({ ok: true }));
    case 'mmap':
      return done(yield* api.mmap(mmapRequest(op)));
    case 'munmap':
      return done(yield* api.munmap(rangeOf(op.addr, op.pages)));
    case 'mprotect':
      return done(yield* api.mprotect(rangeOf(op.addr, op.pages), op.prot));
    case 'madvise':
      return done(yield* api.madvise(rangeOf(op.addr, op.pages), op.advice));
    case 'mremap':
      return done(yield* api.mremap(rangeOf(op.addr, op.pages), pageOf(addressOf(op.to))));
    case 'fork':
      return done(yield* api.fork(CHILD));
    case 'exit':
      return done(yield* api.exit());
    case 'pin': {
      const pinned = yield* api.pin(op.id, rangeOf(op.addr, op.pages), op.mode);
      return pinned.ok ? { errno: 'OK', npages: pinned.value } : { errno: pinned.errno };
    }
    case 'unpin':
      return done(yield* api.unpin(op.id));
  }
}

function mmapRequest(op: Extract<TraceOp, { readonly op: 'mmap' }>): MmapRequest {
  const { prot, kind, file, off } = op;
  return {
    range: rangeOf(op.addr, op.pages),
    prot,
    kind,
    ...(file === undefined ? {} : { file }),
    ...(off === undefined ? {} : { offset: off }),
  };
}

function done(result: Result<void>): OpResult {
  return { errno: result.ok ? 'OK' : result.errno };
}

function accessed<T>(access: Accessed<T>, result: (value: T) => OpResult): OpResult {
  return access.kind === 'done' ? result(access.value) : { signal: access.signal };
}

function addressOf(text: string): VirtualAddress {
  return virtualAddress(parseAddress(text));
}

function rangeOf(addr: string, pages: number): PageRange {
  return pagesFrom(pageIndex(parseAddress(addr) / PAGE_SIZE), pages);
}
