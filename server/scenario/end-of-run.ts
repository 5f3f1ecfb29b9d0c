/** What an execution came to: registers, page table, mirrors; and what of it is forbidden. */
import type { Failure } from '../explorer/failure.ts';
import type { Stuck } from '../explorer/stuck.ts';
import { isDevicePfn, ZERO_PFN } from '../kernel/memory/frames.ts';
import { readPte } from '../kernel/memory/page-table.ts';
import { pteKind } from '../kernel/memory/pte.ts';
import { checkAtRest } from '../machine/oracles/contract/watched-device.ts';
import { mirrorEntry } from '../machine/oracles/mirrors.ts';
import { pinsOf, type World } from '../machine/world.ts';
import type { RunningTask } from '../scheduler/scheduler.ts';
import type { PageIndex, Pfn } from '../vocabulary/address.ts';
import { type EndState, isMet, termsOf } from './condition.ts';
import { pageOfPlace } from './places.ts';
import type { ScenarioPlan } from './scenario-plan.ts';
import { stuckTasks } from './stuck-tasks.ts';
import { violationOf } from './watch-run.ts';

export interface EndView {
  readonly world: World;
  /** `actor.name` to value, for those that were set. */
  readonly registers: ReadonlyMap<string, string>;
  /** Private frames that drivers are ready to hand out again, for drivers that report them. */
  readonly freeFrames: () => ReadonlyMap<string, readonly Pfn[]>;
  /** Invalidations that drivers take to be in progress, where there are any. */
  readonly invalidating: () => ReadonlyMap<string, number>;
}

/** The first forbidden thing about the end of an execution, or 'none'. `stuck` are the tasks that wait for ever. */
export function failureAtEnd(
  plan: ScenarioPlan,
  end: EndView,
  stuck: readonly RunningTask[],
): Failure | 'none' {
  const { oracles, question } = plan;
  const breach = breachAtRest(end.world, stuck);
  if (breach !== 'none') return breach;
  const waiting = oracles.has('OR5') ? stuckTasks(plan, end.world, stuck) : 'none';
  if (waiting !== 'none') return stuckFailure(waiting);
  if (stuck.length === 0) {
    const rest = {
      pins: pinsOf(end.world),
      freeFrames: end.freeFrames(),
      invalidating: end.invalidating(),
    };
    for (const rule of oracles) {
      const [text] = end.world.oracles.atRest(rule, rest);
      if (text !== undefined) return { kind: 'violation', rule, text, actors: [] };
    }
  }
  if (question.kind === 'none') return 'none';
  if (!isMet(question.condition, endState(plan, end, stuck))) return 'none';
  const how = question.kind === 'forbid' ? 'forbidden' : 'reached';
  const actors = termsOf(question.condition).flatMap((term) =>
    term.kind === 'pte' ? [] : [term.actor],
  );
  return { kind: 'condition', how, condition: question.text, actors };
}

/** What the waiting tasks hold besides is left out: two ends with the same chain are one failure. */
function stuckFailure({ kind, chain, cycle }: Stuck): Failure {
  return {
    kind: 'stuck',
    how: kind,
    chain: chain.map(({ holds: _, ...waiting }) => waiting),
    cycle,
  };
}

/** What the driver contract finds wrong now that nothing goes on. */
function breachAtRest(
  { contract, oracles }: World,
  stuck: readonly RunningTask[],
): Failure | 'none' {
  if (contract === 'off') return 'none';
  const before = oracles.violations.length;
  checkAtRest(contract, new Set(stuck.map(({ identity }) => identity.id)));
  const [found] = oracles.violations.slice(before);
  return found === undefined ? 'none' : violationOf(found);
}

function endState(plan: ScenarioPlan, end: EndView, stuck: readonly RunningTask[]): EndState {
  const instances = (name: string): string[] =>
    plan.instances
      .filter((one) => one.name === name || one.template === name)
      .map((one) => one.name);
  return {
    stuck: stuck.length > 0,
    registers: (actor, register) =>
      instances(actor).flatMap((name) => end.registers.get(`${name}.${register}`) ?? []),
    pte: (place) => pteAt(end.world, pageOfPlace(plan.scenario, place)),
    mirrors: (actor, place) =>
      instances(actor).map((name) => mirrorAt(end.world, name, pageOfPlace(plan.scenario, place))),
  };
}

/** `reader.r0=0x0; a=device-private; reader: a=zero`: what distinguishes one end from another. */
export function describeEnd(plan: ScenarioPlan, end: EndView): string {
  const { world, registers } = end;
  const parts = plan.registers.flatMap((name) => {
    const value = registers.get(name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  for (const { name, page } of plan.pages) parts.push(`${name}=${pteAt(world, page)}`);
  for (const device of plan.devices) {
    for (const { name, page } of plan.pages) {
      const mirror = mirrorAt(world, device.name, page);
      if (mirror !== 'none') parts.push(`${device.name}:${name}=${mirror}`);
    }
  }
  return parts.join('; ');
}

function pteAt(world: World, page: PageIndex): string {
  return pteKind(readPte(world.mm.table, page));
}

/** 'none', 'zero', 'system' or 'private'. */
function mirrorAt(world: World, device: string, page: PageIndex): string {
  const entry = mirrorEntry(world.oracles.mirrors, device, page);
  if (entry.state === 'none') return 'none';
  if (entry.pfn === ZERO_PFN) return 'zero';
  return isDevicePfn(entry.pfn) ? 'private' : 'system';
}
