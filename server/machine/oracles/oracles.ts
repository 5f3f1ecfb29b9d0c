/**
 * The oracles that watch a world: they read the event log and the kernel's state, and change nothing. A violation
 * becomes an event with both histories. Which there are is in all-oracles.ts.
 */

import type { MirrorEntry } from '../../abi/device-api.ts';
import type { Event, EventSink } from '../../abi/event.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { pageObject } from '../../kernel/memory/frames.ts';
import { touch } from '../../task/context.ts';
import type { PageIndex, Pfn } from '../../vocabulary/address.ts';
import type { EventLog } from '../event-log.ts';
import { ORACLES } from './all-oracles.ts';
import { historiesOf } from './history.ts';
import { type Mirrors, newMirrors, seenObject, setMirror } from './mirrors.ts';
import type { Oracle, OracleWatch, Rest, Watched } from './oracle.ts';
import { newRegisters, type Registers } from './registers.ts';

/** Violations that are written out in full; more of them only repeat the first. */
const VIOLATIONS_MAX = 1_000;
/** Violations of all oracles that are remembered. */
const VIOLATIONS_KEPT = 4_096;

export interface Oracles {
  readonly mirrors: Mirrors;
  readonly registers: Registers;
  /** Events of kind 'violation', in order: of these and of other oracles. */
  readonly violations: Extract<Event, { kind: 'violation' }>[];
  /** What each oracle remembers, by its id; `written`: how many violations are written out. */
  readonly keeps: () => { readonly [what: string]: object };
  /** A driver's page_free() is called. */
  readonly pageFreed: (device: string, pfn: Pfn) => void;
  /** What oracle `id` finds wrong now that nothing goes on any more, a sentence each. */
  readonly atRest: (id: string, rest: Rest) => readonly string[];
}

/** Starts to watch. */
export function watchWorld(k: Kernel, log: EventLog, emit: EventSink): Oracles {
  const mirrors = newMirrors();
  const registers = newRegisters(k);
  const violations: Oracles['violations'] = [];
  const written = { count: 0 };
  const report = reporter(log, emit, written);
  const watchers = new Map<string, OracleWatch>();
  for (const oracle of ORACLES) {
    const watched: Watched = {
      k,
      mirrors,
      registers,
      report: (found) => report(oracle, found),
    };
    const watcher = oracle.watch?.(watched);
    if (watcher !== undefined) watchers.set(oracle.id, watcher);
  }
  const looking = [...watchers.values()].flatMap(({ see }) => (see === undefined ? [] : [see]));
  log.listeners.push((event) => {
    if (event.kind === 'violation') {
      if (violations.length === VIOLATIONS_KEPT) violations.shift();
      violations.push(event);
    } else if (event.kind === 'mirror') followMirror(k, mirrors, event);
    for (let at = 0; at < looking.length; at += 1) looking[at]?.(event);
  });
  return {
    mirrors,
    registers,
    violations,
    keeps() {
      const kept = [...watchers].map(([id, { keeps }]): [string, object] => [id, keeps]);
      return { written, ...Object.fromEntries(kept) };
    },
    pageFreed(device, pfn) {
      for (const watcher of watchers.values()) watcher.pageFreed?.(device, pfn);
    },
    atRest: (id, rest) => watchers.get(id)?.atRest?.(rest) ?? [],
  };
}

function followMirror(
  { context }: Kernel,
  mirrors: Mirrors,
  { device, page: number, to }: Extract<Event, { kind: 'mirror' }>,
): void {
  const page = number as PageIndex;
  setMirror(mirrors, device, page, to as MirrorEntry);
  touch(context, seenObject(mirrors, device, page), 'write');
  // A frame that is freed is looked up in every mapping.
  if (to.state === 'mapped') touch(context, pageObject(to.pfn as Pfn), 'read');
}

function reporter(
  log: EventLog,
  emit: EventSink,
  written: { count: number },
): (oracle: Oracle, found: Parameters<Watched['report']>[0]) => void {
  return ({ id, name }, { text, device, page }) => {
    if (written.count === VIOLATIONS_MAX) return;
    written.count += 1;
    const { cpu, device: own } = historiesOf(log.kept, page, device);
    emit({
      kind: 'violation',
      oracle: name,
      rule: id,
      text,
      device,
      page,
      cpuHistory: cpu,
      deviceHistory: own,
    });
  };
}
