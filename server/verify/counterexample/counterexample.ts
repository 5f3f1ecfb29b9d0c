/**
 * A failing run as a value: the question (scenario, patch, drivers, parameters), the schedule, the name of every step
 * it takes, and what it comes to. It can be stored, sent, executed again, drawn, and compared as it goes.
 */
import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { FIRST_KERNEL } from '../../abi/kernel-ids.ts';
import { strict, word } from '../../abi/scalars.ts';
import { blocksOf } from '../../explorer/blocks.ts';
import { counted } from '../../report/lines/counted.ts';
import type { Scenario } from '../../scenario/scenario-schema.ts';

export const COUNTEREXAMPLE_FORMAT = 'mmrace-counterexample';
/** Grows when older readers could not make sense of a file. */
export const COUNTEREXAMPLE_VERSION = 1;
/** Steps of one schedule; the explorer's executions are far shorter. */
export const SCHEDULE_STEPS_MAX = 1_000_000;

/** Characters of one line of a recording: a frame with pages in it. */
const JOURNAL_LINE_MAX = 4_000_000;

const text = Type.String({ maxLength: 10_000 });
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const step = Type.Integer({ minimum: 1, maximum: SCHEDULE_STEPS_MAX });

/** A patch or driver: one that ships, by its id; or a file, with the start of the hash of what stood in it. */
const Code = strict({ name: text, hash: Type.Optional(text) });
export type CodeName = Static<typeof Code>;

export const Counterexample = strict({
  format: word(COUNTEREXAMPLE_FORMAT),
  version: Type.Integer({ minimum: 1 }),
  /** The story, for a reader of the file. */
  about: Type.Optional(Type.Array(text)),
  /** `data` is the scenario itself; without it, the one that ships under this name is meant. */
  scenario: strict({ name: text, hash: text, data: Type.Optional(Type.Unknown()) }),
  /** A moment of a recorded live run instead: the lines of the recording up to the last entry that is played. */
  from: Type.Optional(
    strict({
      journal: Type.Array(Type.String({ maxLength: JOURNAL_LINE_MAX }), { minItems: 1 }),
      step: count,
      entries: count,
    }),
  ),
  parameters: Type.Record(Type.String(), count),
  /** The kernel that the patch is applied to; absent in what was found before there was a choice: 6.1. */
  kernel: Type.Optional(text),
  patch: Code,
  /** By actor; '*' for all that are not named. */
  drivers: Type.Record(Type.String(), Code),
  /** The model that ran: a prefix of its hash at least. `yieldPoints` names the steps of this schedule. */
  model: strict({ hash: text, yieldPoints: Type.Optional(text) }),
  /** What was promised: `failure` at the last step, by whose verdict, and what the search saw besides. */
  failure: text,
  found: strict({
    verdict: word('holds', 'broken'),
    /** A Strategy, or whatever else found it. */
    strategy: text,
    executions: count,
    failures: count,
    windowEntered: count,
    pointOfNoReturn: Type.Union([step, word('unknown')]),
    /** Two runs of steps, from first to last each: swapped, nothing happens. */
    safeSwap: Type.Optional(Type.Tuple([step, step, step, step])),
  }),
  /** `[task, steps]`: who runs for how long. Tasks are numbered as they are spawned. */
  schedule: Type.Array(Type.Tuple([count, step]), { minItems: 1 }),
  /** The yield point of each step. */
  steps: Type.Array(text, { minItems: 1, maxItems: SCHEDULE_STEPS_MAX }),
});
export type Counterexample = Static<typeof Counterexample>;

/** The kernel that it was found on, without the patch. */
export function kernelOf({ kernel }: Pick<Counterexample, 'kernel'>): string {
  return kernel ?? FIRST_KERNEL;
}

/** The blocks of `choices`, as a counterexample stores them. */
export function scheduleOf(choices: readonly number[]): Counterexample['schedule'] {
  return blocksOf(choices).map(({ task, count: steps }) => [task, steps]);
}

/** Task numbers, step by step. */
export function choicesOfSchedule({ schedule }: Counterexample): number[] {
  return schedule.flatMap(([task, steps]) => new Array<number>(steps).fill(task));
}

/** Of the scenario as data: comments and layout of its file do not count, nor how people play it. */
export function scenarioHash({ sheet: _, ...scenario }: Scenario): string {
  return shortHash(JSON.stringify(scenario));
}

/** Names the yield points that a schedule passes. */
export function yieldPointsHash(steps: readonly string[]): string {
  return shortHash(steps.join('\n'));
}

/** 64 bits of SHA-256, as hexadecimal digits. */
export function shortHash(data: string): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 16);
}

/** In words, as the search that found it said. */
export function boundOf({ found }: Counterexample): string {
  return `found in ${counted(found.executions, 'execution')} (${found.strategy})`;
}
