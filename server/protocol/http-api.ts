/**
 * The bodies of the HTTP routes, both ways. All JSON, all below /api; what fails answers an HttpError
 * (http-errors.ts). server/http registers the routes, and GET /docs is generated from these schemas.
 *
 * Over WebSocket an observer gets what LabControl says as the notification `control`; see
 * server-notifications.ts.
 */
import { type Static, Type } from 'typebox';
import { Event } from '../abi/event.ts';
import { KERNEL_IDS } from '../abi/kernel-ids.ts';
import { prose } from '../abi/prose.ts';
import { described, name, strict, word } from '../abi/scalars.ts';
import { joinCode } from './join-code.ts';
import { LabControl, LabLed, LabVote, VOTE_CHOICES_MAX, VoteChoice } from './lab-control.ts';
import { LAB_TIMES_MS_MAX, LAB_TIMES_MS_MIN } from './limits.ts';
import { LabSheet } from './run-sheet.ts';
import { CONDUCTOR_QUESTIONS } from './server-questions.ts';

/** One patch, or several in the order in which they are applied. */
const patch = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*( \\+ [A-Za-z0-9][A-Za-z0-9_.-]*){0,15}$',
  maxLength: 1_000,
  description: '`stock`, a patch that ships, or several: `a + b`',
});

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
/** Events that one answer has of a lab's history. */
export const HISTORY_EVENTS_MAX = 4_096;
/** Requests that wait for a recording to be read. One more is refused: too-many-histories. */
export const HISTORIES_WAITING_MAX = 8;
/** Runs that are explored at a time, a thread each. */
export const RUNS_AT_ONCE_MAX = 2;
/** Runs that wait for a thread. One more is refused: too-many-runs. */
export const RUNS_WAITING_MAX = 8;
/** Runs that are done and still known; of more, the one that was looked at longest ago is forgotten. */
export const RUNS_KEPT_MAX = 64;
export const RUN_SECONDS_MAX = 120;
export const RUN_EXECUTIONS_MAX = 10_000_000;
export const RUN_PREEMPTIONS_MAX = 64;
/** Characters of a scenario that a request brings; longer ones are for the command line. */
export const SCENARIO_CHARS_MAX = 48 * 1024;
/** Characters of a patch that a request brings; longer ones are for the command line. */
export const PATCH_CHARS_MAX = 48 * 1024;
/** Milliseconds by which the frames to and from a client can be held back. Less than half a lease. */
export const SLOW_MS_MAX = 4_000;
export const STEPS_PER_SECOND_MAX = 1_000;

/** Characters of a label: a stage has room for so many. */
export const LABEL_CHARS_MAX = 16;

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
  kind: word('cpu', 'device', 'kernel'),
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
  museum: Type.Optional(
    Type.Union([Type.Integer(), Type.String()], {
      description: 'the race that it shows: a number of docs/MUSEUM.md, or H1 to H8',
    }),
  ),
  story: Type.Optional(Type.String({ description: 'what happens, told for people' })),
  affects: Type.Optional(Type.String({ description: 'the kernels that had the race' })),
  parameters: Type.Record(Type.String(), Type.Integer()),
  actors: Type.Array(ScenarioActorEntry),
  expect: strict({ patches: verdicts, drivers: verdicts }),
});
export type ScenarioEntry = Static<typeof ScenarioEntry>;
export const ScenariosAnswer = strict({ scenarios: Type.Array(ScenarioEntry) });

const scenarioText = Type.String({
  maxLength: SCENARIO_CHARS_MAX,
  description: 'a scenario as YAML, as the files of scenarios/ are',
});
export const ScenarioText = strict({ text: scenarioText });
export type ScenarioText = Static<typeof ScenarioText>;

/** Lines and columns count from 1. */
export const ScenarioProblem = strict({
  line: count,
  column: count,
  path: Type.String(),
  message: Type.String(),
});
export type ScenarioProblem = Static<typeof ScenarioProblem>;

export const ScenarioCheck = strict({
  problems: Type.Array(ScenarioProblem),
  scenario: Type.Optional(described(ScenarioEntry, 'What it says, if nothing is wrong with it.')),
});
export type ScenarioCheck = Static<typeof ScenarioCheck>;

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

export const PatchesAnswer = strict({
  patches: Type.Array(PatchEntry),
  ownCode: described(
    word('taken', 'refused'),
    'Whether a run may bring a patch of its own: on loopback, or with the token of the server.',
  ),
});
export const FunctionsAnswer = strict({
  functions: Type.Array(Type.String(), { description: 'those that a patch may replace, sorted' }),
});
export const FunctionAnswer = strict({
  name: Type.String(),
  text: Type.String({ description: 'a patch that replaces it by itself, to begin with' }),
});
export const PatchAnswer = strict({
  patch: PatchEntry,
  diff: Type.String({ description: 'the functions that it changes, against those of stock' }),
  source: Type.String({ description: 'the file of the patch' }),
});

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
  roundTripMs: nullable(
    Type.Integer({
      minimum: 0,
      description: 'from the last ping of the server to its pong; null before the first',
    }),
  ),
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
  joinBy: described(
    word('name', 'code'),
    'What a hello, and requests without a token, call it: where the server has a token, its code.',
  ),
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
export const LabElsewhere = strict({
  name,
  code: joinCode,
  address: Type.String({ description: 'of its server: http://10.0.0.2:7070' }),
});
export type LabElsewhere = Static<typeof LabElsewhere>;
export const LabsAnswer = strict({
  labs: Type.Array(LabEntry),
  elsewhere: Type.Array(LabElsewhere, { description: 'labs of other servers with the same Redis' }),
});
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
  sheet: nullable(LabSheet),
  page: nullable(count),
  shows: word('race', 'code'),
  cast: Type.Record(Type.String(), Type.String(), {
    description: 'roles of the sheet that the presenter has given to an actor',
  }),
});
export type LabDetail = Static<typeof LabDetail>;

/** What a lab has run of the kernel. */
export const LabCoverage = strict({
  lab: name,
  functions: Type.Array(Type.String(), {
    description: 'those that a patch may override and that were called, sorted',
  }),
  points: count,
  pairs: count,
  behind: Type.Record(Type.String(), Type.Array(Type.String()), {
    description: 'by yield point: those of other tasks that came right behind it',
  }),
});
export type LabCoverage = Static<typeof LabCoverage>;

const labTime = Type.Integer({ minimum: LAB_TIMES_MS_MIN, maximum: LAB_TIMES_MS_MAX });

export const NewLab = strict({
  name: Type.Optional(name),
  scenario: Type.Optional(name),
  kernel: Type.Optional(kernel),
  patch: Type.Optional(patch),
  parameters: Type.Optional(parameters),
  run: Type.Optional(
    described(
      Type.String({ maxLength: 32 }),
      'A run that was broken: its question is the lab, and its counterexample the run sheet.',
    ),
  ),
  leaseMs: Type.Optional(
    described(labTime, "How long a device may leave a question open. The server's, if not said."),
  ),
  graceMs: Type.Optional(
    described(labTime, "How long a lost session can be resumed. The server's, if not said."),
  ),
});
export type NewLab = Static<typeof NewLab>;

export const NewLabAnswer = strict({
  lab: LabDetail,
  presenterToken: Type.String({
    description: 'secret: it gives the right to lock and delete the lab',
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
  action('step', {
    task: Type.Optional(Type.Integer({ minimum: 1 })),
    until: Type.Optional(
      described(
        word('it shows'),
        'So many steps of the task, until the memory looks otherwise, or it waits, or has ended.',
      ),
    ),
  }),
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
  action('patch', { patch, kernel: Type.Optional(kernel) }),
  /** A new machine, as the lab began. */
  action('restart', {}),
  /**
   * Back to the newest moment before event `before` in which nobody was in the middle of anything: a new machine takes
   * again what this one took until then. Without `before` the last thing that was done is undone.
   */
  action('undo', { before: Type.Optional(Type.Integer({ minimum: 1 })) }),
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
  /** Gives a role of the run sheet to an actor. */
  action('cast', { role: Type.String({ pattern: '^[a-z]{1,16}$' }), actor }),
  /** In a lab that is led, the cue of this number is played by the actor. Players have a route of their own. */
  action('cue', { cue: Type.Integer({ minimum: 0 }), actor }),
  /** What every screen calls the actor from now on; its name stays what it is. An empty label is its name again. */
  action('rename', { actor, label: Type.String({ maxLength: LABEL_CHARS_MAX }) }),
  /** Asks everybody in the lab: each actor has one voice. Of no choices, the vote is over. */
  action('ask', {
    about: Type.String({ maxLength: 64 }),
    choices: Type.Array(VoteChoice, { maxItems: VOTE_CHOICES_MAX }),
  }),
  /** What the stage shows: the race, or how to join. */
  action('show', { what: word('race', 'code') }),
  /** Drops the connection. The client may resume. */
  action('cut', { actor }),
  /** Ends the session of a client that is away, at once and not after its grace: its name is free. */
  action('free', { actor }),
  /** Ends the session of a client for good: it is told so, and what it held in its own memory is lost. */
  action('dismiss', { actor }),
]);
export type Control = Static<typeof Control>;

/** A voice of `actor` in what the lab is asked. */
export const NewVote = strict({
  actor,
  round: Type.Integer({ minimum: 1 }),
  choice: VoteChoice.properties.choice,
});
export type NewVote = Static<typeof NewVote>;
/** The player of a role has pressed the button of its cue. */
export const NewCue = strict({ actor, cue: Type.Integer({ minimum: 0 }) });
export type NewCue = Static<typeof NewCue>;
export const CueAnswer = strict({ led: nullable(LabLed) });
export const VoteAnswer = strict({ vote: nullable(LabVote) });

/** What an actor answers to a verb: `errno` of ready-made clients, and what the verb answers besides. */
export const PerformResult = CONDUCTOR_QUESTIONS.perform.result;

/** `performed` is what the actor answered to `perform`, if it has; `performanceId` under which it can be fetched. */
export const ControlAnswer = strict({
  ...LabDetail.properties,
  performed: Type.Optional(PerformResult),
  performanceId: Type.Optional(Type.String()),
});

/** A verb that an actor was asked to perform. */
export const PerformanceEntry = strict({
  id: Type.String(),
  actor,
  verb: Type.Object({ verb: Type.String() }),
  state: word('running', 'done', 'failed'),
  result: Type.Optional(described(PerformResult, 'Of one that is done.')),
  failure: Type.Optional(
    Type.String({ description: 'why it failed: what the actor said, or that it left' }),
  ),
});
export type PerformanceEntry = Static<typeof PerformanceEntry>;
export const PerformanceAnswer = strict({ entry: PerformanceEntry });

/** Of one that a request brings; larger ones are for `mmrace replay`. */
export const RECORDING_BYTES_MAX = 8 * 1024 * 1024;
/** Events of it that an answer has. */
export const RECORDING_EVENTS_MAX = 32_768;
export const RecordingText = strict({
  text: Type.String({ maxLength: RECORDING_BYTES_MAX, description: 'the file, line by line' }),
});
export type RecordingText = Static<typeof RecordingText>;
export const RecordingAnswer = strict({
  lab: Type.String(),
  patch: Type.String(),
  events: Type.Array(Event, { description: `the first ${RECORDING_EVENTS_MAX}` }),
});
export type RecordingAnswer = Static<typeof RecordingAnswer>;

// Runs.

export const STRATEGY_NAMES = ['dpor', 'dfs', 'random', 'pct', 'urw'] as const;

export const NewRun = strict({
  scenario: name,
  text: Type.Optional(
    described(scenarioText, 'The scenario itself, instead of the one that ships under the name.'),
  ),
  code: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: PATCH_CHARS_MAX,
      description:
        'A patch of your own, instead of one that ships: the module that exports it. Not on every server.',
    }),
  ),
  kernel: Type.Optional(kernel),
  patch: Type.Optional(patch),
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
  preemptions: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: RUN_PREEMPTIONS_MAX,
      description: 'switches away from a task that could go on, in one execution, at most',
    }),
  ),
});
export type NewRun = Static<typeof NewRun>;

/** A counterexample as one word, and the question that it answers. */
export const NewToken = strict({
  token: Type.String({ minLength: 1, maxLength: SCENARIO_CHARS_MAX }),
});
export const TokenAnswer = strict({
  question: NewRun,
  failure: Type.String({ description: 'what was promised to go wrong' }),
});
export type TokenAnswer = Static<typeof TokenAnswer>;

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
    seenOnLinux: Type.Optional(
      Type.Array(Type.String(), {
        description: 'what a real kernel has said of it: mmrace confirm',
      }),
    ),
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
/** From right behind event `after` on, the next things that clients did come in every order. */
export const NewMomentRun = strict({ after: Type.Integer({ minimum: 0 }) });
export type NewMomentRun = Static<typeof NewMomentRun>;
export const RunAnswer = strict({ run: RunEntry });
export const RunsAnswer = strict({ runs: Type.Array(RunEntry) });

// Campaigns: searches by many workers, in Redis.

export const CampaignWorker = strict({
  id: Type.String(),
  host: Type.String(),
  pid: count,
  threads: count,
  busy: count,
  units: described(count, 'that it has answered'),
  model: Type.String(),
  code: word('allowed', 'not allowed'),
});
export type CampaignWorker = Static<typeof CampaignWorker>;

export const CampaignEntry = strict({
  id: Type.String(),
  state: word('begun', 'running', 'done', 'cancelled'),
  model: Type.String(),
  code: described(word('own', 'none'), 'whether it brings code of users along'),
  by: Type.String(),
  began: Type.String(),
  units: count,
  left: count,
  reused: described(count, 'answered before'),
  skipped: described(count, 'not needed'),
  aside: described(count, 'that workers died of, or that cannot be asked'),
});
export type CampaignEntry = Static<typeof CampaignEntry>;

export const CampaignsAnswer = strict({
  redis: described(word('there', 'none'), 'none: this server was started without'),
  campaigns: Type.Array(CampaignEntry),
  workers: Type.Array(CampaignWorker),
});
export type CampaignsAnswer = Static<typeof CampaignsAnswer>;

const shapeCounts = strict({
  holds: count,
  appeared: count,
  broken: count,
  unknown: count,
  'not reached': count,
});

export const CampaignQuestionAnswer = strict({
  words: Type.String(),
  units: count,
  answered: count,
  found: described(count, 'units in which something went wrong'),
  matrix: described(
    Type.Array(
      strict({
        operations: Type.Array(Type.String()),
        shapes: count,
        asked: count,
        reached: count,
        counts: shapeCounts,
        verdict: word('holds', 'appeared', 'broken', 'unknown', 'not reached', 'not asked'),
      }),
    ),
    'of shapes: operation against operation, as far as it is known',
  ),
});
export type CampaignQuestionAnswer = Static<typeof CampaignQuestionAnswer>;

export const CampaignAnswer = strict({
  campaign: CampaignEntry,
  workers: Type.Array(CampaignWorker),
  paused: described(Type.String(), 'why nothing goes on; else empty'),
  rate: described(Type.Number(), 'units a second, while somebody looks'),
  secondsLeft: described(
    Type.Union([strict({ least: Type.Number(), most: Type.Number() }), Type.Null()]),
    'as far as was measured; null: not known',
  ),
  aside: Type.Array(strict({ unit: Type.String(), why: Type.String() })),
  questions: Type.Array(CampaignQuestionAnswer),
});
export type CampaignAnswer = Static<typeof CampaignAnswer>;

const reported = {
  events: Type.Array(Event),
  /** For each event the number of the step that it belongs to, from 1. */
  stepOfEvent: Type.Array(count),
};

export const HistoryAnswer = strict({
  /** In order and without gaps, from the first that was asked for. */
  events: Type.Array(Event),
  /** The number of the last one so far. */
  last: count,
});

export const RunEvents = strict({
  /** What led to the state in which the exploring begins. */
  setup: Type.Array(Event),
  ...reported,
  /** In order: the first is step 1. */
  steps: Type.Array(strict({ actor: Type.String(), name: Type.String(), at: Type.String() })),
  /** What failed, or null if nothing did: then an execution that did not fail is shown. */
  failure: nullable(Type.String()),
  /** After this step every continuation fails. */
  pointOfNoReturn: nullable(count),
  /** The same order on the kernel without the patch, with the driver that ships; null if that was asked about. */
  stock: nullable(
    strict({
      setup: Type.Array(Event),
      events: Type.Array(Event),
      /** For each step of the order: how many events there are behind it. */
      eventsBehind: Type.Array(count),
      failure: nullable(Type.String()),
    }),
  ),
  /** The nearest execution that does not fail. `swapped` are two runs of steps, by the numbers of the first. */
  sibling: nullable(
    strict({
      ...reported,
      steps: Type.Array(strict({ actor: Type.String(), name: Type.String(), at: Type.String() })),
      swapped: Type.Array(strict({ first: count, last: count })),
    }),
  ),
});
export type RunEvents = Static<typeof RunEvents>;
