/** The slots through which the host tells the guest's threads what to do: the same layout as in guest/actor.c. */

/** Where the slots stand in the guest's only process. */
export const SLOTS = 0x200000000n;
const SLOT_BYTES = 128;

/** Fields of a slot, by their offset. */
const FIELD = { seq: 0, op: 8, addr: 16, value: 24, more: 32, device: 40, done: 48 } as const;
/** What comes back: done, err, result, faults. */
const ANSWER_BYTES = 32;

export const GUEST_OPS = [
  'nothing',
  'load',
  'store',
  'mmap',
  'munmap',
  'mprotect',
  'mremap',
  'madvise',
  'device-open',
  'device-read',
  'device-write',
  'device-migrate',
  'device-migrate-back',
  'device-exclusive',
  'where',
  'fork',
  'pin',
  'unpin',
  'pin-read',
  'pin-write',
  'swap',
  'exit',
] as const;
export type GuestOpName = (typeof GUEST_OPS)[number];

/** What one thread of the guest is to do. `more` counts pages. */
export interface GuestOp {
  readonly op: GuestOpName;
  readonly address: bigint;
  readonly value?: bigint;
  readonly more?: number;
  readonly device?: number;
}

export interface GuestAnswer {
  readonly done: bigint;
  /** 0, or an errno below 0; -1000 minus the signal, if it ended by one. */
  readonly err: bigint;
  readonly result: bigint;
  /** What the device driver counted. */
  readonly faults: bigint;
}

export function slotAddress(thread: number): bigint {
  return SLOTS + BigInt(thread * SLOT_BYTES);
}

/** All but the sequence, which is written last. */
export function writtenOp({ op, address, value = 0n, more = 1, device = 0 }: GuestOp): Buffer {
  const bytes = Buffer.alloc(FIELD.done - FIELD.op);
  const put = (field: number, number: bigint) => bytes.writeBigUInt64LE(number, field - FIELD.op);
  put(FIELD.op, BigInt(GUEST_OPS.indexOf(op)));
  put(FIELD.addr, address);
  put(FIELD.value, value);
  put(FIELD.more, BigInt(more));
  put(FIELD.device, BigInt(device));
  return bytes;
}

export const SLOT = {
  op: BigInt(FIELD.op),
  answer: BigInt(FIELD.done),
  answerBytes: ANSWER_BYTES,
} as const;

export function readAnswer(bytes: Buffer): GuestAnswer {
  return {
    done: bytes.readBigUInt64LE(0),
    err: bytes.readBigInt64LE(8),
    result: bytes.readBigUInt64LE(16),
    faults: bytes.readBigUInt64LE(24),
  };
}
