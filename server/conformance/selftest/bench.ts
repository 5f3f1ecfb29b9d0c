/**
 * What a selftest works with: a process, its threads and two dmirror devices in this process, and the checks that all
 * selftests make. Every call runs to its end before it returns. A check that fails throws SelftestFailure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { DmirrorResult, DmirrorVerb } from '../../../clients/drivers/dmirror/dmirror-verb.ts';
import type { Accessed, Advice, CpuApi, MappingKind, Prot } from '../../abi/cpu-api.ts';
import type { KernelId } from '../../abi/kernel-ids.ts';
import { createFile } from '../../kernel/syscalls/create-file.ts';
import { leftBehind } from '../../machine/oracles/left-behind.ts';
import { cpuOf, pinsOf, runTask, type World } from '../../machine/world.ts';
import type { Patch } from '../../patches/patch.ts';
import type { Task } from '../../task/task.ts';
import {
  addressOf,
  nextPage,
  PAGE_SIZE,
  type PageIndex,
  type PageRange,
  pageIndex,
  pagesFrom,
  type VirtualAddress,
} from '../../vocabulary/address.ts';
import type { Result } from '../../vocabulary/errno.ts';
import type { PageContents } from '../../vocabulary/page-contents.ts';
import { type FuzzWorld, faithfulDriver, newDeviceWorld } from '../fuzz/device-world.ts';
import { leaksAfterExit } from '../fuzz/leaks.ts';

/** Pages of the buffers that most of the kernel's selftests use: 4 MiB. */
export const BUFFER_PAGES = 1024;
/** Where buffers begin: at the start of a 2 MiB block. */
const BUFFER_FIRST = 0x100_000;
const CHUNK_PAGES = 4096;
/** The file of a selftest; lower numbers are taken. */
const FILE = 7;
/** The last u64 of a page: what only whole pages carry along. */
const LAST_WORD = PAGE_SIZE - 8;

/** What the process named `cpu1` is to `cpu0`. */
const CHILD = 'cpu1';

/** Something is not as it must be. */
export class SelftestFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SelftestFailure';
  }
}

export interface BenchOptions {
  readonly thp: 'always' | 'never';
  /** Pages of a buffer that has no size of its own. */
  readonly bufferPages: number;
  readonly kernel: KernelId;
  readonly patches: readonly Patch[];
}

export class SelftestBench {
  readonly bufferPages: number;
  readonly #lab: FuzzWorld;

  constructor({ thp, bufferPages, kernel, patches }: BenchOptions) {
    this.bufferPages = bufferPages;
    this.#lab = newDeviceWorld({
      newDriver: faithfulDriver,
      chunkPages: CHUNK_PAGES,
      version: kernel,
      patches,
      config: { thp },
    });
  }

  get world(): World {
    return this.#lab.world;
  }

  /** Runs one task of an actor to its end. */
  run<T>(actor: string, name: string, task: Task<T>): T {
    const ran = runTask(this.world, actor, name, task);
    if (ran.kind === 'done') return ran.value;
    throw new SelftestFailure(`${actor}: ${name} does not end: ${ran.waiting.join('; ')}`);
  }

  /** A buffer of `count` pages, `offset` pages behind the start of a 2 MiB block. */
  map(count: number, prot: Prot, kind: MappingKind = 'anon-private', offset = 0): PageRange {
    const range = pagesFrom(pageIndex(BUFFER_FIRST + offset), count);
    const ofFile = kind === 'file-private' || kind === 'file-shared';
    const file = ofFile ? { file: FILE, offset: 0 } : {};
    this.succeeds('mmap', (cpu) => cpu.mmap({ range, prot, kind, ...file }));
    return range;
  }

  /** A file of `count` pages that begin with `word` of their number. */
  createFile(pages: readonly PageContents[]): void {
    createFile(this.world.kernel, FILE, pages);
  }

  munmap(range: PageRange): void {
    this.succeeds('munmap', (cpu) => cpu.munmap(range));
  }

  mprotect(range: PageRange, prot: Prot): void {
    this.succeeds('mprotect', (cpu) => cpu.mprotect(range, prot));
  }

  madvise(range: PageRange, advice: Advice): void {
    this.succeeds('madvise', (cpu) => cpu.madvise(range, advice));
  }

  /** The range where it is now. */
  mremap(range: PageRange, to: PageIndex): PageRange {
    this.succeeds('mremap', (cpu) => cpu.mremap(range, to));
    return pagesFrom(to, range.end - range.first);
  }

  /** A call of `cpu0` that must succeed. Returns its value. */
  succeeds<T>(name: string, call: (cpu: CpuApi) => Task<Result<T>>): T {
    const result = this.run('cpu0', name, call(cpuOf(this.world, 'cpu0')));
    if (result.ok) return result.value;
    throw new SelftestFailure(`${name}: expected OK, got ${result.errno}`);
  }

  /** Forks, lets the child do `child`, and ends it. */
  inChild(child: () => void): void {
    this.succeeds('fork', (cpu) => cpu.fork(CHILD));
    child();
    this.run(CHILD, 'exit', cpuOf(this.world, CHILD).exit());
  }

  /** Stores the first and the last word of each page. */
  fills(range: PageRange, word: (at: number) => bigint, who: 'cpu0' | 'cpu1' = 'cpu0'): void {
    const cpu = cpuOf(this.world, who);
    for (let page = range.first; page < range.end; page = nextPage(page)) {
      const value = word(page - range.first);
      for (const address of [addressOf(page), lastWord(page)]) {
        this.#accessed(who, address, this.run(who, 'store', cpu.store(address, value)));
      }
    }
  }

  /** Each page begins with `word` of its number, and ends with `last` of it. */
  finds(
    range: PageRange,
    word: (at: number) => bigint,
    { last = word, who = 'cpu0' }: { last?: (at: number) => bigint; who?: 'cpu0' | 'cpu1' } = {},
  ): void {
    const cpu = cpuOf(this.world, who);
    for (let page = range.first; page < range.end; page = nextPage(page)) {
      const at = page - range.first;
      for (const [address, expected] of [
        [addressOf(page), word(at)],
        [lastWord(page), last(at)],
      ] as const) {
        const found = this.#accessed(who, address, this.run(who, 'load', cpu.load(address)));
        if (found === expected) continue;
        throw new SelftestFailure(
          `${who} read ${hex(found)} at ${hex(address)}, not ${hex(expected)}`,
        );
      }
    }
  }

  /** A verb of dmirror, as the ioctl of /dev/hmm_dmirror<device>. */
  ask(device: 0 | 1, verb: DmirrorVerb): DmirrorResult {
    const driver = this.#lab.devices[device];
    if (driver === undefined) throw new SelftestFailure(`there is no device ${device}`);
    return this.run(`dev${device}`, verb.verb, driver.perform(verb));
  }

  /** The task of a verb, for tests that run several at once. */
  verbTask(device: 0 | 1, verb: DmirrorVerb): Task<DmirrorResult> {
    const driver = this.#lab.devices[device];
    if (driver === undefined) throw new SelftestFailure(`there is no device ${device}`);
    return driver.perform(verb);
  }

  /** What every selftest leaves: nothing. Ends the process. */
  end(): void {
    this.atRest();
    cpuOf(this.world, 'cpu0');
    for (const cpu of this.world.cpus.values()) {
      if (cpu.mm.alive) this.run(cpu.name, 'exit', cpuOf(this.world, cpu.name).exit());
    }
    const [leak] = leaksAfterExit(this.world.kernel);
    if (leak !== undefined) throw new SelftestFailure(`after the process has exited, ${leak}`);
  }

  /** Nothing that the oracles watch may be wrong. */
  atRest(): void {
    const [violation] = this.world.oracles.violations;
    if (violation !== undefined) throw new SelftestFailure(`[${violation.rule}] ${violation.text}`);
    const [left] = leftBehind(this.world.kernel, pinsOf(this.world));
    if (left !== undefined) throw new SelftestFailure(`[OR4] ${left}`);
  }

  #accessed<T>(who: string, address: VirtualAddress, access: Accessed<T>): T {
    if (access.kind === 'done') return access.value;
    throw new SelftestFailure(`${who} got ${access.signal} at ${hex(address)}`);
  }
}

/** Fails unless `actual` has the fields of `expected`, and the same in them. */
export function expectFields<T extends object>(
  actual: T,
  expected: Partial<T>,
  what: string,
): void {
  for (const field of Object.keys(expected) as (keyof T & string)[]) {
    const [is, must] = [actual[field], expected[field]];
    if (isDeepStrictEqual(is, must)) continue;
    throw new SelftestFailure(`${what}: ${field}: expected ${show(must)}, got ${show(is)}`);
  }
}

function show(value: unknown): string {
  return Array.isArray(value) ? shortList(value) : String(value);
}

const LIST_SHOWN_MAX = 8;

function shortList(values: readonly unknown[]): string {
  const shown = values.slice(0, LIST_SHOWN_MAX).join(' ');
  return values.length > LIST_SHOWN_MAX ? `${shown} ... (${values.length})` : shown;
}

function lastWord(page: PageIndex): VirtualAddress {
  return (addressOf(page) + LAST_WORD) as VirtualAddress;
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
