/**
 * A schedule of the model, played on a real kernel: each thread of the scenario is a thread of the guest on a CPU of
 * its own, and is held wherever the model switches away from it. At the end each page is written, and all read it.
 */

import { pgmapOf } from '../kernel/memory/page-references.ts';
import { readPte } from '../kernel/memory/page-table.ts';
import { pteIsDevicePrivate, ptePfn } from '../kernel/memory/pte.ts';
import { rangeOfVma } from '../scenario/places.ts';
import type { ScenarioPlan } from '../scenario/scenario-plan.ts';
import type { PageIndex } from '../vocabulary/address.ts';
import { assertNever } from '../vocabulary/invariant.ts';
import { type GuestCast, guestOp, mapped, NotReenactable } from './guest-ops.ts';
import type { GuestRun } from './guest-run.ts';
import type { PointTable } from './points.ts';
import { StubGone } from './rsp-client.ts';
import type { GuestAnswer, GuestOp, GuestOpName } from './slot.ts';
import type { ThreadStep, ThreadSteps } from './thread-steps.ts';
import { type Hold, NeverReached } from './vcpus.ts';

export type EnactedCue =
  | { readonly cue: 'begin'; readonly thread: number; readonly op: number }
  /** `thread` goes up to the `nth` time that it comes to the point from where it is, and is held there. */
  | {
      readonly cue: 'hold';
      readonly thread: number;
      readonly at: string;
      readonly nth: number;
      readonly how: Hold;
    }
  | { readonly cue: 'go on'; readonly thread: number }
  | { readonly cue: 'finish'; readonly thread: number };

/** CPUs of a guest, each with one thread. */
export const VCPUS_MAX = 4;
/** The test driver has two devices with memory of their own. */
const DEVICES_MAX = 2;
const WRITTEN = { byDevice: 0x2an, byCpu: 0x2bn } as const;
const PAGE_SHIFT = 12n;
const WRITING: readonly GuestOpName[] = ['store', 'device-write'];
/** Operations that come to a value. */
const READING: readonly GuestOpName[] = ['load', 'device-read', 'pin-read'];
const PROT_READ = 1n;
/** Of an entry of /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst. */
const PAGEMAP_PRESENT = 1n << 63n;

/** What to do with the threads, in order. Throws: NotReenactable. */
export function cuesOf(all: readonly ThreadStep[]): EnactedCue[] {
  // The order of the cues is what a program waits for.
  const steps = all.filter(({ at }) => !at.startsWith('program.'));
  const cues: EnactedCue[] = [];
  const state = new Map<
    number,
    { op: number; held: 'held' | 'runs'; passed: Map<string, number> }
  >();
  for (const [index, step] of steps.entries()) {
    const { thread, op, at } = step;
    const before = state.get(thread);
    if (before === undefined || before.op !== op) {
      if (before !== undefined) cues.push({ cue: 'finish', thread });
      cues.push({ cue: 'begin', thread, op });
      state.set(thread, { op, held: 'runs', passed: new Map() });
    } else if (before.held === 'held') {
      cues.push({ cue: 'go on', thread });
      before.held = 'runs';
      before.passed = new Map();
    }
    const now = state.get(thread);
    if (now === undefined) continue;
    now.passed.set(at, (now.passed.get(at) ?? 0) + 1);
    if (steps[index + 1]?.thread === thread) continue;
    const next = steps.slice(index + 1).find((other) => other.thread === thread);
    if (next === undefined || next.op !== op) {
      cues.push({ cue: 'finish', thread });
      state.delete(thread);
      continue;
    }
    const nth = (now.passed.get(next.at) ?? 0) + 1;
    cues.push({ cue: 'hold', thread, at: next.at, nth, how: next.hold });
    now.held = 'held';
  }
  return cues;
}

export interface PageSeen {
  readonly page: string;
  /** Or why it could not be. */
  readonly written: bigint | string;
  readonly by: string;
  /** What each reads then, or why it cannot. */
  readonly reads: readonly { readonly actor: string; readonly value: bigint | string }[];
}

/** What an operation came to: a value, OK, an errno or a signal. */
export interface EnactedAnswer {
  /** `cpu0 load` */
  readonly what: string;
  readonly model: string;
  readonly linux: string;
}

/**
 * By what a failure is seen: what is left in page tables and mirrors, a value that an operation has read, or a value
 * that was written and is gone.
 */
export type SeenBy = 'what is left' | 'what was read' | 'what was written';

export type PlayedOnLinux =
  | {
      readonly outcome: 'played';
      /** How each operation of a program ended. */
      readonly answers: readonly EnactedAnswer[];
      readonly pages: readonly PageSeen[];
      /** An actor reads something else than was written. */
      readonly stale: boolean;
      /** Where the kernel made a thread wait that the schedule lets go on; 'none' if it was followed to its end. */
      readonly kept: string | 'none';
    }
  | { readonly outcome: 'crashed'; readonly splat: string }
  | { readonly outcome: 'differed'; readonly at: string; readonly where: readonly string[] };

export interface Playing {
  readonly plan: ScenarioPlan;
  readonly table: PointTable;
  readonly steps: ThreadSteps;
  readonly seenBy: SeenBy;
  /**
   * What to do where a thread does not come to where the schedule has it: a kernel without the mistake may make it wait
   * for one that is held, or lead it elsewhere. 'let all go': then all run to their ends.
   */
  readonly kept: 'give up' | 'let all go';
  /** Of what is read: 'right' if the schedule is safe in the model. */
  readonly reads: 'right' | 'wrong';
}

/** Plays it once. Throws: NotReenactable. Rejects: what QEMU says. */
export async function playOnLinux(
  run: GuestRun,
  { plan, table, steps, seenBy, kept: giveUp, reads }: Playing,
  cues: readonly EnactedCue[],
): Promise<PlayedOnLinux> {
  const stage = new Stage(run, plan, table);
  try {
    await stage.set();
    const answers: EnactedAnswer[] = [];
    let kept: string | 'none' = 'none';
    for (const [at, cue] of cues.entries()) {
      try {
        const answer = await stage.follow(cue, steps);
        if (answer !== 'none') answers.push(answer);
      } catch (error) {
        if (!(error instanceof NeverReached) || giveUp === 'give up') throw error;
        // Before any thread was held nothing has raced.
        if (stage.holds === 0) throw error;
        kept = error.message;
        answers.push(...(await stage.letAllGo(cues.slice(at + 1), steps)));
        break;
      }
    }
    const played = { outcome: 'played', answers, kept } as const;
    if (seenBy === 'what was read') {
      const asModel = readsAsModel(answers);
      return { ...played, pages: [], stale: reads === 'wrong' ? asModel : !asModel };
    }
    const lost = seenBy === 'what was written' ? await stage.lost() : 'none';
    if (lost !== 'none') return { ...played, pages: [lost], stale: true };
    const stuck = await stage.stuckChild();
    if (stuck !== 'none') return { ...played, pages: [stuck], stale: true };
    const pages = await stage.look(steps);
    const seen = judge(pages);
    if (seen === 'nothing') throw new NotReenactable('at the end no page can be written and read');
    if (typeof seen === 'object') return { outcome: 'differed', at: seen.unread, where: [] };
    return { ...played, pages, stale: seen === 'stale' };
  } catch (error) {
    if (error instanceof StubGone && run.state === 'given up') {
      return { outcome: 'differed', at: 'the guest does not answer any more', where: [] };
    }
    if (error instanceof StubGone) return { outcome: 'crashed', splat: splatOf(run.console) };
    if (!(error instanceof NeverReached)) throw error;
    return { outcome: 'differed', at: error.message, where: error.where };
  }
}

/**
 * 'stale': somebody reads another value than was written. Who cannot read at all has seen nothing, neither right nor
 * wrong; 'nothing': no page was read by anybody.
 */
export function judge(
  pages: readonly PageSeen[],
): 'stale' | 'clean' | 'nothing' | { readonly unread: string } {
  const reads = pages.flatMap((page) => page.reads.map((read) => ({ ...read, ...page })));
  if (reads.length === 0) return 'nothing';
  if (reads.some(({ value, written }) => typeof value === 'bigint' && value !== written)) {
    return 'stale';
  }
  const unread = reads.find(({ value }) => typeof value !== 'bigint');
  if (unread === undefined) return 'clean';
  return { unread: `${unread.actor} cannot read ${unread.page}: ${unread.value}` };
}

/** Whether each operation that has read something read what it does in the model. */
function readsAsModel(answers: readonly EnactedAnswer[]): boolean {
  return answers.every(({ model, linux }) => !/^0x/.test(model) || model === linux);
}

class Stage {
  readonly #run: GuestRun;
  readonly #plan: ScenarioPlan;
  readonly #table: PointTable;
  /** The thread that sets the scene and looks. */
  readonly #host: number;
  readonly #cast: GuestCast;
  /** What each thread was told last, by its number in the program. */
  readonly #ops = new Map<number, number>();
  /** Threads in the middle of an operation. */
  readonly #begun = new Set<number>();

  constructor(run: GuestRun, plan: ScenarioPlan, table: PointTable) {
    this.#run = run;
    this.#plan = plan;
    this.#table = table;
    const slots = slotsOf(plan);
    this.#host = slots.host;
    this.#cast = {
      deviceOf: (actor) =>
        Math.max(
          0,
          plan.devices.findIndex(({ name }) => name === actor),
        ),
      slotOf: (actor) => slots.children.get(actor) ?? slots.host,
    };
  }

  /** How often a thread was held so far. */
  holds = 0;

  /** A forked process does what it does itself; the setup of all others is done by the host's thread. */
  #by(actor: string): number {
    return this.#cast.slotOf(actor);
  }

  /** Devices are open, mappings are there, and the setup is done. */
  async set(): Promise<void> {
    const { devices, vmas, setup, scenario, config } = this.#plan;
    const slots = config.swapSlots ?? 0;
    if (slots > 0) await this.#must({ op: 'swap', address: 0n, value: BigInt(slots) });
    for (const [device] of devices.entries()) {
      await this.#must({ op: 'device-open', address: 0n, device, value: BigInt(device) });
    }
    for (const vma of vmas) await this.#must(mapped(rangeOfVma(vma), vma.prot, vma.kind));
    for (const { actor, op } of setup) {
      const told = guestOp(scenario, actor, op, this.#cast);
      await this.#must(told, this.#by(actor));
      if (op.do === 'madvise' && op.advice === 'PAGEOUT') await this.#mustBeOut(told.address);
    }
    const faults = this.#plan.threads.some(({ ops }) =>
      ops.some(({ op }) => op.do === 'fault-read'),
    );
    if (faults) await this.#emptyMirrors();
  }

  /** The kernel may leave a page where it is, and says nothing of it: 6.1 does, with a single slot of swap. */
  async #mustBeOut(address: bigint): Promise<void> {
    const { err, result } = await this.#run.perform(this.#host, { op: 'where', address });
    if (err !== 0n || (BigInt.asUintN(64, result) & PAGEMAP_PRESENT) !== 0n) {
      throw new NotReenactable('the setup: MADV_PAGEOUT leaves the page in memory');
    }
  }

  /** A device of the kernel reads by its own table what is there; of the model's, a fault is asked for by itself. */
  async #emptyMirrors(): Promise<void> {
    for (const vma of this.#plan.vmas) {
      const { address, more = 1, value = 0n } = mapped(rangeOfVma(vma), vma.prot, vma.kind);
      await this.#must({ op: 'mprotect', address, more, value: PROT_READ });
      await this.#must({ op: 'mprotect', address, more, value });
    }
  }

  /** Returns how an operation ended. */
  async follow(cue: EnactedCue, { results }: ThreadSteps): Promise<EnactedAnswer | 'none'> {
    const { thread } = cue;
    switch (cue.cue) {
      case 'begin':
        this.#ops.set(thread, cue.op);
        this.#begun.add(thread);
        await this.#run.tell(thread, this.#opOf(thread, cue.op));
        return 'none';
      case 'hold': {
        await this.#run.goTo(thread, await this.#addressesOf(thread, cue.at), cue.nth);
        await this.#run.hold(thread, cue.how);
        this.holds += 1;
        return 'none';
      }
      case 'go on':
        await this.#run.release(thread);
        return 'none';
      case 'finish':
        if (this.#run.isHeld(thread)) await this.#run.release(thread);
        {
          const answer = await this.#run.finish(thread);
          this.#begun.delete(thread);
          return this.#answered(thread, answer, results);
        }
      default:
        return assertNever(cue);
    }
  }

  /** Everything runs to its end, and what has not begun comes after that. */
  async letAllGo(later: readonly EnactedCue[], { results }: ThreadSteps): Promise<EnactedAnswer[]> {
    const answers: EnactedAnswer[] = [];
    const begun = [...this.#begun];
    for (const thread of begun) if (this.#run.isHeld(thread)) await this.#run.release(thread);
    const finish = async (thread: number) => {
      answers.push(this.#answered(thread, await this.#run.finish(thread), results));
      this.#begun.delete(thread);
    };
    for (const thread of begun) await finish(thread);
    for (const cue of later) {
      if (cue.cue !== 'begin') continue;
      this.#ops.set(cue.thread, cue.op);
      await this.#run.tell(cue.thread, this.#opOf(cue.thread, cue.op));
      await finish(cue.thread);
    }
    return answers;
  }

  /** A page at which a forked process waits for ever. */
  async stuckChild(): Promise<PageSeen | 'none'> {
    for (const child of this.#plan.children) {
      if (this.#run.hasExited(this.#cast.slotOf(child))) continue;
      for (const { name, page } of this.#plan.pages) {
        const address = BigInt(page) << PAGE_SHIFT;
        try {
          await this.#run.perform(this.#cast.slotOf(child), { op: 'load', address });
        } catch (error) {
          if (!(error instanceof NeverReached)) throw error;
          const reads = [{ actor: child, value: 'for ever' }];
          return { page: name, by: 'nothing', written: 'waits', reads };
        }
      }
    }
    return 'none';
  }

  /** A page that only one operation of the programs has written, and that has another value now. */
  async lost(): Promise<PageSeen | 'none'> {
    for (const { name, page } of this.#plan.pages) {
      const address = BigInt(page) << PAGE_SHIFT;
      const writes = this.#plan.threads
        .flatMap(({ ops }, thread) => ops.map((_, op) => this.#opOf(thread, op)))
        .filter(({ op, address: at }) => WRITING.includes(op) && at === address);
      const [only] = writes;
      if (only === undefined || writes.length > 1) continue;
      const value = await this.#read({ op: 'load', address });
      const written = only.value ?? 0n;
      if (typeof value === 'bigint' && value !== written) {
        return { page: name, by: only.op, written, reads: [{ actor: 'the CPU', value }] };
      }
    }
    return 'none';
  }

  /**
   * Each page is written by the device that has it, and then by the CPU; each time all read it. A device writes through
   * another mirror: its own must not be mended by that.
   */
  async look({ run }: ThreadSteps): Promise<PageSeen[]> {
    const seen: PageSeen[] = [];
    const { kernel, mm } = run.world;
    // The last first: the driver forgets the page behind an invalidated range as well (dmirror_do_update()).
    for (const { name, page } of this.#plan.pages.toSorted((a, b) => b.page - a.page)) {
      const entry = readPte(mm.table, page);
      const home = pteIsDevicePrivate(entry) ? pgmapOf(kernel, ptePfn(entry)).device : 'none';
      const owner = this.#plan.devices.findIndex(({ name: device }) => device === home);
      if (owner >= 0) {
        const device = DEVICES_MAX + owner;
        await this.#must({ op: 'device-open', address: 0n, device, value: BigInt(owner) });
        seen.push(await this.#written(name, page, device));
      }
      seen.push(await this.#written(name, page, 'the CPU'));
    }
    return seen;
  }

  async #written(page: string, at: PageIndex, by: number | 'the CPU'): Promise<PageSeen> {
    const address = BigInt(at) << PAGE_SHIFT;
    const written = by === 'the CPU' ? WRITTEN.byCpu : WRITTEN.byDevice;
    const on = { address, value: written };
    const wrote = await this.#run.perform(
      this.#host,
      by === 'the CPU' ? { op: 'store', ...on } : { op: 'device-write', ...on, device: by },
    );
    const who =
      by === 'the CPU' ? by : `another mirror of ${this.#plan.devices[by - DEVICES_MAX]?.name}`;
    // Of a page that cannot be written nothing can be said.
    if (wrote.err !== 0n) return { page, by: who, written: errnoOf(wrote), reads: [] };
    const reads: PageSeen['reads'][number][] = [];
    for (const [device, { name: actor }] of this.#plan.devices.entries()) {
      reads.push({ actor, value: await this.#read({ op: 'device-read', address, device }) });
    }
    reads.push({ actor: 'the CPU', value: await this.#read({ op: 'load', address }) });
    return { page, by: who, written, reads };
  }

  async #read(op: GuestOp): Promise<bigint | string> {
    const answer = await this.#run.perform(this.#host, op);
    return answer.err === 0n ? answer.result : errnoOf(answer);
  }

  async #must(op: GuestOp, by = this.#host): Promise<void> {
    const answer = await this.#run.perform(by, op);
    if (answer.err !== 0n)
      throw new NotReenactable(`the setup: ${op.op} ends with ${errnoOf(answer)}`);
  }

  #answered(thread: number, answer: GuestAnswer, results: ThreadSteps['results']): EnactedAnswer {
    const op = this.#ops.get(thread) ?? 0;
    const planned = this.#plan.threads[thread];
    const { op: told } = this.#opOf(thread, op);
    const isReading = READING.includes(told);
    const reads = isReading && answer.err === 0n;
    const result = results.get(`${thread}/${op}`) ?? 'no end';
    return {
      what: `${planned?.name} ${planned?.ops[op]?.op.do}`,
      // A migration of the model tells what it has moved.
      model: !isReading && result.startsWith('0x') ? 'OK' : result,
      linux: reads ? `0x${answer.result.toString(16)}` : errnoOf(answer),
    };
  }

  #opOf(thread: number, op: number): GuestOp {
    const planned = this.#plan.threads[thread];
    const found = planned?.ops[op];
    if (planned === undefined || found === undefined) throw new RangeError(`no operation ${op}`);
    return guestOp(this.#plan.scenario, planned.actor, found.op, this.#cast);
  }

  async #addressesOf(thread: number, at: string): Promise<bigint[]> {
    const all = this.#table.points.get(at);
    if (all === undefined) throw new NotReenactable(at);
    const actor = this.#plan.threads[thread]?.actor ?? '';
    const forked = all.filter(({ process }) => process === 'forked');
    const isForked = this.#plan.children.has(actor) && forked.length > 0;
    const points = isForked ? forked : all.filter(({ process }) => process === undefined);
    const found: bigint[] = [];
    for (const point of points) found.push(await this.#run.addressOf(point, at));
    return found;
  }
}

/**
 * Which slot a forked process takes over, and which one sets the scene and looks at the end: one behind all others, or,
 * if there are no more CPUs, that of the first thread that is no forked process.
 */
export function slotsOf({ threads, children }: Pick<ScenarioPlan, 'threads' | 'children'>): {
  readonly host: number;
  readonly vcpus: number;
  readonly children: ReadonlyMap<string, number>;
} {
  let next = threads.length;
  const slots = [...children].map((child): [string, number] => {
    const own = threads.findIndex(({ actor }) => actor === child);
    return [child, own < 0 ? next++ : own];
  });
  const shared = threads.findIndex(({ actor }) => !children.has(actor));
  const host = next < VCPUS_MAX || shared < 0 ? next : shared;
  return { host, vcpus: Math.max(next, host + 1), children: new Map(slots) };
}

/** Throws: NotReenactable if the guest has too few CPUs or devices for it. */
export function checkCast(plan: ScenarioPlan): void {
  const { devices } = plan;
  const { vcpus } = slotsOf(plan);
  if (vcpus > VCPUS_MAX) {
    throw new NotReenactable(`${vcpus} threads: the guest has ${VCPUS_MAX} CPUs`);
  }
  if (devices.length > DEVICES_MAX) {
    throw new NotReenactable(`${devices.length} devices: the test driver has ${DEVICES_MAX}`);
  }
}

const ERRNOS: { readonly [number: string]: string } = {
  2: 'ENOENT',
  4: 'EINTR',
  5: 'EIO',
  11: 'EAGAIN',
  12: 'ENOMEM',
  14: 'EFAULT',
  16: 'EBUSY',
  22: 'EINVAL',
};

const SIGNALS: { readonly [number: string]: string } = { 7: 'SIGBUS', 11: 'SIGSEGV' };

function errnoOf({ err }: GuestAnswer): string {
  if (err === 0n) return 'OK';
  if (err <= -1_000n) return SIGNALS[`${-1_000n - err}`] ?? `signal ${-1_000n - err}`;
  return ERRNOS[`${-err}`] ?? `errno ${-err}`;
}

/** From the first line that says what went wrong. */
function splatOf(console: string): string {
  const from = console.search(/BUG:|Oops|general protection|Kernel panic|WARNING:/);
  return (from < 0 ? console.slice(-500) : console.slice(from)).split('\n').slice(0, 12).join('\n');
}
