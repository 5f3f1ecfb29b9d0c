/**
 * What a scenario file may say. Written once: it gives the types, checks the files, and is published as
 * scenarios/scenario.schema.json for editors. `description` completes the sentence "expected ...".
 */
import { type Static, Type } from 'typebox';
import { KERNEL_IDS } from '../abi/kernel-ids.ts';
import { described, hexU64, name, strict, word } from '../abi/scalars.ts';
import { ORACLES } from '../machine/oracles/all-oracles.ts';
import { RunSheet } from '../protocol/run-sheet.ts';
import { OPS, type Op, place, text } from './op-schema.ts';

/** The kinds of events that a window may name: what EventBody (server/abi/event.ts) has to offer about memory. */
const EVENT_KINDS = [
  'call',
  'return',
  'callback',
  'callback-return',
  'pte',
  'invalidate_range_start',
  'invalidate_range_end',
  'migration-end',
  'mirror',
  'device-access',
  'cpu-access',
  'pin-access',
  'signal',
  'fault',
  'tlb-flush',
  'frame-alloc',
  'frame-free',
  'vma',
] as const;

/** Actors of one scenario: each more multiplies the interleavings. */
export const SCENARIO_ACTORS_MAX = 16;
const OPS_MAX = 64;
const VMAS_MAX = 16;
const PAGES_MAX = 512;

const FILES_MAX = 8;

/** Numbered races of the museum. */
export const MUSEUM_RACES = 50;

/** An operation that an actor does before the exploring begins. */
export type SetupOp = Op & { readonly actor: string };

const count = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum });

export const VERDICTS = ['holds', 'broken', 'unknown'] as const;
export type VerdictWord = (typeof VERDICTS)[number];

/** A tmpfs file, whose pages are in memory: `words` are the first u64 of each. */
const file = strict({
  id: count(0, 63),
  words: Type.Array(hexU64, { minItems: 1, maxItems: PAGES_MAX }),
});

const machine = strict({
  kernel: Type.Optional(word(...KERNEL_IDS)),
  patch: Type.Optional(Type.Union([name, Type.Array(name, { minItems: 1, maxItems: 16 })])),
  systemPages: Type.Optional(count(1, 2 ** 20)),
  devicePages: Type.Optional(count(1, 2 ** 18)),
  swapSlots: Type.Optional(count(0, 2 ** 20)),
  thp: Type.Optional(word('always', 'never')),
  ptrsPerPte: Type.Optional(
    Type.Unsafe<number>({
      enum: [2, 4, 8, 16, 32, 64, 128, 256, 512],
      description: 'a power of two from 2 to 512',
    }),
  ),
  files: Type.Optional(Type.Array(file, { maxItems: FILES_MAX })),
});

const vma = strict({
  name,
  address: Type.Integer({
    minimum: 0,
    maximum: 2 ** 47 - 4096,
    multipleOf: 4096,
    description: 'an address that is a multiple of 4096, below 2^47',
  }),
  pages: count(1, PAGES_MAX),
  prot: word('none', 'r', 'rw'),
  kind: word('anon-private', 'anon-shared', 'file-private', 'file-shared'),
  file: Type.Optional(count(0, 63)),
  offset: Type.Optional(count(0, PAGES_MAX)),
});

export const op = Type.Unsafe<Op>(Type.Union([...OPS]));
export const setupOp = Type.Unsafe<SetupOp>(
  Type.Union(OPS.map((one) => strict({ actor: name, ...one.properties }))),
);
const program = Type.Array(op, { minItems: 1, maxItems: OPS_MAX });

const actor = strict({
  name,
  kind: word('cpu', 'device', 'kernel'),
  driver: Type.Optional(name),
  memoryPages: Type.Optional(count(1, 4096)),
  pgmapOwner: Type.Optional(
    described(name, 'the owner of its private memory, where devices share one (an interconnect)'),
  ),
  count: Type.Optional(
    Type.Union([
      count(1, SCENARIO_ACTORS_MAX),
      Type.String({
        pattern: '^[a-z][A-Za-z0-9]*( - [a-z][A-Za-z0-9]*)?$',
        description: 'a parameter, or one parameter minus another',
      }),
    ]),
  ),
  program: Type.Optional(program),
  threads: Type.Optional(Type.Array(program, { minItems: 1, maxItems: 8 })),
});

const matcher = strict({
  event: word(...EVENT_KINDS),
  function: Type.Optional(text(64)),
  by: Type.Optional(name),
  at: Type.Optional(place),
  to: Type.Optional(text(32)),
  result: Type.Optional(text(32)),
});

/** Its place in the museum, docs/MUSEUM.md: a race that was there, or a hypothesis. */
const museum = Type.Union([
  count(1, MUSEUM_RACES),
  Type.String({ pattern: '^H[1-8]$', description: 'the number of a race, or H1 to H8' }),
]);

const expression = text(1024);
const verdict = word(...VERDICTS);
const verdicts = Type.Record(Type.String(), verdict);

export const Scenario = strict({
  name,
  title: text(120),
  provenance: text(2000),
  museum: Type.Optional(museum),
  story: Type.Optional(text(2000)),
  affects: Type.Optional(text(120)),
  parameters: Type.Optional(Type.Record(Type.String(), count(0, SCENARIO_ACTORS_MAX))),
  machine: Type.Optional(machine),
  vmas: Type.Array(vma, { minItems: 1, maxItems: VMAS_MAX }),
  setup: Type.Optional(Type.Array(setupOp, { maxItems: OPS_MAX })),
  actors: Type.Array(actor, { minItems: 1, maxItems: SCENARIO_ACTORS_MAX }),
  sheet: Type.Optional(RunSheet),
  window: Type.Optional(Type.Array(matcher, { minItems: 1, maxItems: 16 })),
  condition: Type.Optional(
    Type.Union([strict({ forbid: expression }), strict({ exists: expression })]),
  ),
  oracles: Type.Optional(
    Type.Array(word(...ORACLES.map(({ id }) => id)), { maxItems: ORACLES.length }),
  ),
  bounds: Type.Optional(
    strict({
      executions: Type.Optional(count(1, 2 ** 40)),
      steps: Type.Optional(count(1, 1_000_000)),
      preemptions: Type.Optional(count(0, 64)),
      retries: Type.Optional(count(1, 1000)),
      faults: Type.Optional(count(1, 10_000)),
    }),
  ),
  expect: strict({
    patches: Type.Optional(verdicts),
    drivers: Type.Optional(verdicts),
  }),
});

export type Scenario = Static<typeof Scenario>;
export type ScenarioActor = Static<typeof actor>;
export type ScenarioVma = Static<typeof vma>;
export type Matcher = Static<typeof matcher>;
