/**
 * The bodies of the HTTP routes, both ways. All JSON, all below /api; what fails answers an HttpError
 * (http-errors.ts). server/http registers the routes, and GET /docs is generated from these schemas.
 *
 * Over WebSocket an observer is told what LabControl says as the notification `control`; see
 * server-notifications.ts.
 */
import Type, { type Static } from 'typebox';
import { Event } from '../abi/event.ts';
import { KERNEL_IDS } from '../abi/kernel-ids.ts';
import { prose } from '../abi/prose.ts';
import { name, strict, word } from '../abi/scalars.ts';
import { joinCode } from './join-code.ts';
import { LabControl } from './lab-control.ts';

/** A longer request body is refused: too-large. */
export const HTTP_BODY_BYTES_MAX = 64 * 1024;
/** Milliseconds in which a request has to arrive as a whole. Then its connection is closed, with 408. */
export const HTTP_REQUEST_MS = 10_000;
/** Requests of one address in a second. One more is refused: too-many-requests. */
export const HTTP_REQUESTS_MAX = 2_000;
/** Milliseconds by which the event loop may be late, above which requests and hellos are put off: under-pressure. */
export const EVENT_LOOP_DELAY_MS_MAX = 5_000;
/** Event streams that are open at a time, over all labs. One more is refused: too-many-listeners. */
export const SSE_LISTENERS_MAX = 64;
/** Runs that are explored at a time, a thread each. */
export const RUNS_AT_ONCE_MAX = 2;
/** Runs that wait for a thread. One more is refused: too-many-runs. */
export const RUNS_WAITING_MAX = 8;
/** Runs that are done and still known; of more, the one that was looked at longest ago is forgotten. */
export const RUNS_KEPT_MAX = 64;
export const RUN_SECONDS_MAX = 120;
export const RUN_EXECUTIONS_MAX = 10_000_000;
/** Milliseconds by which the frames to and from a client can be held back. Less than half a lease. */
export const SLOW_MS_MAX = 4_000;
export const STEPS_PER_SECOND_MAX = 1_000;

const nullable = <Schema extends Type.TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
const count = Type.Integer({ minimum: 0 });
const words = Type.Array(Type.String());
const kernel = word(...KERNEL_IDS);

// Scenarios and patches.

const parameters = Type.Record(Type.String(), Type.Integer({ minimum: 0, maximum: 16 }), {
  maxProperties: 16,
});
const verdicts = Type.Record(Type.String(), word('holds', 'broken', 'unknown'));

export const ScenarioActorEntry = strict({
  name: Type.String(),
  kind: word('cpu', 'device'),
  driver: Type.Optional(Type.String({ description: 'the driver of a device' })),
  count: Type.Optional(
    Type.Union([Type.Integer(), Type.String()], {
      description: 'how many there are: a number, or a term of parameters',
    }),
  ),
  program: Type.Array(Type.String(), { description: 'its operations in words, in order' }),
});

export const ScenarioEntry = strict({
  name,
  title: Type.String(),
  provenance: Type.String(),
  parameters: Type.Record(Type.String(), Type.Integer()),
  actors: Type.Array(ScenarioActorEntry),
  expect: strict({ patches: verdicts, drivers: verdicts }),
});
export type ScenarioEntry = Static<typeof ScenarioEntry>;
export const ScenariosAnswer = strict({ scenarios: Type.Array(ScenarioEntry) });

export const PatchEntry = strict({
  id: Type.String(),
  summary: Type.String({ description: 'what it changes, in one sentence' }),
  provenance: Type.String({ description: 'list, subject, date, message-id' }),
});
export type PatchEntry = Static<typeof PatchEntry>;
export const KernelEntry = strict({
  id: Type.String(),
  source: Type.String({ description: 'what it was read from' }),
  recorded: word('recorded', 'read'),
  base: nullable(Type.String({ description: 'the kernel that the changes are made to' })),
  changes: Type.Array(
    strict({ since: Type.String(), commit: Type.String(), summary: Type.String() }),
  ),
});
export const KernelsAnswer = strict({ kernels: Type.Array(KernelEntry) });

export const PatchesAnswer = strict({ patches: Type.Array(PatchEntry) });

export const DriverEntry = strict({ name: Type.String(), summary: Type.String() });
export type DriverEntry = Static<typeof DriverEntry>;
export const DriversAnswer = strict({ drivers: Type.Array(DriverEntry) });

// Labs.

export const LabActorEntry = strict({
  name,
  role: word('device', 'cpu'),
  state: word('attached', 'away', 'fenced'),
  slowMs: Type.Integer({ description: 'by how much its frames are held back, each way' }),
  holding: Type.Integer({ description: 'how many of its tasks stand still after a hold' }),
});
export type LabActorEntry = Static<typeof LabActorEntry>;

/** A place that the scenario has for an actor. */
export const LabSeat = strict({
  name,
  role: word('device', 'cpu'),
  driver: nullable(Type.String()),
  program: words,
  taken: Type.Boolean(),
});
export type LabSeat = Static<typeof LabSeat>;

export const LabEntry = strict({
  name,
  code: joinCode,
  state: Type.Union([Type.Literal('open'), Type.Literal('restoring'), Type.Literal('damaged')], {
    description: prose(`
        restoring: it is led to where an earlier server left it, and takes clients in a moment. damaged: what it was
        cannot be restored here; it can be observed, and deleted by its presenter.
      `),
  }),
  why: Type.Optional(Type.String({ description: 'what is wrong with a damaged lab' })),
  kernel: Type.String(),
  patch: Type.String(),
  scenario: nullable(Type.String({ description: 'the scenario that it was made from' })),
  paused: Type.Boolean(),
  locked: Type.Boolean(),
  speed: LabControl.properties.speed,
  events: count,
  observers: count,
  actors: Type.Array(LabActorEntry),
});
export type LabEntry = Static<typeof LabEntry>;
export const LabsAnswer = strict({ labs: Type.Array(LabEntry) });
export const LabAnswer = strict({ lab: LabEntry });

/** What GET /api/labs/{lab} and every control action answer. */
export const LabDetail = strict({
  ...LabEntry.properties,
  tasks: LabControl.properties.tasks,
  tasksLeftOut: LabControl.properties.tasksLeftOut,
  seats: Type.Array(LabSeat),
  todo: Type.Array(Type.String(), {
    description: 'steps of the scenario’s setup that are for the devices that join, in words',
  }),
});
export type LabDetail = Static<typeof LabDetail>;

export const NewLab = strict({
  name: Type.Optional(name),
  scenario: Type.Optional(name),
  kernel: Type.Optional(kernel),
  patch: Type.Optional(name),
  parameters: Type.Optional(parameters),
});
export type NewLab = Static<typeof NewLab>;

export const NewLabAnswer = strict({
  lab: LabDetail,
  presenterToken: Type.String({
    description: 'secret: whoever has it may lock and delete the lab',
  }),
});
export type NewLabAnswer = Static<typeof NewLabAnswer>;

// Control.

const actor = name;
const action = <const Action extends string, const Fields extends Type.TProperties>(
  word: Action,
  fields: Fields,
) => strict({ action: Type.Literal(word), ...fields });

export const Control = Type.Union([
  /** From here on what arrives is taken in, and no task runs. Time stands still: no lease runs out. */
  action('pause', {}),
  action('resume', {}),
  /** One step of the task, or of the one that became ready first. Pauses nothing by itself. */
  action('step', { task: Type.Optional(Type.Integer({ minimum: 1 })) }),
  /** So many steps a second, the first that became ready next; 'full' is as before. */
  action('speed', {
    stepsPerSecond: Type.Union([
      Type.Literal('full'),
      Type.Number({ exclusiveMinimum: 0, maximum: STEPS_PER_SECOND_MAX }),
    ]),
  }),
  /** The next task of the actor that returns from the kernel function `after` stands still. */
  action('hold', {
    actor,
    after: Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'the name of a kernel function',
    }),
  }),
  action('go', { actor }),
  /** Only who has the presenter token may control, from here on. */
  action('lock', {}),
  action('unlock', {}),
  /** A new machine with this patch under the same clients. */
  action('patch', { patch: name, kernel: Type.Optional(kernel) }),
  /** A new machine, as the lab began. */
  action('restart', {}),
  /** Runs one verb of the client's own program. */
  action('perform', {
    actor,
    verb: Type.Object(
      { verb: Type.String({ minLength: 1, maxLength: 64 }) },
      {
        description: 'the verb and its arguments, as the client knows them',
      },
    ),
  }),
  /** Holds back each frame to and from the client; 0 ends it. */
  action('slow', { actor, ms: Type.Integer({ minimum: 0, maximum: SLOW_MS_MAX }) }),
  /** Drops the connection. The client may resume. */
  action('cut', { actor }),
]);
export type Control = Static<typeof Control>;

/** `performed` is what the actor answered to `perform`. */
export const ControlAnswer = strict({
  ...LabDetail.properties,
  performed: Type.Optional(Type.Unknown()),
});

// Runs.

export const STRATEGY_NAMES = ['dpor', 'dfs', 'random', 'pct', 'urw'] as const;

export const NewRun = strict({
  scenario: name,
  kernel: Type.Optional(kernel),
  patch: Type.Optional(name),
  driver: Type.Optional(
    Type.Array(
      Type.String({
        pattern: '^([A-Za-z0-9_.-]{1,64}=)?[A-Za-z0-9_.-]{1,64}$',
        description: 'NAME for all devices or ACTOR=NAME, with a driver that ships',
      }),
      { maxItems: 16 },
    ),
  ),
  parameters: Type.Optional(parameters),
  strategy: Type.Optional(word(...STRATEGY_NAMES)),
  seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 })),
  budgetSeconds: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: RUN_SECONDS_MAX })),
  budgetExecutions: Type.Optional(Type.Integer({ minimum: 1, maximum: RUN_EXECUTIONS_MAX })),
});
export type NewRun = Static<typeof NewRun>;

export const RunProgress = strict({
  executions: count,
  steps: count,
  done: Type.Number({ description: 'an estimate from 0 to 1' }),
});
export type RunProgress = Static<typeof RunProgress>;

/** The object that `mmrace explore --json` prints; it has more fields than are named here. */
export const RunVerdict = Type.Object(
  {
    scenario: Type.String(),
    kernel: Type.String(),
    patch: Type.String(),
    verdict: word('holds', 'broken', 'unknown'),
    bound: Type.String(),
    executions: count,
    steps: count,
    seconds: Type.Number(),
    windowEntered: count,
    counterexample: Type.Unknown(),
  },
  { additionalProperties: true },
);
export type RunVerdict = Static<typeof RunVerdict>;

export const RunEntry = strict({
  id: Type.String(),
  state: word('waiting', 'running', 'done', 'failed', 'cancelled'),
  question: NewRun,
  progress: RunProgress,
  verdict: Type.Optional(RunVerdict),
  failure: Type.Optional(Type.String({ description: 'why it failed' })),
});
export type RunEntry = Static<typeof RunEntry>;
export const RunAnswer = strict({ run: RunEntry });
export const RunsAnswer = strict({ runs: Type.Array(RunEntry) });

const told = {
  events: Type.Array(Event),
  /** For each event the number of the step that it belongs to, from 1. */
  stepOfEvent: Type.Array(count),
};

export const RunEvents = strict({
  /** What led to the state in which the exploring begins. */
  setup: Type.Array(Event),
  ...told,
  /** In order: the first is step 1. */
  steps: Type.Array(strict({ actor: Type.String(), name: Type.String(), at: Type.String() })),
  /** What failed, or null if nothing did: then an execution that did not fail is shown. */
  failure: nullable(Type.String()),
  /** After this step every continuation fails. */
  pointOfNoReturn: nullable(count),
  /** The nearest execution that does not fail. `swapped` are two runs of steps, by the numbers of the first. */
  sibling: nullable(
    strict({
      ...told,
      steps: Type.Array(strict({ actor: Type.String(), name: Type.String(), at: Type.String() })),
      swapped: Type.Array(strict({ first: count, last: count })),
    }),
  ),
});
export type RunEvents = Static<typeof RunEvents>;
