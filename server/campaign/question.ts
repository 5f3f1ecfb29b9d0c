/** What a campaign asks, and the units that it takes to answer. */

import type { Strategy } from '../verify/explore/explore-options.ts';
import { SHAPE_SIZES, shapeNamed } from '../verify/shapes/shapes.ts';
import { rangesOf } from './sampled-range.ts';
import type { Unit } from './unit.ts';

/** One search of one scenario with one kernel and its drivers. */
export interface ScenarioQuestion {
  readonly kind: 'scenario';
  readonly core: string;
  readonly strategy: Strategy;
  readonly executions: number;
  readonly skipExecutions: number;
  readonly seed: number;
  readonly depth: number;
  readonly preemptionsMax?: number;
  readonly name: string;
  /** As the user named them. */
  readonly patch: string;
  readonly drivers: readonly string[];
}

/** Shapes of one kernel against another. */
export interface ShapesQuestion {
  readonly kind: 'shapes';
  readonly core: string;
  readonly shapes: readonly string[];
  readonly executions: number;
  readonly patch: string;
}

export type CampaignQuestion = ScenarioQuestion | ShapesQuestion;

/** In the order in which they count. */
export function unitsOf(question: CampaignQuestion): Unit[] {
  const { core } = question;
  if (question.kind === 'shapes') {
    const { executions } = question;
    return question.shapes.map((shape) => ({ kind: 'shape', core, shape, executions }));
  }
  const { strategy, executions, preemptionsMax, seed, depth } = question;
  const bounded = preemptionsMax === undefined ? {} : { preemptionsMax };
  if (strategy === 'dpor' || strategy === 'dfs')
    return [{ kind: 'answer', core, strategy, executions, ...bounded }];
  return rangesOf(executions, question.skipExecutions).map((range) => {
    return { kind: 'sample', core, strategy, seed, depth, ...bounded, ...range };
  });
}

/** `seed-zero-page (patch remove-second-invalidate)`, `shapes (stock)`. */
export function campaignQuestionWords(question: CampaignQuestion): string {
  const { patch } = question;
  if (question.kind === 'shapes') return `shapes (${patch})`;
  const { name, drivers, strategy } = question;
  return `${name} (${[patch, ...drivers].join(', ')}; ${strategy})`;
}

/** Units of one batch: half a second of work. Longer ones keep all waiting for the last: docs/SCALE.md. */
const SHAPES_PER_BATCH: { readonly [size: number]: number } = { 1: 5, 2: 3, 3: 1 };

/** Batches of units: one batch is for one worker at a time. Long ones come first, so that no worker is last alone. */
export function batchesOf(units: readonly Unit[]): Unit[][] {
  const alone = (kind: Unit['kind']) =>
    units.filter((unit) => unit.kind === kind).map((unit) => [unit]);
  const shapes = units.filter((unit) => unit.kind === 'shape');
  const grouped = SHAPE_SIZES.toReversed().flatMap((size) => {
    const ofSize = shapes.filter(({ shape }) => shapeNamed(shape).operations.length === size);
    const per = SHAPES_PER_BATCH[size] ?? 1;
    return Array.from({ length: Math.ceil(ofSize.length / per) }, (_, at) =>
      ofSize.slice(at * per, (at + 1) * per),
    );
  });
  return [...alone('answer'), ...alone('sample'), ...grouped];
}
