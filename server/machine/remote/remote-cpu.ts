/** A CPU thread whose program runs in a client: its requests as CpuApi calls, its pins to be given back. */

import type { Accessed, CpuApi } from '../../abi/cpu-api.ts';
import { CPU_REQUESTS, type CpuMethod, type CpuParams } from '../../protocol/cpu-requests.ts';
import { kernelRefusal, type Refusal, refuse } from '../../protocol/refusal.ts';
import type { Task } from '../../task/task.ts';
import {
  PAGES_MAX,
  type PageRange,
  pageIndex,
  pageOf,
  virtualAddress,
} from '../../vocabulary/address.ts';
import { type Failure, fail } from '../../vocabulary/errno.ts';
import type { FromClient } from './inbound.ts';
import {
  abandonQuestions,
  answerRequest,
  newRemoteActor,
  type RemoteActor,
  type RemoteActorParts,
  requestsEnded,
  SERVED_NOTHING,
  type Served,
  served,
} from './remote-actor.ts';
import type { Started } from './remote-device-inbound.ts';

export interface RemoteCpu extends RemoteActor {
  readonly api: CpuApi;
  readonly pins: Set<number>;
  /** Whether it runs in the process that the lab began with, which all devices mirror, or in a forked child. */
  readonly process: 'first' | 'child';
}

export function newRemoteCpu(
  parts: RemoteActorParts & Pick<RemoteCpu, 'api' | 'process'>,
): RemoteCpu {
  const { api, process } = parts;
  return { ...newRemoteActor(parts), api, process, pins: new Set() };
}

export type CpuRequest = {
  readonly [Method in CpuMethod]: { readonly method: Method; readonly params: CpuParams[Method] };
}[CpuMethod];

/** Spawn what this returns for `cpu.actor`; 'nothing' if the event was over in one step. */
export function acceptForCpu(cpu: RemoteCpu, inbound: FromClient): Started | 'nothing' {
  switch (inbound.kind) {
    case 'attach':
      cpu.state = 'attached';
      return 'nothing';
    case 'fence':
    case 'notify':
    case 'answer':
      // A CPU is asked nothing by the kernel, and tells it nothing.
      return 'nothing';
    case 'detach':
      cpu.departures += 1;
      abandonQuestions(cpu);
      return { name: 'detach', task: detachCpu(cpu) };
    case 'request': {
      const request = { method: inbound.method, params: inbound.params } as CpuRequest;
      return { name: inbound.method, task: answerRequest(cpu, inbound.id, serveCpu(cpu, request)) };
    }
  }
}

/** The pins of a CPU that is gone are given back; its address space is shared and stays. Yields: yes. */
export function* detachCpu(cpu: RemoteCpu): Task<void> {
  yield* requestsEnded(cpu, 'detach.requests');
  for (const id of cpu.pins) yield* cpu.api.unpin(id);
  cpu.pins.clear();
}

/** Yields: yes. Returns: the result for the wire, or why not. */
export function* serveCpu(cpu: RemoteCpu, request: CpuRequest): Task<Served> {
  const { api } = cpu;
  switch (request.method) {
    case 'load': {
      const loaded = yield* api.load(address(request.params.address));
      return access(loaded, (value) => ({ value: hex(value) }));
    }
    case 'store': {
      const { params } = request;
      const stored = yield* api.store(address(params.address), BigInt(params.value));
      return access(stored, () => ({}));
    }
    case 'fork':
      return done('fork', yield* api.fork(request.params.child));
    case 'exit':
      // The lab would be over for all its clients, and could not begin anew.
      if (cpu.process === 'first') return refuse('not-permitted', 'params', CHILD_ONLY);
      return done('exit', yield* api.exit());
    case 'unpin':
      return yield* serveUnpin(cpu, request.params.id);
    default:
      return yield* serveRegion(cpu, request);
  }
}

const CHILD_ONLY = 'a thread of a forked child: all clients share the first process';

function* serveUnpin(cpu: RemoteCpu, id: number): Task<Served> {
  const unpinned = yield* cpu.api.unpin(id);
  if (unpinned.ok) cpu.pins.delete(id);
  return done('unpin', unpinned);
}

type RegionRequest = Extract<CpuRequest, { params: { readonly pages: number } }>;

function* serveRegion(cpu: RemoteCpu, request: RegionRequest): Task<Served> {
  const { api } = cpu;
  const { params } = request;
  const range = region(params.address, params.pages);
  if ('code' in range) return range;
  switch (request.method) {
    case 'mmap': {
      const { prot, kind, file, offset } = request.params;
      const optional = {
        ...(file === undefined ? {} : { file }),
        ...(offset === undefined ? {} : { offset }),
      };
      return done('mmap', yield* api.mmap({ range, prot, kind, ...optional }));
    }
    case 'munmap':
      return done('munmap', yield* api.munmap(range));
    case 'mprotect':
      return done('mprotect', yield* api.mprotect(range, request.params.prot));
    case 'madvise':
      return done('madvise', yield* api.madvise(range, request.params.advice));
    case 'mremap': {
      const to = region(request.params.to, params.pages);
      if ('code' in to) return refuse('bad-params', 'params.to', to.bound);
      return done('mremap', yield* api.mremap(range, to.first));
    }
    case 'pin': {
      const { id, mode } = request.params;
      // Another pin of this id may be on its way: the kernel would see neither of the other.
      if (cpu.pins.has(id)) return done('pin', fail('EINVAL'));
      cpu.pins.add(id);
      const pinned = yield* api.pin(id, range, mode);
      if (pinned.ok) return served({ pinned: pinned.value });
      cpu.pins.delete(id);
      return done('pin', pinned);
    }
  }
}

function address(text: string) {
  return virtualAddress(Number(text));
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

function region(text: string, pages: number): PageRange | Refusal {
  const first = pageOf(address(text));
  if (first + pages <= PAGES_MAX) return { first, end: pageIndex(first + pages) };
  return refuse('bad-params', 'params.pages', `a whole number from 1 to ${PAGES_MAX - first}`);
}

function access<T>(accessed: Accessed<T>, result: (value: T) => unknown): Served {
  return served(accessed.kind === 'done' ? result(accessed.value) : { signal: accessed.signal });
}

function done(method: CpuMethod, result: { readonly ok: true } | Failure): Served {
  return result.ok ? SERVED_NOTHING : kernelRefusal(result.errno, CPU_REQUESTS[method].subject);
}
