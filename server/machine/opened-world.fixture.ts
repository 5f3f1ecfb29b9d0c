/**
 * A world with open dmirror devices and a mapped process, and what a mutant of kernel or driver makes of it: what
 * the tests of oracles and patches share. Named like a test to stay out of the package and of the model hash.
 */
import assert from 'node:assert/strict';
import {
  DMIRROR_FUNCTIONS,
  dmirrorDriver,
  dmirrorOpen,
  newDmirror,
} from '../../clients/drivers/dmirror/dmirror.ts';
import type { Dmirror, DmirrorFunctions } from '../../clients/drivers/dmirror/dmirror-state.ts';
import {
  type DmirrorResult,
  type DmirrorVerb,
  performVerb,
} from '../../clients/drivers/dmirror/dmirror-verb.ts';
import type { CpuApi } from '../abi/cpu-api.ts';
import type { KernelConfig, KernelFunctions } from '../kernel/kernel.ts';
import { readPte } from '../kernel/memory/page-table.ts';
import { pteKind } from '../kernel/memory/pte.ts';
import type { Patch } from '../patches/patch.ts';
import type { RunningTask } from '../scheduler/scheduler.ts';
import type { Task } from '../task/task.ts';
import {
  addressOf,
  type PageIndex,
  type PageRange,
  pageIndex,
  pagesFrom,
} from '../vocabulary/address.ts';
import { OK } from '../vocabulary/errno.ts';
import { leftBehind } from './oracles/left-behind.ts';
import { cpuOf, deviceOf, newWorld, pinsOf, runTask, type World, waitingFor } from './world.ts';

/** The first mapped page. */
export const BASE = pageIndex(0x100200);
/** Mapped pages: private, anonymous, writable. */
const PAGES = 8;
const CHUNK_PAGES = 8;

export interface OpenedWorld {
  readonly world: World;
  readonly devices: readonly Dmirror[];
}

export interface OpenedWorldOptions {
  readonly patches?: readonly Patch[];
  /** What is wrong with the kernel. */
  readonly overrides?: (stock: KernelFunctions) => Partial<KernelFunctions>;
  readonly config?: Partial<KernelConfig>;
  readonly contract?: 'watched' | 'off';
  /** One device each, dev0 first; two faithful ones unless said. */
  readonly drivers?: readonly Partial<DmirrorFunctions>[];
}

export function openedWorld(options: OpenedWorldOptions = {}): OpenedWorld {
  const { patches = [], overrides, config = {}, drivers = [{}, {}], contract = 'off' } = options;
  const mutants: Patch[] =
    overrides === undefined
      ? []
      : [{ id: 'mutant', provenance: 'a test', summary: 'is wrong on purpose', overrides }];
  const world = newWorld({ patches: [...patches, ...mutants], config, contract });
  const devices = drivers.map((fn, deviceNumber) => open(world, deviceNumber, fn));
  const range = pagesFrom(BASE, PAGES);
  const mapping = cpuOf(world, 'cpu0').mmap({ range, prot: 'rw', kind: 'anon-private' });
  assert.deepEqual(runAlone(world, 'cpu0', mapping), OK);
  return { world, devices };
}

function open(world: World, deviceNumber: number, fn: Partial<DmirrorFunctions>): Dmirror {
  const owner = `dev${deviceNumber}`;
  const api = deviceOf(world, owner, () => driver);
  const options = { api, context: world.context, deviceNumber, memoryPages: CHUNK_PAGES };
  const dmirror = newDmirror(options, { ...DMIRROR_FUNCTIONS, ...fn });
  const driver = dmirrorDriver(dmirror);
  assert.ok(runAlone(world, owner, dmirrorOpen(dmirror)).ok);
  return dmirror;
}

export function runAlone<T>(world: World, actor: string, task: Task<T>): T {
  const ran = runTask(world, actor, 'test', task);
  return ran.kind === 'done' ? ran.value : assert.fail(`stuck: ${ran.waiting.join('; ')}`);
}

export function at(index: number): PageIndex {
  return pageIndex(BASE + index);
}

/** `count` pages from page `index` on. */
export function pages(index: number, count = 1): PageRange {
  return pagesFrom(at(index), count);
}

export function cpu({ world }: OpenedWorld, name = 'cpu0'): CpuApi {
  return cpuOf(world, name);
}

/** The value, or the signal. */
export function load(opened: OpenedWorld, page = 0, name = 'cpu0'): bigint | string {
  const loaded = runAlone(opened.world, name, cpu(opened, name).load(addressOf(at(page))));
  return loaded.kind === 'done' ? loaded.value : loaded.signal;
}

export function store(opened: OpenedWorld, value: bigint, page = 0, name = 'cpu0'): string {
  const address = addressOf(at(page));
  const stored = runAlone(opened.world, name, cpu(opened, name).store(address, value));
  return stored.kind === 'done' ? 'done' : stored.signal;
}

export function device({ devices }: OpenedWorld, number: number): Dmirror {
  return devices[number] ?? assert.fail(`there is no dev${number}`);
}

/** Does one verb of a device, alone. */
export function verb(opened: OpenedWorld, number: number, asked: DmirrorVerb): DmirrorResult {
  return runAlone(opened.world, `dev${number}`, performVerb(device(opened, number), asked));
}

/** Starts one verb of a device beside others. */
export function spawnVerb(opened: OpenedWorld, number: number, asked: DmirrorVerb): RunningTask {
  const task = performVerb(device(opened, number), asked);
  return opened.world.scheduler.spawn(`dev${number}`, asked.verb, task);
}

export function kindAt({ world }: OpenedWorld, page = 0, mm = world.mm): string {
  return pteKind(readPte(mm.table, at(page)));
}

/** The rules that the oracles saw broken so far, sorted, each once. */
export function brokenRules({ world }: OpenedWorld): string[] {
  const rules = world.oracles.violations.map(({ rule }) => rule);
  return [...new Set(rules)].sort();
}

/** What is out of balance while nothing runs. */
export function left({ world }: OpenedWorld): string[] {
  return leftBehind(world.kernel, pinsOf(world));
}

/** All is well: nothing was reported, nothing waits, nothing is left behind. */
export function assertHealthy(opened: OpenedWorld, stuck: readonly RunningTask[] = []): void {
  assert.deepEqual(stuck.map(waitingFor), []);
  assert.deepEqual(
    opened.world.oracles.violations.map(({ rule, text }) => `[${rule}] ${text}`),
    [],
  );
  assert.deepEqual(left(opened), []);
  const rest = { pins: pinsOf(opened.world), freeFrames: new Map() };
  for (const rule of ['OR3', 'OR10']) {
    assert.deepEqual(opened.world.oracles.atRest(rule, rest), []);
  }
  assert.deepEqual(opened.world.context.lockOrderViolations, []);
}
