/**
 * Drives the virtual CPUs of a guest: lets them go to an address, holds them there, lets them go on.
 *
 * A CPU that is not run at all would hold up every other that sends it an interrupt, waits for its quiescent state, or
 * stops the machine. So one that is held runs in a loop of ours instead: 'yield' lets the kernel schedule there, where
 * it may sleep; 'spin' answers interrupts only, for where it holds a spinlock. Both loops stand in the text of a
 * function that never runs. Only where the kernel itself takes no interrupts the CPU is not run: 'hard'.
 */
import { type RspClient, StubGone, type Vcpu } from './rsp-client.ts';
import type { Symbols } from './symbols.ts';

const REGISTERS = 16;
const RSP = 7;
const RIP = 16;
const EFLAGS = 17;
const GS_BASE = 25;
const EFLAGS_BYTES = 4;
const INTERRUPTS_ON = 1n << 9n;
/** Its text is overwritten: it runs when the machine stops for good. */
const LOOPS_IN = 'stop_this_cpu';
const YIELD_BYTES = 9;
/** Where in the loop it has come back from the kernel's scheduler. */
const YIELD_PAUSE = 5n;

export type Hold = 'yield' | 'spin';

/** A CPU did not come to where it was to go. */
export class NeverReached extends Error {
  /** Where each of those that ran stood then. */
  readonly where: readonly string[];

  constructor(what: string, where: readonly string[]) {
    super(`${what}: ${where.join('; ')}`);
    this.name = 'NeverReached';
    this.where = where;
  }
}

interface Held {
  readonly how: Hold | 'hard';
  readonly registers: readonly bigint[];
  readonly current: bigint;
}

export class Vcpus {
  readonly #rsp: RspClient;
  readonly #symbols: Symbols;
  readonly all: readonly Vcpu[];
  readonly #loops: { readonly yield: bigint; readonly spin: bigint };
  readonly #current: bigint;
  readonly #held = new Map<Vcpu, Held>();

  constructor(rsp: RspClient, symbols: Symbols, vcpus: number) {
    this.#rsp = rsp;
    this.#symbols = symbols;
    this.all = Array.from({ length: vcpus }, (_, at) => at);
    const loops = addressIn(symbols, LOOPS_IN);
    this.#loops = { yield: loops, spin: loops + BigInt(YIELD_BYTES) };
    // The first field of both is the task that runs.
    const hot = symbols.addressOf('pcpu_hot');
    this.#current = hot === 'unknown' ? addressIn(symbols, 'current_task') : hot;
  }

  /** Once, before anything is held. */
  async writeLoops(): Promise<void> {
    const yields = addressIn(this.#symbols, '__cond_resched');
    const text = Buffer.alloc(YIELD_BYTES + 5);
    // call __cond_resched; pause; jmp to the call
    text[0] = 0xe8;
    text.writeInt32LE(Number(yields - (this.#loops.yield + 5n)), 1);
    text.set([0xf3, 0x90, 0xeb, 0x100 - YIELD_BYTES], 5);
    // pause; nop; jmp to the pause: a step over pause takes the jump with it, and would never leave two instructions.
    text.set([0xf3, 0x90, 0x90, 0xeb, 0x100 - 5], YIELD_BYTES);
    await this.#rsp.writeMemory(0, this.#loops.yield, text);
  }

  /**
   * Runs all, until `vcpu` is about to do what stands at one of `addresses`.
   *
   * Rejects: NeverReached after `ms`, StubGone.
   */
  async goTo(
    vcpu: Vcpu,
    addresses: readonly bigint[],
    ms: number,
    is: () => Promise<boolean> = yes,
  ): Promise<void> {
    const end = performance.now() + ms;
    for (;;) {
      for (const address of addresses) await this.#rsp.breakAt(address);
      const stopped = await this.#run(end - performance.now());
      for (const address of addresses) await this.#rsp.unbreak(address);
      let reached: 'reached' | 'not yet' = 'not yet';
      for (const one of this.all) {
        if (!addresses.includes(await this.#rsp.readRegister(one, RIP))) continue;
        if (one === vcpu) reached = 'reached';
        // A stop that is left standing would be met again, though nothing has come this way since.
        else await this.#rsp.step(one);
      }
      if (reached === 'reached') {
        if (await is()) return;
        await this.#rsp.step(vcpu);
      } else if (stopped === 'late') {
        const names = addresses.map((address) => this.#symbols.nameOf(address)).join(' or ');
        throw new NeverReached(`CPU ${vcpu} to ${names}`, await this.where());
      }
    }
  }

  /** It stands still from now on, as far as its task is concerned. */
  async hold(vcpu: Vcpu, how: Hold): Promise<void> {
    const registers: bigint[] = [];
    for (let at = 0; at <= EFLAGS; at += 1) {
      registers.push(await this.#rsp.readRegister(vcpu, at));
    }
    const current = await this.#currentOf(vcpu);
    if (((registers[EFLAGS] ?? 0n) & INTERRUPTS_ON) === 0n) {
      this.#held.set(vcpu, { how: 'hard', registers, current });
      return;
    }
    this.#held.set(vcpu, { how, registers, current });
    await this.#rsp.writeRegister(vcpu, RIP, this.#loops[how]);
  }

  /** It goes on where it was. Rejects: as goTo(). */
  async release(vcpu: Vcpu, ms: number): Promise<void> {
    const held = this.#held.get(vcpu);
    if (held === undefined) return;
    if (held.how === 'hard') {
      this.#held.delete(vcpu);
      await this.#rsp.step(vcpu);
      return;
    }
    const back = held.how === 'yield' ? this.#loops.yield + YIELD_PAUSE : this.#loops.spin;
    // Its own task again, and not in the middle of what the loop calls.
    await this.goTo(vcpu, [back], ms, async () => {
      const sp = await this.#rsp.readRegister(vcpu, RSP);
      return sp === held.registers[RSP] && (await this.#currentOf(vcpu)) === held.current;
    });
    for (const [at, value] of held.registers.entries()) {
      if (at < REGISTERS || at === RIP) await this.#rsp.writeRegister(vcpu, at, value);
      else if (at === EFLAGS) await this.#rsp.writeRegister(vcpu, at, value, EFLAGS_BYTES);
    }
    this.#held.delete(vcpu);
    await this.#rsp.step(vcpu);
  }

  /** Those that are not held, for so many milliseconds. */
  async runFor(ms: number): Promise<void> {
    await this.#run(ms);
  }

  /** What it does next. */
  addressOf(vcpu: Vcpu): Promise<bigint> {
    return this.#rsp.readRegister(vcpu, RIP);
  }

  isHeld(vcpu: Vcpu): boolean {
    return this.#held.has(vcpu);
  }

  /** Where each CPU is about to go on. */
  async where(): Promise<string[]> {
    const found: string[] = [];
    for (const one of this.all) {
      const at = await this.#rsp.readRegister(one, RIP);
      const place = this.#held.has(one) ? 'held' : this.#symbols.nameOf(at);
      found.push(`CPU ${one} at ${place}`);
    }
    return found;
  }

  async #run(ms: number): Promise<'stopped' | 'late'> {
    this.#rsp.letGo(this.all.filter((one) => this.#held.get(one)?.how !== 'hard'));
    let late: 'stopped' | 'late' = 'stopped';
    const timer = setTimeout(
      () => {
        late = 'late';
        this.#rsp.interrupt();
      },
      Math.max(1, ms),
    );
    try {
      const reply = await this.#rsp.next();
      // The guest has ended by itself.
      if (/^[WX]/.test(reply)) throw new StubGone();
    } finally {
      clearTimeout(timer);
    }
    return late;
  }

  async #currentOf(vcpu: Vcpu): Promise<bigint> {
    const base = await this.#rsp.readRegister(vcpu, GS_BASE);
    return this.#rsp.readU64(vcpu, BigInt.asUintN(64, base + this.#current));
  }
}

async function yes(): Promise<boolean> {
  return true;
}

export function addressIn(symbols: Symbols, name: string): bigint {
  const address = symbols.addressOf(name);
  if (address === 'unknown') throw new Error(`the kernel has no symbol ${name}`);
  return address;
}
