/** A CPU thread whose program runs in a client: its requests as CpuApi calls, its pins to be given back. */

import type { CpuApi } from '../../abi/cpu-api.ts';
import { pageAtAddress } from '../../abi/cpu-call.ts';
import { bindCall } from '../../abi/cpu-calls.ts';
import { CPU_REQUESTS, type CpuMethod, type CpuParams } from '../../protocol/cpu-requests.ts';
import { kernelRefusal, type Refusal, refuse } from '../../protocol/refusal.ts';
import type { Task } from '../../task/task.ts';
import { PAGES_MAX, type PageRange, withoutRange, withRange } from '../../vocabulary/address.ts';
import { fail } from '../../vocabulary/errno.ts';
import { cpuOverLimit } from './held-checks.ts';
import type { FromClient } from './inbound.ts';
import type { LabUse } from './lab-use.ts';
import {
  abandonQuestions,
  answerRequest,
  newRemoteActor,
  type RemoteActor,
  type RemoteActorParts,
  requestsEnded,
  type Served,
  served,
} from './remote-actor.ts';
import type { Started } from './remote-device-inbound.ts';

export interface RemoteCpu extends RemoteActor {
  readonly api: CpuApi;
  readonly pins: Set<number>;
  /** What it has registered with userfaultfd, and has not taken back. */
  readonly registered: PageRange[];
  readonly lab: LabUse;
  /** Whether it runs in the process that the lab began with, which all devices mirror, or in a forked child. */
  readonly process: 'first' | 'child';
}

export function newRemoteCpu(
  parts: RemoteActorParts & Pick<RemoteCpu, 'api' | 'process' | 'lab'>,
): RemoteCpu {
  const { api, process, lab } = parts;
  const pins = new Set<number>();
  const registered: PageRange[] = [];
  const kept = keepingRegistered(keepingPins(api, pins), registered);
  return { ...newRemoteActor(parts), api: kept, process, lab, pins, registered };
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
      // A CPU is asked nothing by the kernel, and notifies nothing.
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

/**
 * The pins of a CPU that is gone are given back; its address space is shared and stays. Nobody waits any more for what
 * it would have filled (userfaultfd_release()), itself least of all. Yields: yes.
 */
export function* detachCpu(cpu: RemoteCpu): Task<void> {
  yield* unregisterAll(cpu);
  yield* requestsEnded(cpu, 'detach.requests');
  // One of those may have registered more.
  yield* unregisterAll(cpu);
  for (const id of [...cpu.pins]) yield* cpu.api.unpin(id);
  cpu.pins.clear();
}

function* unregisterAll({ api, registered }: RemoteCpu): Task<void> {
  for (const range of registered.slice()) yield* api['uffd-unregister'](range);
}

/** Yields: yes. Returns: the result for the wire, or why not. */
export function* serveCpu(cpu: RemoteCpu, request: CpuRequest): Task<Served> {
  const { method, params } = request;
  const beyond = endsBeyond(params);
  if (beyond !== 'no') return beyond;
  // The lab would be over for all its clients, and could not begin anew.
  if (method === 'exit' && cpu.process === 'first') {
    return refuse('not-permitted', 'params', CHILD_ONLY);
  }
  const over = cpuOverLimit(cpu, method, params);
  if (over !== 'none') return over;
  const outcome = yield* bindCall(method, params)(cpu.api);
  if (outcome.kind === 'signal') return served({ signal: outcome.signal });
  if (outcome.kind === 'failed') return kernelRefusal(outcome.errno, CPU_REQUESTS[method].subject);
  const { value, pages: pinned } = outcome;
  return served({
    ...(value === undefined ? {} : { value }),
    ...(pinned === undefined ? {} : { pinned }),
  });
}

const CHILD_ONLY = 'a thread of a forked child: all clients share the first process';

/** A schema looks at one parameter at a time. */
function endsBeyond(params: object): Refusal | 'no' {
  const { address, to, pages = 0 } = params as Partial<CpuParams['mremap']>;
  for (const [start, path] of [
    [address, 'params.pages'],
    [to, 'params.to'],
  ] as const) {
    if (start === undefined) continue;
    const room = PAGES_MAX - pageAtAddress(start);
    if (pages > room) return refuse('bad-params', path, `a whole number from 1 to ${room}`);
  }
  return 'no';
}

/** Remembers in `pins` what is pinned, so that it can be given back. */
function keepingPins(api: CpuApi, pins: Set<number>): CpuApi {
  return {
    ...api,
    *pin(id, range, mode) {
      // Another pin of this id may be on its way: the kernel would see neither of the other.
      if (pins.has(id)) return fail('EINVAL');
      pins.add(id);
      const pinned = yield* api.pin(id, range, mode);
      if (!pinned.ok) pins.delete(id);
      return pinned;
    },
    *unpin(id) {
      const unpinned = yield* api.unpin(id);
      if (unpinned.ok) pins.delete(id);
      return unpinned;
    },
  };
}

/** Remembers in `registered` what is registered with userfaultfd, so that it can be taken back. */
function keepingRegistered(api: CpuApi, registered: PageRange[]): CpuApi {
  const now = (ranges: readonly PageRange[]) => registered.splice(0, registered.length, ...ranges);
  return {
    ...api,
    *'uffd-register'(range) {
      const done = yield* api['uffd-register'](range);
      if (done.ok) now(withRange(registered, range));
      return done;
    },
    *'uffd-unregister'(range) {
      const done = yield* api['uffd-unregister'](range);
      if (done.ok) now(withoutRange(registered, range));
      return done;
    },
  };
}
