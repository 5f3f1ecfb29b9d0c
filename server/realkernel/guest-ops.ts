/** Operations of scenarios, as the guest's threads do them. */

import { isCpuCall } from '../abi/cpu-calls.ts';
import { type CallOp, callParams, deviceVerb } from '../scenario/op-params.ts';
import type { CpuOp, DeviceOp, Op } from '../scenario/op-schema.ts';
import { isDeviceOp } from '../scenario/op-schema.ts';
import type { Scenario } from '../scenario/scenario-schema.ts';
import type { PageRange } from '../vocabulary/address.ts';
import type { GuestOp } from './slot.ts';

/** The guest cannot do it, or a thread cannot be held there. */
export class NotReenactable extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'NotReenactable';
  }
}

const PAGE_SHIFT = 12n;
const PROT = { none: 0n, r: 1n, w: 3n, rw: 3n } as const;
/** madvise(2); of x86-64. */
const ADVICE: { readonly [advice: string]: bigint } = {
  DONTNEED: 4n,
  FREE: 8n,
  REMOVE: 9n,
  HUGEPAGE: 14n,
  NOHUGEPAGE: 15n,
  PAGEOUT: 21n,
  COLLAPSE: 25n,
};

/** Who is who in the guest, by the names of actors. */
export interface GuestCast {
  /** The number of its device. */
  deviceOf(actor: string): number;
  /** The number of its slot and CPU. */
  slotOf(actor: string): number;
}

/** Throws: NotReenactable. */
export function guestOp(scenario: Scenario, actor: string, op: Op, cast: GuestCast): GuestOp {
  return isDeviceOp(op) ? ofDevice(scenario, op, cast.deviceOf(actor)) : ofCpu(scenario, op, cast);
}

export function mapped(range: PageRange, prot: string, kind: string): GuestOp {
  if (kind !== 'anon-private') throw new NotReenactable(`mappings of kind ${kind}`);
  return { op: 'mmap', address: addressOf(range), more: pagesOf(range), value: protOf(prot) };
}

function ofCpu(scenario: Scenario, op: CpuOp, cast: GuestCast): GuestOp {
  const { address, range, pages, value, to, prot, advice } = params(scenario, op);
  const at = range === undefined ? BigInt(address ?? 0) : addressOf(range);
  const more = pages ?? (range === undefined ? 1 : pagesOf(range));
  switch (op.do) {
    case 'load':
      return { op: 'load', address: at };
    case 'store':
      return { op: 'store', address: at, value: BigInt(value ?? 0) };
    case 'munmap':
      return { op: 'munmap', address: at, more };
    case 'mprotect':
      return { op: 'mprotect', address: at, more, value: protOf(prot ?? 'none') };
    case 'mremap':
      return { op: 'mremap', address: at, more, value: BigInt(to ?? 0) };
    case 'madvise': {
      const asked = ADVICE[advice ?? ''];
      if (asked === undefined) throw new NotReenactable(`madvise ${advice}`);
      return { op: 'madvise', address: at, more, value: asked };
    }
    case 'fork':
      return { op: 'fork', address: 0n, value: BigInt(cast.slotOf(op.child)) };
    case 'exit':
      return { op: 'exit', address: 0n };
    // The order of the cues is what it waits for.
    case 'wait':
      return { op: 'nothing', address: 0n };
    case 'pin':
      // Pins for good take the page away from where it may not stay, as the ring of a process does.
      if (op.mode !== 'longterm') throw new NotReenactable(`pin: ${op.mode}`);
      return { op: 'pin', address: at, value: BigInt(op.id) };
    case 'unpin':
      return { op: 'unpin', address: 0n, value: BigInt(op.id) };
    case 'pin-read':
      return { op: 'pin-read', address: 0n, more: op.id };
    case 'pin-write':
      return { op: 'pin-write', address: 0n, more: op.id, value: BigInt(op.value) };
    default:
      throw new NotReenactable(`the operation ${op.do}`);
  }
}

function ofDevice(scenario: Scenario, op: DeviceOp, device: number): GuestOp {
  const { range, values } = deviceVerb(scenario, op) as unknown as {
    readonly range: PageRange;
    readonly values?: readonly string[];
  };
  const on = { address: addressOf(range), more: pagesOf(range), device };
  switch (op.do) {
    case 'migrate':
    case 'migrate-to-dev':
      return { op: 'device-migrate', ...on };
    case 'migrate-to-sys':
      return { op: 'device-migrate-back', ...on };
    case 'exclusive':
      return { op: 'device-exclusive', ...on };
    case 'read':
    case 'prefetch':
    case 'fault-read':
    case 'read-mapped':
      return { op: 'device-read', ...on };
    case 'write':
      return { op: 'device-write', ...on, value: BigInt(values?.[0] ?? 0) };
    default:
      throw new NotReenactable(`the operation ${op.do}`);
  }
}

interface CpuParams {
  readonly address?: string;
  readonly range?: PageRange;
  readonly pages?: number;
  readonly value?: string;
  readonly to?: string;
  readonly prot?: string;
  readonly advice?: string;
}

function params(scenario: Scenario, op: CpuOp): CpuParams {
  return isCpuCall(op.do) ? callParams(scenario, op as CallOp) : {};
}

function addressOf({ first }: PageRange): bigint {
  return BigInt(first) << PAGE_SHIFT;
}

function pagesOf({ first, end }: PageRange): number {
  return end - first;
}

function protOf(prot: string): bigint {
  return PROT[prot as keyof typeof PROT] ?? 0n;
}
