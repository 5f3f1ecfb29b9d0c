/** What a search has covered, as a value and in one sentence: the reason for a verdict. */
import type { Failure } from '../explorer/failure.ts';
import type { SampleStrategy } from '../explorer/sample.ts';
import {
  type CodeMissed,
  type CodeNotReached,
  codeMissedText,
  notReachedText,
} from './code-reached.ts';
import { describeFailure } from './describe-failure.ts';
import { counted } from './lines/counted.ts';
import { type UntoldState, untoldStateText } from './untold-state.ts';

/** How it was searched, and how much. */
export interface Searched {
  readonly executions: number;
  readonly strategy: string;
  /** Absent: as many as there may be. */
  readonly preemptionsMax?: number;
  /** Pages of a page table and of a huge page, where the machine is smaller than Linux. */
  readonly smallTables?: { readonly pages: number; readonly inLinux: number };
  /** The version of Linux; 'read' if no recordings bear out what the model has of it. */
  readonly kernel?: { readonly id: string; readonly source: 'recorded' | 'read' };
  /** One device was searched for `twins` that do as it does. */
  readonly standsFor?: { readonly member: string; readonly twins: number };
  /** No more states than these could be remembered: the others were searched whenever they were met. */
  readonly remembered?: { readonly states: number; readonly bytes: number };
  /** Code of drivers that no execution has run. */
  readonly missed?: readonly CodeMissed[];
}

export type Bound =
  | (Searched & { readonly kind: 'found' })
  | (Searched & { readonly kind: 'stopped'; readonly why: 'interrupted' | 'budget' })
  /** Executions were cut after `stepsMax` steps. */
  | (Searched & { readonly kind: 'cut'; readonly cut: number; readonly stepsMax: number })
  | (Searched & { readonly kind: 'window never entered' })
  | (Searched & { readonly kind: 'untold state'; readonly untold: UntoldState })
  | (Searched & { readonly kind: 'sampled'; readonly sampled: Sampled })
  | (Searched & { readonly kind: 'every interleaving' })
  | (Searched & CodeNotReached)
  /** Threads fault over and over, but not under a fair scheduler as far as was seen. */
  | { readonly kind: 'no fair round'; readonly failure: Failure }
  | MomentBound
  | { readonly kind: 'not asked' };

/** From an entry of a recorded run on. */
export interface MomentBound {
  readonly kind: 'moment';
  readonly step: number;
  readonly entries: number;
  /** The number of the last entry that is played. */
  readonly last: number;
  readonly of: Bound;
  readonly executions: number;
  /** Executions in which a client was answered otherwise than recorded. */
  readonly departed: number;
}

/** What a random search can claim: never "holds", but how likely it is that it has missed something. */
export interface Sampled {
  readonly strategy: SampleStrategy;
  readonly seed: number;
  /** PCT: a bug of this depth needs so many orders between steps. */
  readonly depth: number;
  /** Most tasks of one execution (n) and most steps (k), as pilot executions measured them. */
  readonly tasks: number;
  readonly steps: number;
  /** Executions with more of either: of them nothing is claimed. */
  readonly beyond: number;
  /** PCT: the least probability that one execution shows a bug of this depth: 1 / (n * k^(depth-1)). */
  readonly detection: number | 'none';
  /** PCT: the most that the probability can be of having missed it in all executions: (1 - detection)^executions. */
  readonly missed: number | 'none';
  /** The first execution that has not been had: a search that goes on begins there. */
  readonly next: number;
  /** No failure in all executions: with 95 % confidence a smaller share than this of such executions fails. */
  readonly failingShareMax: number;
}

export function describeBound(bound: Bound): string {
  switch (bound.kind) {
    case 'moment':
      return momentText(bound);
    case 'no fair round':
      return (
        `${describeFailure(bound.failure)}; but no state was seen to repeat under a fair scheduler: ` +
        'raise bounds.faults'
      );
    case 'not asked':
      return 'interrupted before it was asked';
    default:
      return `${coveredText(bound)}${factsText(bound)}`;
  }
}

function factsText(bound: Searched): string {
  const machine = `${kernelText(bound)}${tablesText(bound)}`;
  return `${machine}${twinsText(bound)}${rememberedText(bound)}${codeMissedText(bound.missed ?? [])}`;
}

function coveredText(bound: Extract<Bound, Searched>): string {
  const within = preemptionsText(bound.preemptionsMax);
  const counts = `${counted(bound.executions, 'execution')} (${bound.strategy})`;
  switch (bound.kind) {
    case 'found':
      return `found in ${counts}${within}`;
    case 'stopped': {
      const why = bound.why === 'interrupted' ? bound.why : 'the budget ended';
      return `${why} after ${counts}${within}`;
    }
    case 'cut':
      return `${bound.cut} of ${counts}${within} were cut after ${bound.stepsMax} steps`;
    case 'window never entered':
      return `the race window was never entered in ${counts}${within}`;
    case 'untold state':
      return `${untoldStateText(bound.untold)}; the search of ${counts}${within} proves nothing`;
    case 'sampled':
      return `${claimOf(bound.sampled, bound.executions)}${within}`;
    case 'every interleaving':
      return `every interleaving of this scenario${within}: ${counts}`;
    case 'patch not reached':
    case 'driver not reached':
      return `${notReachedText(bound)} in none of ${counts}${within}`;
  }
}

function preemptionsText(preemptionsMax: number | undefined): string {
  if (preemptionsMax === undefined) return '';
  return ` with at most ${counted(preemptionsMax, 'preemption')} each`;
}

function kernelText({ kernel }: Searched): string {
  if (kernel === undefined) return '';
  const read = kernel.source === 'read' ? ' (read, not recorded)' : '';
  return `; kernel ${kernel.id}${read}`;
}

function tablesText({ smallTables }: Searched): string {
  if (smallTables === undefined) return '';
  const { pages, inLinux } = smallTables;
  return `; page tables and huge pages of ${pages} pages, not ${inLinux}`;
}

function twinsText({ standsFor }: Searched): string {
  if (standsFor === undefined) return '';
  const { member, twins } = standsFor;
  return `; ${member} stands for its ${counted(twins, 'twin')}`;
}

function rememberedText({ remembered }: Searched): string {
  if (remembered === undefined) return '';
  const megabytes = Math.ceil(remembered.bytes / 2 ** 20);
  return `; there was memory for ${remembered.states} states (${megabytes} MB), others were searched each time`;
}

/** What the future was: without it, `every interleaving` says nothing. */
function momentText({ step, entries, last, of, executions, departed }: MomentBound): string {
  const order =
    `from entry ${step}, the ${entries} entries up to ${last} in every order that keeps ` +
    `each client's own`;
  if (of.kind === 'found') return `${order}: found in ${executions} executions`;
  if (of.kind !== 'every interleaving') return `${order}: ${describeBound(of)}`;
  const left =
    departed === 0
      ? ''
      : `; in ${departed} of them a client was answered otherwise than recorded, gave back what it held and stopped`;
  return `${order}: all ${executions} executions that differ${left}`;
}

/** The claim of a search that found nothing, in one sentence or two. */
export function claimOf(sampled: Omit<Sampled, 'next'>, executions: number): string {
  const { strategy, seed, depth, tasks, steps, beyond, detection, missed } = sampled;
  const how =
    strategy === 'pct' ? `pct, depth ${depth}, seed ${seed}` : `${strategy}, seed ${seed}`;
  const said = `sampled: no failure in ${counted(executions, 'execution')} (${how})`;
  if (detection === 'none' || missed === 'none') {
    const share = percent(sampled.failingShareMax);
    return `${said}; with 95 % confidence fewer than ${share} of such executions fail`;
  }
  const exceeded = beyond === 0 ? '' : `, not counting ${beyond} executions that had more`;
  return (
    `${said}; one execution shows a bug of depth ${depth} with a probability of at least ` +
    `1/(n*k^${depth - 1}) = ${scientific(detection)} (n = ${tasks} tasks, k = ${steps} steps, as measured), ` +
    `and all of them have missed it with a probability of at most ${missedText(missed)}${exceeded}`
  );
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}

function scientific(probability: number): string {
  return probability >= 0.01 ? probability.toFixed(3) : probability.toExponential(1);
}

/** Never rounded to certainty. */
function missedText(missed: number): string {
  if (missed > 0.999) return missed > 0.999999 ? 'almost 1' : missed.toFixed(6);
  return missed < 0.001 ? missed.toExponential(1) : missed.toFixed(3);
}
