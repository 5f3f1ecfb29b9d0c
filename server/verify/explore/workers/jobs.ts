/** What threads are asked, and what they answer. All of it plain data. */
import type { MessagePort } from 'node:worker_threads';
import type { Measured } from '../../../explorer/measure.ts';
import type { SampleStrategy } from '../../../explorer/sample.ts';
import type { ExploreRequest } from '../../../scenario/explore-request.ts';
import type { Parameters } from '../../../scenario/instances.ts';
import type { Scenario } from '../../../scenario/scenario-schema.ts';
import type { OwnLines } from '../../coverage/own-files.ts';
import type { ShapeRecord } from '../../shapes/ask-shape.ts';
import type { Covered } from '../covered.ts';
import type { ExploreOptions } from '../explore-options.ts';
import type { ScenarioVerdict } from '../explore-scenario.ts';
import type { PartResult, SampledPart } from '../sampled-parts.ts';

/** How to search, as data. */
export type SearchData = Pick<
  ExploreOptions,
  | 'strategy'
  | 'budgetExecutions'
  | 'budgetSeconds'
  | 'seed'
  | 'depth'
  | 'preemptionsMax'
  | 'skipExecutions'
  | 'statesBytesMax'
>;

export interface Job {
  readonly asked: ExploreRequest;
  readonly search: SearchData;
  readonly shared: SharedArrayBuffer;
  /** Which of the threads of a search this one stands for. */
  readonly slot: number;
}

export type MeasureJob = Job;

export interface SampleJob extends Job {
  readonly strategy: SampleStrategy;
  readonly part: SampledPart;
  readonly measured: Measured;
}

export interface AnswerJob extends Job {
  /** To each thread that searches along. Absent: none does. */
  readonly along?: readonly MessagePort[];
}

/** To search along with the thread at the other end of `port`; `slot` is its number among them. */
export interface AlongJob extends Job {
  readonly port: MessagePort;
}

export interface ConcludeJob extends Job {
  readonly covered: Covered;
  readonly seconds: number;
}

/** One shape of the catalogue. `asked` says what of; its text is not looked at. */
export interface ShapeJob extends Omit<Job, 'search'> {
  readonly scenario: Scenario;
  readonly executions: number;
}

/** Several shapes, for the lines of the patch that they reach between them. */
export interface LinesJob extends Omit<ShapeJob, 'scenario'> {
  readonly scenarios: readonly Scenario[];
}

/** A verdict without what cannot be sent: its plan is made again from the scenario, which may be smaller than asked. */
export type SentVerdict = Omit<ScenarioVerdict, 'plan'> & {
  readonly scenario: Scenario;
  readonly parameters: Parameters;
};

/** By the name of the function in explore-worker.ts. */
export interface Jobs {
  readonly checkPlan: { readonly job: Job; readonly answer: 'fine' };
  readonly measurePlan: { readonly job: MeasureJob; readonly answer: Measured };
  readonly samplePart: { readonly job: SampleJob; readonly answer: PartResult };
  readonly searchAlong: { readonly job: AlongJob; readonly answer: 'over' };
  readonly answerWhole: { readonly job: AnswerJob; readonly answer: SentVerdict };
  readonly askShape: { readonly job: ShapeJob; readonly answer: ShapeRecord };
  readonly linesOfShapes: { readonly job: LinesJob; readonly answer: readonly OwnLines[] };
  readonly concludeCovered: { readonly job: ConcludeJob; readonly answer: SentVerdict };
}

export type Reply<T> =
  | { readonly kind: 'done'; readonly value: T }
  /** What the user gave cannot be used. */
  | { readonly kind: 'bad input'; readonly message: string }
  /** With it the scenario cannot be set up; another may be. */
  | { readonly kind: 'bad setup'; readonly message: string };
