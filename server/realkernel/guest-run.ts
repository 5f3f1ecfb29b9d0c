/** A kernel in a guest, with threads that do what they are told; each run begins where the guest had just booted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallLeftOut } from '../patches/patch.ts';
import { buildActor } from './build-actor.ts';
import { NotReenactable } from './guest-ops.ts';
import { type KernelFiles, symbolTextOf } from './kernel-cache.ts';
import type { Point } from './points.ts';
import {
  keepSnapshot,
  type QemuOptions,
  type RunningGuest,
  startGuest,
  untilPrinted,
} from './qemu.ts';
import { NotMapped } from './rsp-client.ts';
import {
  type GuestAnswer,
  type GuestOp,
  readAnswer,
  SLOT,
  slotAddress,
  writtenOp,
} from './slot.ts';
import { CALL_BYTES, type CallSite, callsOf, Symbols } from './symbols.ts';
import { addressIn, type Hold, NeverReached, Vcpus } from './vcpus.ts';

/** Milliseconds for a kernel to boot, under emulation and load. */
const BOOT_MS = 60_000;
/** The clock of the kernel is chosen for good a little after it has booted: all CPUs are stopped for that. */
const SETTLE_MS = 2_500;
/** Milliseconds for a thread to come to a point. */
const REACH_MS = 8_000;
/** Milliseconds for a whole run: a guest that does not answer at all is ended. */
const RUN_MS = 120_000;

/** What do_exit() calls next when it has dropped the memory of the process. */
const MM_GONE = 'exit_files';
/** Milliseconds for a CPU to come back from work of the kernel, and how often. */
const SLOT_MS = 5;
const SLOT_TRIES = 400;

/** `thread` is the number of an actor, and of the CPU that it runs on. */
export class BootedKernel {
  readonly symbols: Symbols;
  /** As `uname -r` has it. */
  readonly release: string;
  readonly #qemu: QemuOptions;
  readonly #opDone: bigint;

  private constructor(qemu: QemuOptions, symbols: Symbols, opDone: bigint, release: string) {
    this.#qemu = qemu;
    this.symbols = symbols;
    this.#opDone = opDone;
    this.release = release;
  }

  /** Rejects: what the compiler, QEMU or the guest says. */
  static async boot(kernelFiles: KernelFiles, vcpus: number): Promise<BootedKernel> {
    const { kernel } = kernelFiles;
    const folder = mkdtempSync(join(tmpdir(), 'mmrace-guest-'));
    try {
      const { initrd, opDone } = buildActor(folder);
      const qemu = { folder, files: { kernel, initrd }, vcpus };
      const symbols = new Symbols(symbolTextOf(kernelFiles));
      const guest = await startGuest(qemu, 'boot');
      try {
        await guest.qmp.ask('cont');
        await untilPrinted(guest, 'READY', BOOT_MS);
        await sleep(SETTLE_MS);
        await guest.qmp.ask('stop');
        // The stub tells of it, too.
        await guest.rsp.next();
        await new Vcpus(guest.rsp, symbols, vcpus).writeLoops();
        await keepSnapshot(guest);
        const release = /Linux version (\S+)/.exec(guest.console())?.[1] ?? 'unknown';
        return new BootedKernel(qemu, symbols, opDone, release);
      } finally {
        await guest.end();
      }
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async run<Result>(act: (run: GuestRun) => Promise<Result>): Promise<Result> {
    const guest = await startGuest(this.#qemu, 'snapshot');
    const run = new GuestRun(guest, this.symbols, this.#qemu.vcpus, this.#opDone);
    const late = setTimeout(() => run.giveUp(), RUN_MS);
    try {
      return await act(run);
    } finally {
      clearTimeout(late);
      await guest.end();
    }
  }

  close(): void {
    rmSync(this.#qemu.folder, { recursive: true, force: true });
  }
}

export class GuestRun {
  readonly #guest: RunningGuest;
  readonly #symbols: Symbols;
  readonly #vcpus: Vcpus;
  readonly #opDone: bigint;
  readonly #seqs = new Map<number, bigint>();
  /** Threads that end with their process. */
  readonly #exits = new Set<number>();

  constructor(guest: RunningGuest, symbols: Symbols, vcpus: number, opDone: bigint) {
    this.#guest = guest;
    this.#symbols = symbols;
    this.#vcpus = new Vcpus(guest.rsp, symbols, vcpus);
    this.#opDone = opDone;
  }

  /** 'given up': it did not answer for RUN_MS. */
  state: 'runs' | 'given up' = 'runs';

  giveUp(): void {
    this.state = 'given up';
    // Whoever waits for it hears that it is gone.
    this.#guest.end().catch(() => undefined);
  }

  get console(): string {
    return this.#guest.console();
  }

  /** Calls of `call` in `name`, in the order of their addresses. Rejects if the kernel has no such function. */
  async callsIn(name: string, call: string): Promise<CallSite[]> {
    const from = addressIn(this.#symbols, name);
    const text = await this.#guest.rsp.readMemory(0, from, this.#symbols.sizeOf(from));
    return callsOf(addressIn(this.#symbols, call), text, from);
  }

  /** Throws: NotReenactable if this kernel has no such place; `at` is what it is for. */
  async addressOf(point: Point, at: string): Promise<bigint> {
    if ('entry' in point) {
      const entry = this.#symbols.addressOf(point.entry);
      if (entry === 'unknown') throw new NotReenactable(`${at}: there is no ${point.entry}`);
      return entry;
    }
    const { in: name, call, nth = 1, after = false } = point;
    const missing = [name, call].find((one) => this.#symbols.addressOf(one) === 'unknown');
    if (missing !== undefined) throw new NotReenactable(`${at}: there is no ${missing}`);
    const site = (await this.callsIn(name, call))[nth - 1];
    if (site === undefined)
      throw new NotReenactable(`${at}: ${name} has no call ${nth} of ${call}`);
    return after ? site.address + BigInt(CALL_BYTES) : site.address;
  }

  /** The kernel does without these calls from now on. Rejects if it has no such call. */
  async leaveOut(calls: readonly CallLeftOut[]): Promise<void> {
    for (const { function: name, call, returns, nth } of calls) {
      const all = await this.callsIn(name, call);
      const sites = nth === undefined ? all : all.slice(nth - 1, nth);
      if (sites.length === 0) throw new Error(`${name} does not call ${call}`);
      for (const { address } of sites) {
        await this.#guest.rsp.writeMemory(0, address, insteadOfCall(returns ?? 'nothing'));
      }
    }
  }

  /** The thread has been told, and has not begun. */
  async tell(thread: number, op: GuestOp): Promise<void> {
    const { rsp } = this.#guest;
    const slot = slotAddress(thread);
    const seq = (this.#seqs.get(thread) ?? 0n) + 1n;
    this.#seqs.set(thread, seq);
    if (op.op === 'exit') this.#exits.add(thread);
    const by = await this.#atSlots(thread);
    await rsp.writeMemory(by, slot + SLOT.op, writtenOp(op));
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(seq);
    await rsp.writeMemory(by, slot, bytes);
  }

  /**
   * Up to where `thread` comes to one of `addresses` for the `nth` time from now on, from 1.
   *
   * Rejects: NeverReached, also if it ends what it was told without coming there; StubGone.
   */
  async goTo(thread: number, addresses: readonly bigint[], nth = 1): Promise<void> {
    for (let at = 1; at <= nth; ) {
      await this.#vcpus.goTo(thread, [...addresses, this.#opDone], REACH_MS);
      if ((await this.#vcpus.addressOf(thread)) !== this.#opDone) at += 1;
      else if (await this.hasEnded(thread)) {
        const names = addresses.map((address) => this.#symbols.nameOf(address)).join(' or ');
        throw new NeverReached(`CPU ${thread} ends without ${names}`, await this.#vcpus.where());
      }
      if (at <= nth) await this.#guest.rsp.step(thread);
    }
  }

  hold(thread: number, how: Hold): Promise<void> {
    return this.#vcpus.hold(thread, how);
  }

  release(thread: number): Promise<void> {
    return this.#vcpus.release(thread, REACH_MS);
  }

  isHeld(thread: number): boolean {
    return this.#vcpus.isHeld(thread);
  }

  /** To the end of what it was told; of an exit, to where its memory is gone. */
  async finish(thread: number): Promise<GuestAnswer> {
    if (this.#exits.has(thread)) {
      await this.#vcpus.goTo(thread, [addressIn(this.#symbols, MM_GONE)], REACH_MS);
      await this.#guest.rsp.step(thread);
      return { done: this.#seqs.get(thread) ?? 0n, err: 0n, result: 0n, faults: 0n };
    }
    const seq = this.#seqs.get(thread) ?? 0n;
    // It may have ended while another one was waited for.
    if (await this.hasEnded(thread)) return this.#answer(thread);
    await this.#vcpus.goTo(thread, [this.#opDone], REACH_MS, async () => {
      return (await this.#answer(thread)).done === seq;
    });
    const answer = await this.#answer(thread);
    await this.#guest.rsp.step(thread);
    return answer;
  }

  hasExited(thread: number): boolean {
    return this.#exits.has(thread);
  }

  /** Whether the thread has done what it was told last. */
  async hasEnded(thread: number): Promise<boolean> {
    return (await this.#answer(thread)).done === (this.#seqs.get(thread) ?? 0n);
  }

  /** From the first to the last step, with no thread held up. */
  async perform(thread: number, op: GuestOp): Promise<GuestAnswer> {
    await this.tell(thread, op);
    return this.finish(thread);
  }

  async #answer(thread: number): Promise<GuestAnswer> {
    const at = slotAddress(thread) + SLOT.answer;
    const by = await this.#atSlots(thread);
    return readAnswer(await this.#guest.rsp.readMemory(by, at, SLOT.answerBytes));
  }

  /** A CPU that runs an actor: at times one does work of the kernel, without the memory of any process. */
  async #atSlots(thread: number): Promise<number> {
    for (let tries = 0; tries < SLOT_TRIES; tries += 1) {
      for (const vcpu of [thread, ...this.#vcpus.all]) {
        try {
          await this.#guest.rsp.readMemory(vcpu, slotAddress(thread), 1);
          return vcpu;
        } catch (error) {
          if (!(error instanceof NotMapped)) throw error;
        }
      }
      await this.#vcpus.runFor(SLOT_MS);
    }
    throw new NeverReached('no CPU comes back to its thread', await this.#vcpus.where());
  }
}

/** As long as a call. A long nop, or mov $RETURNS, %eax. */
function insteadOfCall(returns: number | 'nothing'): Buffer {
  if (returns === 'nothing') return Buffer.from([0x0f, 0x1f, 0x44, 0x00, 0x00]);
  const bytes = Buffer.alloc(CALL_BYTES, 0xb8);
  bytes.writeUInt32LE(returns, 1);
  return bytes;
}
