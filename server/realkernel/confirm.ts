/**
 * Whether a real kernel does what the model says of a schedule. A schedule that is said to fail must fail in every run,
 * and another order of the same operations must be clean in every run; one that is said to be harmless must be clean.
 */

import type { CallLeftOut, Patch } from '../patches/patch.ts';
import type { ScenarioPlan } from '../scenario/scenario-plan.ts';
import { NotReenactable } from './guest-ops.ts';
import type { BootedKernel, GuestRun } from './guest-run.ts';
import { callsOfPatch, type PointTable } from './points.ts';
import {
  checkCast,
  cuesOf,
  type EnactedAnswer,
  type EnactedCue,
  type PageSeen,
  type PlayedOnLinux,
  playOnLinux,
  type SeenBy,
  slotsOf,
  VCPUS_MAX,
} from './re-enactment.ts';
import { heldWhere, type ThreadSteps, threadSteps } from './thread-steps.ts';

/** What is played: a schedule of a question, in numbers of tasks. */
export interface PlayedByGuest {
  readonly plan: ScenarioPlan;
  readonly choices: readonly number[];
  /** The nearest schedule that is safe in the model; 'none' where none was found. */
  readonly sibling: readonly number[] | 'none';
  /** Patches that the real kernel gets; those of the plan may be others, if it is said to be harmless. */
  readonly patches: readonly Patch[];
  /** 'built in': the real kernel has the patches already. */
  readonly patched: 'here' | 'built in';
  /** What the model says of `choices`, with these patches. */
  readonly says: 'fails' | 'is harmless';
  readonly seenBy: SeenBy;
}

/** How runs of one schedule went. */
export interface Tally {
  readonly order: 'as found' | 'safe sibling' | 'one after the other';
  readonly runs: number;
  readonly stale: number;
  readonly crashed: number;
  /** Of the first run that was played to its end. */
  readonly pages: readonly PageSeen[];
  readonly answers: readonly EnactedAnswer[];
  /** Of the first that crashed. */
  readonly splat: string;
  /** How the first run went that was not played to its end. */
  readonly differed: string;
  /** Where the kernel kept a thread from what the schedule says; 'none' if it did not. */
  readonly kept: string | 'none';
}

export type Confirmation =
  | { readonly outcome: 'confirmed'; readonly schedule: Tally; readonly control: Tally | 'none' }
  | {
      readonly outcome: 'not confirmed';
      readonly why: string;
      readonly schedule: Tally;
      readonly control: Tally | 'none';
    }
  | { readonly outcome: 'not re-enactable'; readonly what: string };

/** Rejects: what QEMU or the guest say that is no answer. */
export async function confirm(
  kernel: BootedKernel,
  table: PointTable,
  played: PlayedByGuest,
  runs: number,
): Promise<Confirmation> {
  try {
    const { plan, says } = played;
    checkCast(plan);
    const unseen = table.unseen.get(plan.scenario.name);
    if (unseen !== undefined) throw new NotReenactable(`it cannot be seen: ${unseen}`);
    const leftOut = leftOutBy(played, table);
    const steps = threadSteps(plan, played.choices);
    checkSeen(played, steps);
    const play = (order: Tally['order'], one: ThreadSteps, cues: readonly EnactedCue[]) =>
      tally(kernel, order, runs, async (run) => {
        await run.leaveOut(leftOut);
        const kept = says === 'fails' ? 'give up' : 'let all go';
        const reads = order === 'as found' ? 'wrong' : 'right';
        const seenBy = lookFor(played);
        return playOnLinux(run, { plan, table, steps: one, seenBy, kept, reads }, cues);
      });
    const schedule = await play('as found', steps, cuesFor(steps, table));
    if (says === 'is harmless' && schedule.differed !== '') {
      throw new NotReenactable(`without the patch it goes another way: ${schedule.differed}`);
    }
    const control = says === 'fails' ? await controlOf(played, table, play) : 'none';
    const why = whyNot(says, schedule, control);
    if (why === 'none') return { outcome: 'confirmed', schedule, control };
    return { outcome: 'not confirmed', why, schedule, control };
  } catch (error) {
    if (!(error instanceof NotReenactable)) throw error;
    return { outcome: 'not re-enactable', what: error.message };
  }
}

/** Throws: NotReenactable if what fails reads nothing else than what does not: then no value tells them apart. */
function checkSeen({ plan, sibling, says, seenBy }: PlayedByGuest, steps: ThreadSteps): void {
  if (says !== 'fails' || seenBy !== 'what was read') return;
  const wrong = readsOf(steps);
  const right = [sibling === 'none' ? [] : sibling, []].map((one) =>
    readsOf(threadSteps(plan, one)),
  );
  if (right.includes(wrong)) throw new NotReenactable('it reads what it reads where nothing fails');
}

function readsOf({ results }: ThreadSteps): string {
  const reads = [...results].filter(([, result]) => result.startsWith('0x'));
  return reads
    .map(([op, result]) => `${op} ${result}`)
    .sort()
    .join();
}

/** In a schedule that does not fail what is left must be right, whatever was read. */
function lookFor({ says, seenBy }: PlayedByGuest): SeenBy {
  return says === 'fails' ? seenBy : 'what is left';
}

/** The safe sibling; where Linux cannot be led along it, each thread from its first to its last step. */
async function controlOf(
  { plan, sibling }: PlayedByGuest,
  table: PointTable,
  play: (order: Tally['order'], steps: ThreadSteps, cues: readonly EnactedCue[]) => Promise<Tally>,
): Promise<Tally> {
  if (sibling !== 'none') {
    try {
      const steps = threadSteps(plan, sibling);
      const control = await play('safe sibling', steps, cuesFor(steps, table));
      if (control.differed === '') return control;
    } catch (error) {
      if (!(error instanceof NotReenactable)) throw error;
    }
  }
  const steps = threadSteps(plan, []);
  return play('one after the other', steps, cuesOf(steps.steps));
}

function cuesFor({ steps }: ThreadSteps, { points }: PointTable): EnactedCue[] {
  return cuesOf(heldWhere(steps, (at) => points.has(at)));
}

/** CPUs of a guest in which each of `plans` can be played. */
export function vcpusFor(plans: readonly ScenarioPlan[]): number {
  return Math.min(VCPUS_MAX, Math.max(...plans.map((plan) => slotsOf(plan).vcpus)));
}

function whyNot(says: PlayedByGuest['says'], schedule: Tally, control: Tally | 'none'): string {
  if (schedule.differed !== '') return schedule.differed;
  const failed = schedule.stale + schedule.crashed;
  if (says === 'is harmless') {
    return failed === 0
      ? 'none'
      : `the model says that nothing fails, and ${failed} of ${schedule.runs} runs do`;
  }
  if (failed < schedule.runs) {
    const clean = `${schedule.runs - failed} of ${schedule.runs} runs are clean`;
    return `the model says that it fails, and ${clean}, as far as it can be seen from user space`;
  }
  if (control === 'none') return 'none';
  if (control.differed !== '') return `the control (${control.order}): ${control.differed}`;
  const bad = control.stale + control.crashed;
  return bad === 0
    ? 'none'
    : `the control (${control.order}) fails as well, in ${bad} of ${control.runs} runs`;
}

async function tally(
  kernel: BootedKernel,
  order: Tally['order'],
  runs: number,
  play: (run: GuestRun) => Promise<PlayedOnLinux>,
): Promise<Tally> {
  const played: PlayedOnLinux[] = [];
  for (let at = 0; at < runs; at += 1) {
    const one = await kernel.run(play);
    played.push(one);
    // What was not reached once would take its whole time again.
    if (one.outcome === 'differed') break;
  }
  const whole = played.flatMap((one) => (one.outcome === 'played' ? [one] : []));
  const crashed = played.flatMap((one) => (one.outcome === 'crashed' ? [one] : []));
  const differed = played.find((one) => one.outcome === 'differed');
  return {
    order,
    runs: played.length,
    stale: whole.filter(({ stale }) => stale).length,
    crashed: crashed.length,
    pages: whole[0]?.pages ?? [],
    answers: whole[0]?.answers ?? [],
    splat: crashed[0]?.splat ?? '',
    differed: differed?.outcome === 'differed' ? differed.at : '',
    kept: whole.find(({ kept }) => kept !== 'none')?.kept ?? 'none',
  };
}

/** Throws: NotReenactable where a patch is more than calls left out; BadInput. */
function leftOutBy({ patches, patched }: PlayedByGuest, table: PointTable): CallLeftOut[] {
  if (patched === 'built in') return [];
  return patches.flatMap((patch) => {
    const own = callsOfPatch(patch, table.version);
    const calls = own === 'none' ? table.patches.get(patch.id) : own;
    if (calls === undefined) throw new NotReenactable(`the patch ${patch.id}`);
    return calls;
  });
}
