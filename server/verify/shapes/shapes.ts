/**
 * The catalogue of shapes: small worlds enumerated one by one, as diy does for memory models. A shape is what stands at
 * one page and a few actors with one operation each, up to the order of the actors; each is the data of a scenario.
 */
import type { Scenario, ScenarioActor } from '../../scenario/scenario-schema.ts';
import {
  CHILD,
  HOLDER,
  PAGE,
  SHAPE_MEMORIES,
  type ShapeMemory,
  TARGET,
  vmasOf,
} from './shape-memory.ts';
import { SHAPE_OPERATIONS, type ShapeOperation } from './shape-operations.ts';

export interface Shape {
  /** `cow-mirrored:store+migrate`. */
  readonly name: string;
  readonly memory: string;
  readonly operations: readonly string[];
  readonly scenario: Scenario;
}

/** The driver that keeps the contract: what goes wrong with it is the kernel's. */
const DRIVER = 'corrected';

/** Every shape with `size` operations. The memories take turns, so that a part of the catalogue is a part of each. */
export function* shapesOf(size: 2 | 3): Iterable<Shape> {
  for (const operations of combinations(SHAPE_OPERATIONS, size)) {
    for (const memory of SHAPE_MEMORIES) {
      const fits = operations.every(({ where }) => where === undefined || where(memory));
      if (fits) yield shape(memory, operations);
    }
  }
}

/** Unordered, and one operation may be there several times: by several actors. */
function* combinations<T>(all: readonly T[], size: number, from = 0): Iterable<readonly T[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let at = from; at < all.length; at += 1) {
    for (const others of combinations(all, size - 1, at)) yield [all[at] as T, ...others];
  }
}

function shape(memory: ShapeMemory, operations: readonly ShapeOperation[]): Shape {
  const names = operations.map(({ id }) => id);
  const name = `${memory.id}:${names.join('+')}`;
  return {
    name,
    memory: memory.id,
    operations: names,
    scenario: scenarioOf(name, memory, operations),
  };
}

/**
 * When all have done their part, a witness looks at what is left: a mistake that no step shows may show there. It
 * waits, so it multiplies nothing.
 */
function scenarioOf(
  name: string,
  memory: ShapeMemory,
  operations: readonly ShapeOperation[],
): Scenario {
  const acting = operations.map((operation, at) => actorOf(operation, at));
  const holders: ScenarioActor[] =
    memory.holder === 'none' ? [] : [{ name: HOLDER, kind: 'device', driver: DRIVER }];
  const threads = operations.flatMap(({ by, program }) => (by === 'child' ? [[...program]] : []));
  const children: ScenarioActor[] =
    memory.processes === 'one'
      ? []
      : [{ name: CHILD, kind: 'cpu', ...(threads.length === 0 ? {} : { threads }) }];
  const forked: ScenarioActor[] = operations.some(({ id }) => id === 'fork')
    ? [{ name: 'child2', kind: 'cpu', program: [{ do: 'load', at: PAGE, as: 'r' }] }]
    : [];
  const waitedFor = [
    ...acting.flatMap((one) => (one === 'child' ? [] : [one.name])),
    ...(threads.length === 0 ? [] : [CHILD]),
  ];
  return {
    name: name.replaceAll(/[^a-z0-9]+/g, '-'),
    title: name,
    provenance: 'the catalogue of shapes',
    machine: memory.machine,
    vmas: vmasOf(memory),
    setup: [
      { actor: 'cpu0', do: 'munmap', at: TARGET, pages: memory.machine.ptrsPerPte ?? 2 },
      ...memory.setup,
    ],
    actors: [
      { name: 'cpu0', kind: 'cpu' },
      ...holders,
      ...children,
      ...forked,
      ...acting.filter((one) => one !== 'child'),
      {
        name: 'witness',
        kind: 'cpu',
        program: [
          ...waitedFor.map((one) => ({ do: 'wait' as const, for: one })),
          { do: 'load', at: PAGE, as: 'r' },
          { do: 'load', at: TARGET, as: 's' },
        ],
      },
    ],
    expect: { patches: { stock: 'holds' } },
  };
}

/** The child is one actor with a thread for each of its operations. */
function actorOf({ by, program }: ShapeOperation, at: number): ScenarioActor | 'child' {
  if (by === 'child') return 'child';
  if (by === 'cpu') return { name: `cpu${at + 1}`, kind: 'cpu', program: [...program] };
  return { name: `dev${at}`, kind: 'device', driver: DRIVER, program: [...program] };
}
