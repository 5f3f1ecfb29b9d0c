/**
 * What workers are given: a unit is a question that has one answer, whoever asks it, wherever and how often. Its name
 * is a hash of all that the answer hangs on, so that an answer is kept under it for ever, and doubles are one.
 */
import { createHash } from 'node:crypto';
import type { SampleStrategy } from '../explorer/sample.ts';
import type { SentVerdict } from '../verify/explore/workers/jobs.ts';
import type { ShapeAnswer } from '../verify/shapes/ask-catalogue.ts';
import type { SampledRange } from './sampled-range.ts';

/** One shape of the catalogue. */
export interface ShapeUnit {
  readonly kind: 'shape';
  /** The hash of what is asked about: see core.ts. */
  readonly core: string;
  readonly shape: string;
  readonly executions: number;
}

/** An exhaustive search in one piece. */
export interface AnswerUnit {
  readonly kind: 'answer';
  readonly core: string;
  readonly strategy: 'dpor' | 'dfs';
  readonly executions: number;
  readonly preemptionsMax?: number;
}

/** Some of the executions of a random search. */
export interface SampleUnit {
  readonly kind: 'sample';
  readonly core: string;
  readonly strategy: SampleStrategy;
  readonly seed: number;
  readonly depth: number;
  readonly preemptionsMax?: number;
  readonly first: number;
  readonly executions: number;
}

export type Unit = ShapeUnit | AnswerUnit | SampleUnit;

/** What comes of a unit. Plain data, without how long it took. */
export interface UnitValues {
  readonly shape: Omit<ShapeAnswer, 'shape'>;
  readonly answer: SentVerdict;
  readonly sample: SampledRange;
}

export type UnitValue = UnitValues[Unit['kind']];

/** Changes when what is stored under a name does. */
const FORMAT = 1;

/** Its name. `model`: see campaign-model.ts. */
export function unitId(model: string, unit: Unit): string {
  return hashOf([FORMAT, model, unit]);
}

/** Of plain data; the order of keys does not count. */
export function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex')
    .slice(0, 40);
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

/** The executions of one random search, whose first failure is enough. 'none' for what is no part of one. */
export function unitStream(unit: Unit): string | 'none' {
  if (unit.kind !== 'sample') return 'none';
  const { first: _, executions: __, ...rest } = unit;
  return hashOf(rest);
}
