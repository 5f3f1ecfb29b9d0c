/**
 * The catalogue of shapes: small worlds enumerated one by one, as diy does for memory models. A shape is what stands at
 * one place and a few actors with one operation each, up to the order of the actors; each is the data of a scenario.
 */
import type { Scenario, ScenarioActor } from '../../scenario/scenario-schema.ts';
import {
  CHILD,
  HOLDER,
  MONITOR,
  PINNER,
  SHAPE_MEMORIES,
  type ShapeMemory,
  TARGET,
} from './shape-memory.ts';
import {
  ANSWER,
  DENIED,
  fits,
  forkedBy,
  SHAPE_OPERATIONS,
  type ShapeOperation,
  second,
} from './shape-operations.ts';

export interface Shape {
  /** `cow-mirrored:store+migrate`. */
  readonly name: string;
  readonly memory: string;
  readonly operations: readonly string[];
  /** The devices have a driver that was chosen, which need not know every verb. */
  readonly devices?: 'chosen';
}

/** Operations of one shape. Size 1 is what each does alone. */
export type ShapeSize = 1 | 2 | 3;
export const SHAPE_SIZES: readonly ShapeSize[] = [1, 2, 3];

/** The driver that keeps the contract: what goes wrong with it is the kernel's. */
const DRIVER = 'corrected';
/** Whose the memory is of devices that share an owner. */
const INTERCONNECT = 'hive';
const MEMORIES = new Map(SHAPE_MEMORIES.map((memory) => [memory.id, memory]));
const OPERATIONS = new Map(SHAPE_OPERATIONS.map((operation) => [operation.id, operation]));

/** Every shape with `size` operations. The memories take turns, so that a part of the catalogue is a part of each. */
export function* shapesOf(size: ShapeSize): Iterable<Shape> {
  for (const operations of combinations(SHAPE_OPERATIONS, size)) {
    for (const memory of SHAPE_MEMORIES) {
      if (!operations.every((operation) => fits(operation, memory))) continue;
      yield shapeOf(
        memory.id,
        operations.map(({ id }) => id),
      );
    }
  }
}

/** The same with a chosen driver in the place of the one that keeps the contract; 'none' if it brings its own. */
export function withChosenDriver(shape: Shape): Shape | 'none' {
  const brings = shape.operations.some((id) => OPERATIONS.get(id)?.driver !== undefined);
  return brings ? 'none' : { ...shape, devices: 'chosen' };
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

/** By the ids of its memory and of its operations, which must be in the order of the catalogue. */
export function shapeOf(memory: string, operations: readonly string[]): Shape {
  return { name: `${memory}:${operations.join('+')}`, memory, operations };
}

/** Its operations may come in any order. Throws: RangeError for a name that is not in the catalogue. */
export function shapeNamed(name: string): Shape {
  const [memory = '', operations = ''] = name.split(':');
  const order = [...OPERATIONS.keys()];
  const sorted = operations.split('+').sort((a, b) => order.indexOf(a) - order.indexOf(b));
  const shape = shapeOf(memory, sorted);
  scenarioOfShape(shape);
  return shape;
}

/** Throws: RangeError for a name that is not in the catalogue. */
export function scenarioOfShape({ name, memory: id, operations, devices }: Shape): Scenario {
  const memory = MEMORIES.get(id);
  const found = operations.flatMap((operation) => OPERATIONS.get(operation) ?? []);
  if (memory === undefined || found.length !== operations.length) {
    throw new RangeError(`there is no shape ${name}`);
  }
  return scenarioOf(name, memory, found, devices ?? 'as they are');
}

/**
 * When all have done their part, a witness looks at what is left: a mistake that no step shows may show there. It
 * waits, so it multiplies nothing.
 */
function scenarioOf(
  name: string,
  memory: ShapeMemory,
  operations: readonly ShapeOperation[],
  devicesAre: 'chosen' | 'as they are',
): Scenario {
  const acting = operations.flatMap((operation, at) => actorOf(memory, operation, at));
  const idle = [
    ...(memory.holder === 'none' ? [] : [deviceWith(memory, HOLDER, threadsBy('holder'))]),
    ...(memory.setup.some((op) => op.do === 'fork') ? [cpuWith(CHILD, threadsBy('child'))] : []),
  ];
  const forked = operations.flatMap(({ id }, at): ScenarioActor[] =>
    id === 'fork'
      ? [
          {
            name: forkedBy(at),
            kind: 'cpu',
            program: [{ do: 'load', at: memory.page, as: ANSWER }],
          },
        ]
      : [],
  );
  const warming = acting
    .filter(({ kind }) => memory.tlbs === 'warm' && kind === 'cpu')
    .flatMap(({ name: actor }) =>
      (memory.pages === 1 ? [memory.page] : [memory.page, second(memory.page)]).map((at) => ({
        actor,
        do: 'load' as const,
        at,
      })),
    );
  const moving = [
    ...memory.setup,
    ...operations.flatMap(({ program }, at) => program(memory, at)),
  ].some((op) => op.do === 'mremap');
  const prepared = operations.flatMap(({ setup }) => (setup === undefined ? [] : [setup(memory)]));
  const { pages } = memory.vmas.find(({ name: one }) => one === TARGET) ?? { pages: 1 };
  const unmapped = { actor: 'cpu0', do: 'munmap' as const, at: TARGET, pages };
  const forbidden = [
    ...deniedIn(operations),
    ...refusedIn(memory, operations, devicesAre),
    // A monitor fills it with something else.
    ...(memory.filledBy === 'monitor' && operations.every(({ fills }) => fills === undefined)
      ? [`witness.${ANSWER} = 0`]
      : []),
  ];
  const devices = [...acting, ...idle].filter(({ kind }) => kind === 'device').length;
  const few = memory.deviceFrames === 'one each' && devices > 0;
  const pinner = cpuWith(PINNER, threadsBy('pinner'));
  const waitedFor = [...acting, ...[pinner, ...idle].filter((one) => one.threads !== undefined)];
  return {
    name: name.replaceAll(/[^a-z0-9]+/g, '-'),
    title: name,
    provenance: 'the catalogue of shapes',
    machine: few ? { ...memory.machine, devicePages: devices } : memory.machine,
    vmas: [...memory.vmas],
    setup: [...(moving ? [unmapped] : []), ...memory.setup, ...prepared, ...warming],
    ...(forbidden.length === 0 ? {} : { condition: { forbid: forbidden.join(' or ') } }),
    actors: [
      pinner,
      ...idle,
      ...forked,
      ...(memory.filledBy === 'monitor' ? [MONITORS] : []),
      ...acting,
      {
        name: 'witness',
        kind: 'cpu',
        program: [
          ...waitedFor.map((one) => ({ do: 'wait' as const, for: one.name })),
          { do: 'load', at: memory.page, as: ANSWER },
          ...(moving ? [{ do: 'load' as const, at: memory.target, as: 's' }] : []),
        ],
      },
    ],
    expect: { patches: { stock: 'holds' } },
  };

  function threadsBy(who: ShapeOperation['by']) {
    return operations.flatMap(({ by, program }, at) =>
      by === who ? [[...program(memory, at)]] : [],
    );
  }
}

const MONITORS: ScenarioActor = {
  name: MONITOR,
  kind: 'cpu',
  program: [{ do: 'uffd-copy', at: 'a', value: 5 }],
};

/** Who alone changes the rights of a process must see them changed. */
function deniedIn(operations: readonly ShapeOperation[]): string[] {
  const inOneProcess = (a: ShapeOperation, b: ShapeOperation) =>
    (a.by === 'child') === (b.by === 'child');
  return operations.flatMap((operation, at) => {
    const { rights } = operation;
    const others = operations.filter((_, other) => other !== at);
    if (rights === undefined || rights === 'rw') return [];
    if (others.some((other) => other.rights !== undefined && inOneProcess(other, operation)))
      return [];
    return [`${nameOf(operation, at)}.${DENIED} != SIGSEGV`];
  });
}

/** Answers that say: there is nothing, or you may not. Collisions are none of them. */
const REFUSALS = ['SIGSEGV', 'SIGBUS', 'EFAULT', 'EINVAL', 'EPERM'];

/** Who is refused although no operation takes the place, the right to it or the last frame. */
function refusedIn(
  memory: ShapeMemory,
  operations: readonly ShapeOperation[],
  devices: 'chosen' | 'as they are',
): string[] {
  if (memory.machine.systemPages !== undefined) return [];
  const programs = operations.flatMap(({ program }, at) => program(memory, at));
  const isFork = (op: { readonly do: string }) => op.do === 'fork';
  const limited = (process: string) =>
    memory.setup.some((op) => op.do === 'mprotect' && (op.actor === CHILD) === (process === CHILD));
  const answering = operations.flatMap((operation, at) => {
    const answers = operation.program(memory, at).some((op) => 'as' in op && op.as === ANSWER);
    if (!answers) return [];
    const others = operations.filter((other, place) => {
      const same = (other.by === 'child') === (operation.by === 'child');
      return place !== at && same && (other.takes !== undefined || other.rights !== undefined);
    });
    const process = operation.by === 'child' ? CHILD : 'parent';
    const { by } = operation;
    // A device's look may not wait for a monitor.
    const cannotWait = memory.filledBy === 'monitor' && by === 'device';
    // What a peer has for reading alone is shown to others, and not faulted (hmm_vma_handle_pte).
    const isShown =
      memory.deviceOwner === 'shared' &&
      [...memory.setup, ...programs].some(isFork) &&
      by === 'device';
    const mayBeRefused = others.length > 0 || limited(process) || cannotWait || isShown;
    const mayNotKnow = devices === 'chosen' && (by === 'device' || by === 'holder');
    return [{ actor: nameOf(operation, at), mayBeRefused, mayNotKnow }];
  });
  // Operations of one actor answer into one register: what one of them may be told is no mistake there.
  const excused = new Set(answering.filter((one) => one.mayBeRefused).map(({ actor }) => actor));
  return answering
    .filter(({ actor }) => !excused.has(actor))
    .flatMap(({ actor, mayNotKnow }) =>
      REFUSALS.filter((word) => !mayNotKnow || word !== 'EINVAL').map(
        (word) => `${actor}.${ANSWER} = ${word}`,
      ),
    );
}

function nameOf({ by }: ShapeOperation, at: number): string {
  switch (by) {
    case 'child':
      return CHILD;
    case 'holder':
      return HOLDER;
    case 'pinner':
      return PINNER;
    case 'cpu':
      return actorName(at);
    case 'kernel':
      return `kthread${at + 1}`;
    case 'device':
      return `dev${at}`;
  }
}

type Threads = NonNullable<ScenarioActor['threads']>;

function deviceWith(memory: ShapeMemory, name: string, threads: Threads): ScenarioActor {
  return {
    name,
    kind: 'device',
    driver: DRIVER,
    ...privateMemoryOf(memory),
    ...(threads.length === 0 ? {} : { threads }),
  };
}

function cpuWith(name: string, threads: Threads): ScenarioActor {
  return { name, kind: 'cpu', ...(threads.length === 0 ? {} : { threads }) };
}

function actorName(at: number): string {
  return `cpu${at + 1}`;
}

/** Who is there already is one actor with a thread for each of its operations. */
function actorOf(memory: ShapeMemory, operation: ShapeOperation, at: number): ScenarioActor[] {
  const { by, program, driver = DRIVER } = operation;
  switch (by) {
    case 'child':
    case 'holder':
    case 'pinner':
      return [];
    case 'cpu':
      return [{ name: nameOf(operation, at), kind: 'cpu', program: [...program(memory, at)] }];
    case 'kernel':
      return [{ name: nameOf(operation, at), kind: 'kernel', program: [...program(memory, at)] }];
    case 'device':
      return [
        {
          name: nameOf(operation, at),
          kind: 'device',
          driver,
          ...privateMemoryOf(memory),
          program: [...program(memory, at)],
        },
      ];
  }
}

function privateMemoryOf({
  deviceFrames,
  deviceOwner,
}: ShapeMemory): Pick<ScenarioActor, 'memoryPages' | 'pgmapOwner'> {
  return {
    ...(deviceFrames === 'enough' ? {} : { memoryPages: 1 }),
    ...(deviceOwner === 'shared' ? { pgmapOwner: INTERCONNECT } : {}),
  };
}
