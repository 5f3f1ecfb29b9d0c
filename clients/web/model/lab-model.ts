/**
 * The state of a lab as its event log tells it: page tables, VMAs, who holds which lock, what is in flight.
 * State is a function of a snapshot and of the events behind it, so any moment can be had again.
 */
import type { Event, PteView } from '../../../server/abi/event.ts';
import type { LabSnapshot } from '../../../server/protocol/lab-snapshot.ts';
import {
  copyPageValues,
  noPageValues,
  type PageValues,
  seeAccess,
  seeEntry,
  seeViolation,
} from './page-values.ts';
import { applyVma, type SeenVma } from './vmas.ts';

export type PteEntry = PteView;
export type SeenMirror = Extract<Event, { kind: 'mirror' }>['to'];

export interface ActorOnPage {
  readonly role: 'device' | 'cpu';
  readonly state: 'attached' | 'away' | 'fenced';
}

/** An invalidation between its start and its end. */
interface OpenBracket {
  readonly id: number;
  readonly since: number;
  readonly mm: number;
  readonly first: number;
  readonly end: number;
  readonly event: string;
  readonly owner: string;
  readonly actor: string;
}

export interface SeenLockHolder {
  readonly actor: string;
  readonly task: string;
  readonly mode: string;
  readonly since: number;
}

/** From migrate_vma_setup() to migrate_vma_finalize(). */
export interface SeenMigration {
  readonly first: number;
  readonly end: number;
  readonly since: number;
}

/** What the kernel has asked a device and the device has not answered yet. */
export interface SeenQuestion {
  readonly device: string;
  readonly asker: string;
  readonly task: string;
  readonly function: string;
  readonly since: number;
}

export interface LabModel {
  /** The last event that this state contains. */
  n: number;
  patch: string;
  readonly actors: Map<string, ActorOnPage>;
  /** By mm, then page: what is not 'none'. */
  readonly cpu: Map<number, Map<number, PteEntry>>;
  /** By device, then page: what is not 'none'. */
  readonly devices: Map<string, Map<number, SeenMirror>>;
  vmas: readonly SeenVma[];
  readonly brackets: Map<number, OpenBracket>;
  readonly locks: Map<string, readonly SeenLockHolder[]>;
  readonly migrations: Map<string, readonly SeenMigration[]>;
  readonly questions: Map<string, SeenQuestion>;
  /** Of private frames: the device whose memory they are. */
  readonly frameOwners: Map<number, string>;
  readonly values: PageValues;
}

export function emptyModel(patch: string): LabModel {
  return {
    n: 0,
    patch,
    actors: new Map(),
    cpu: new Map([[0, new Map()]]),
    devices: new Map(),
    vmas: [],
    brackets: new Map(),
    locks: new Map(),
    migrations: new Map(),
    questions: new Map(),
    frameOwners: new Map(),
    values: noPageValues(),
  };
}

export function modelOfSnapshot(snapshot: LabSnapshot): LabModel {
  const model = emptyModel(snapshot.patch);
  model.n = snapshot.n;
  for (const { name, role, state } of snapshot.actors) {
    model.actors.set(name, { role, state });
    if (role === 'device') model.devices.set(name, new Map());
  }
  for (const { mm, page, entry } of snapshot.ptes) {
    setPte(model, mm, page, entry as PteEntry);
  }
  for (const { device, page, entry } of snapshot.mirrors) {
    setMirror(model, device, page, entry as SeenMirror);
  }
  model.vmas = snapshot.vmas.map((vma) => ({ ...vma, kind: '' }));
  return model;
}

export function copyModel(model: LabModel): LabModel {
  return {
    ...model,
    actors: new Map(model.actors),
    cpu: copyTables(model.cpu),
    devices: copyTables(model.devices),
    brackets: new Map(model.brackets),
    locks: new Map(model.locks),
    migrations: new Map(model.migrations),
    questions: new Map(model.questions),
    frameOwners: new Map(model.frameOwners),
    values: copyPageValues(model.values),
  };
}

/** Changes `model` to what it is after `event`. */
export function applyEvent(model: LabModel, event: Event): void {
  model.n = event.n;
  switch (event.kind) {
    case 'pte':
      setPte(model, event.mm, event.page, event.to);
      if (event.mm === 0) seeEntry(model.values, event.page, event.from, event.to);
      break;
    case 'mirror':
      setMirror(model, event.device, event.page, event.to);
      break;
    case 'vma':
      model.vmas = applyVma(model.vmas, event);
      break;
    case 'invalidate_range_start': {
      const { id, n: since, mm, first, end, event: why, owner, actor } = event;
      model.brackets.set(id, { id, since, mm, first, end, event: why, owner, actor });
      break;
    }
    case 'invalidate_range_end':
      model.brackets.delete(event.id);
      break;
    case 'lock':
      takeLock(model, event);
      break;
    case 'unlock':
      releaseLock(model, event);
      break;
    case 'call':
      if (event.function === 'migrate_vma_setup') beginMigration(model, event);
      break;
    case 'return':
      if (event.function === 'migrate_vma_setup' && event.result !== 'OK') {
        endMigration(model, migratingDevice(model, event), 'newest');
      }
      break;
    case 'migration-end':
      endMigration(model, event.device, 'oldest');
      break;
    case 'callback':
      // Who is asked is a device, whether or not its coming was seen.
      if (!model.devices.has(event.device)) model.devices.set(event.device, new Map());
      model.questions.set(questionKey(event), {
        device: event.device,
        asker: event.actor,
        task: event.task,
        function: event.function,
        since: event.n,
      });
      break;
    case 'callback-return':
      model.questions.delete(questionKey(event));
      break;
    case 'frame-alloc':
      if (event.task === 'zone_device_page_init') model.frameOwners.set(event.pfn, event.actor);
      break;
    case 'frame-free':
      model.frameOwners.delete(event.pfn);
      model.values.frames.delete(event.pfn);
      break;
    case 'attach':
    case 'detach':
    case 'fenced':
      comeAndGo(model, event);
      break;
    case 'device-access':
      seeAccess(model.values, event, isCopy(model, event) ? 'copy' : 'access');
      break;
    case 'cpu-access':
    case 'pin-access':
      seeAccess(model.values, event, 'access');
      break;
    case 'violation':
      seeViolation(model.values, event);
      break;
    case 'signal':
    case 'fault':
    case 'tlb-flush':
    case 'note':
      break;
  }
}

/** A device that reaches a page which it migrates copies it. */
function isCopy(model: LabModel, event: Extract<Event, { kind: 'device-access' }>): boolean {
  const entry = model.devices.get(event.device)?.get(event.page);
  return entry?.state !== 'mapped' || entry.pfn !== event.pfn;
}

/** Whose migration a call belongs to. In a lab a device that is asked to give a page back runs in the asking task. */
export function migratingDevice(
  model: LabModel,
  { actor, task }: { readonly actor: string; readonly task: string },
): string {
  for (const asked of model.questions.values()) {
    const isHere = asked.asker === actor && asked.task === task;
    if (isHere && asked.function === 'migrate_to_ram') return asked.device;
  }
  return actor;
}

function comeAndGo(
  model: LabModel,
  event: Extract<Event, { kind: 'attach' | 'detach' | 'fenced' }>,
): void {
  if (event.kind === 'attach') {
    const role = event.role === 'device' ? 'device' : 'cpu';
    model.actors.set(event.actor, { role, state: 'attached' });
    if (role === 'device') model.devices.set(event.actor, new Map());
  } else if (event.kind === 'detach') {
    model.actors.delete(event.actor);
    model.devices.delete(event.actor);
    model.migrations.delete(event.actor);
  } else {
    model.actors.set(event.device, { role: 'device', state: 'fenced' });
    for (const [key, { device }] of model.questions) {
      if (device === event.device) model.questions.delete(key);
    }
  }
}

function setPte(model: LabModel, mm: number, page: number, entry: PteEntry): void {
  setEntry(model.cpu, mm, page, entry);
}

function setMirror(model: LabModel, device: string, page: number, entry: SeenMirror): void {
  setEntry(model.devices, device, page, entry);
}

function setEntry<Key, Entry extends { readonly state: string }>(
  tables: Map<Key, Map<number, Entry>>,
  key: Key,
  page: number,
  entry: Entry,
): void {
  let table = tables.get(key);
  if (table === undefined) {
    table = new Map();
    tables.set(key, table);
  }
  if (entry.state === 'none') table.delete(page);
  else table.set(page, entry);
}

function takeLock(model: LabModel, event: Extract<Event, { kind: 'lock' }>): void {
  const holder = { actor: event.actor, task: event.task, mode: event.mode, since: event.n };
  model.locks.set(event.lock, [...(model.locks.get(event.lock) ?? []), holder]);
}

function releaseLock(model: LabModel, event: Extract<Event, { kind: 'unlock' }>): void {
  const holders = model.locks.get(event.lock) ?? [];
  const at = lastHolder(holders, event);
  const left = holders.filter((_, index) => index !== at);
  if (left.length === 0) model.locks.delete(event.lock);
  else model.locks.set(event.lock, left);
}

/** The task itself, or another one of its actor: an mmap_lock is let go of by a later request. */
function lastHolder(
  holders: readonly SeenLockHolder[],
  { actor, task }: { readonly actor: string; readonly task: string },
): number {
  const own = holders.findLastIndex((holder) => holder.actor === actor && holder.task === task);
  if (own >= 0) return own;
  const sameActor = holders.findLastIndex((holder) => holder.actor === actor);
  return sameActor >= 0 ? sameActor : holders.length - 1;
}

function beginMigration(model: LabModel, event: Extract<Event, { kind: 'call' }>): void {
  const { first, end } = event.args;
  if (typeof first !== 'number' || typeof end !== 'number') return;
  const owner = migratingDevice(model, event);
  const open = model.migrations.get(owner) ?? [];
  model.migrations.set(owner, [...open, { first, end, since: event.n }]);
}

function endMigration(model: LabModel, device: string, which: 'oldest' | 'newest'): void {
  const open = model.migrations.get(device) ?? [];
  const left = which === 'oldest' ? open.slice(1) : open.slice(0, -1);
  if (left.length === 0) model.migrations.delete(device);
  else model.migrations.set(device, left);
}

function questionKey(event: { readonly device: string; readonly task: string }): string {
  return `${event.device}\n${event.task}`;
}

function copyTables<Key, Entry>(
  tables: ReadonlyMap<Key, ReadonlyMap<number, Entry>>,
): Map<Key, Map<number, Entry>> {
  return new Map([...tables].map(([key, table]) => [key, new Map(table)]));
}
