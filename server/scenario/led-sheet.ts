/**
 * A counterexample whose order lies inside of calls, as a run sheet that a lab leads: each cue is what one actor does
 * without a break, and ends where it is to stand. See live/director.ts.
 */

import { isCpuCall } from '../abi/cpu-calls.ts';
import type { Event } from '../abi/event.ts';
import { FIRST_KERNEL } from '../abi/kernel-ids.ts';
import { kernelFunctions } from '../kernel/versions/kernels.ts';
import type { Patch } from '../patches/patch.ts';
import type { Cue, LabSheet, LedCue, LedUntil } from '../protocol/run-sheet.ts';
import { pageIndex, pagesFrom } from '../vocabulary/address.ts';
import { DEFAULT_DRIVER } from './instances.ts';
import { type CallOp, callParams, deviceVerb } from './op-params.ts';
import { isDeviceOp, type Op, steersProgram } from './op-schema.ts';
import { opWords } from './op-words.ts';
import type { ScenarioPlan } from './scenario-plan.ts';
import type { Scenario } from './scenario-schema.ts';
import { CAST_MAX, castOf, pageOfRun, roleNames, type SheetRun, titleOf } from './sheet-parts.ts';

export interface LedRun extends SheetRun {
  readonly plan: ScenarioPlan;
  /** Of the lab's kernel. */
  readonly patches: readonly Patch[];
  /** How many operations of the setup are left for those who join. */
  readonly left: number;
  /** Of the execution, behind the setup. `name` is what the task does behind the step. */
  readonly steps: readonly { readonly actor: string; readonly name: string; readonly at: string }[];
}

interface Why {
  readonly why: string;
}

/** An operation of an actor's program, or of the setup. */
interface Deed {
  readonly id: string;
  readonly actor: string;
  readonly op: Op;
}

/** What an actor did of it without a break. */
interface Segment {
  readonly deed: Deed;
  readonly points: string[];
}

const STOCK = kernelFunctions(FIRST_KERNEL);
const CUES_MAX = 24;
const BUTTON_MAX = 24;
const SAYS_MAX = 80;
/** Points of programs and of the search: no client goes past them. */
const NOT_LIVE: ReadonlySet<string> = new Set(['task.start', 'program.wait', 'lab.fair_turn']);
/**
 * Points of the driver by how they begin, and the call of the kernel behind which its client is before them: what a
 * client does is not stepped by the lab, but it can be asked to stand still behind a call.
 */
const BEHIND_CALL: readonly (readonly [point: string, call: string])[] = [
  ['dmirror_fault.', 'mmap_read_unlock'],
  ['dmirror_devmem_alloc_page.', 'migrate_vma_setup'],
  ['dmirror_migrate_alloc_and_copy.', 'migrate_vma_setup'],
  ['dmirror_migrate_finalize_and_map.', 'migrate_vma_pages'],
];

/** `why` there is none, in a sentence. */
export function ledSheet(run: LedRun): { readonly sheet: LabSheet; readonly page: number } | Why {
  const { seats } = run;
  const faulty = seats.find(({ driver }) => driver !== null && driver !== DEFAULT_DRIVER);
  if (faulty !== undefined) {
    return { why: `${faulty.name} has the driver ${faulty.driver}, which no phone plays.` };
  }
  if (run.patches.some(({ overrides }) => 'mmuIntervalReadBegin' in overrides(STOCK))) {
    return { why: 'It is about sequence numbers of the kernel: a client compares its own.' };
  }
  const about = pageOfRun(run);
  if ('why' in about) return about;
  if (about.violation === undefined && faultsForEver(run)) {
    return { why: 'It ends in faults over and over: nobody plays that to its end.' };
  }
  const begins = setupOf(run);
  const segments = [...begins, ...segmentsOf(run)];
  const roles = roleNames(segments.map(({ deed }) => deed.actor));
  const cues: Cue[] = [];
  for (const [at, segment] of segments.entries()) {
    const made = cueOf(run, segments, at, roles);
    if ('why' in made) return made;
    cues.push(made);
    if (segment.points.length === 0 && at >= begins.length) cues.pop();
  }
  cues.push(...punchline(about, roles));
  if (cues.length === 0 || cues.length > CUES_MAX) return { why: 'It has too many steps.' };
  const cast = castOf(run, roles).map((one, at) => ({ ...one, ...playsOf(run, [...roles][at]) }));
  if (cast.length > CAST_MAX) return { why: 'It has too many actors.' };
  const breaks = about.violation === undefined ? {} : { breaks: about.violation.rule };
  return { sheet: { title: titleOf(run), at: about.at, cast, cues, ...breaks }, page: about.page };
}

function faultsForEver({ events, plan }: LedRun): boolean {
  const faults = Map.groupBy(
    events.filter(({ kind }) => kind === 'fault'),
    ({ actor }) => actor,
  );
  return [...faults.values()].some(({ length }) => length >= plan.faultsMax);
}

/** Who is born with a fork is a thread that only its own seat is. */
function playsOf(
  { plan, seats }: LedRun,
  [actor]: readonly [string, string] | readonly [] = [],
): Pick<LabSheet['cast'][number], 'plays'> {
  const seat = seats.find(({ name }) => name === actor);
  if (seat === undefined) return {};
  return { plays: plan.children.has(seat.name) ? 'this seat' : seat.role };
}

function setupOf({ scenario, left }: LedRun): Segment[] {
  const ops = scenario.setup ?? [];
  return ops.slice(ops.length - left).map((op, at) => ({
    deed: { id: `setup ${at + 1}`, actor: op.actor, op },
    points: [],
  }));
}

/** What each actor did, operation by operation; what a kernel asked it to do is not its own. */
function segmentsOf({ plan, steps }: LedRun): Segment[] {
  const threads = plan.threads.map(({ actor, ops }, at) => ({
    actor,
    at: 0,
    deeds: ops.map(({ op }, n): Deed => ({ id: `${actor} ${at + 1}.${n + 1}`, actor, op })),
  }));
  const segments: Segment[] = [];
  for (const { actor, name, at } of steps) {
    const own = threads.filter((thread) => thread.actor === actor);
    const nameFrom = ({ deeds, at: from }: (typeof threads)[number]) =>
      deeds.findIndex(({ op }, n) => n >= from && op.do === name);
    const thread =
      own.find((each) => each.deeds[each.at]?.op.do === name) ??
      own.find((each) => nameFrom(each) >= 0);
    const deed = thread?.deeds[thread.at];
    if (thread === undefined || deed === undefined) continue;
    // The step in which one operation ends takes the next one to its first point.
    thread.at = nameFrom(thread);
    if (NOT_LIVE.has(at) || steersProgram(deed.op)) continue;
    const last = segments.at(-1);
    if (last?.deed === deed) last.points.push(at);
    else segments.push({ deed, points: [at] });
  }
  return segments;
}

function cueOf(
  run: LedRun,
  segments: readonly Segment[],
  at: number,
  roles: ReadonlyMap<string, string>,
): Cue | Why {
  const segment = segments[at];
  if (segment === undefined) throw new RangeError(`no segment ${at}`);
  const { deed } = segment;
  const before = segments.slice(0, at).some((each) => each.deed === deed);
  const later = segments.slice(at + 1).find((each) => each.deed === deed);
  const place = at === segments.length - 1 ? 'last' : 'earlier';
  const until =
    later === undefined ? endOf(run, segment, place) : untilOf(segment, later.points[0] ?? '');
  if (typeof until === 'object' && 'why' in until) return until;
  const verb = before ? 'none' : verbOf(run.scenario, deed);
  if (typeof verb === 'object' && 'why' in verb) return verb;
  const role = roles.get(deed.actor) ?? '';
  const led: LedCue = { op: deed.id, ...(verb === 'none' ? {} : { begins: verb }), until };
  return { role, do: [], led, ...wordsOf(role, deed.op, before ? 'goes on' : 'begins', until) };
}

/** The execution ends where a rule is broken, and leaves others in the middle of their calls. */
function endOf({ events }: LedRun, { deed, points }: Segment, place: 'last' | 'earlier'): LedUntil {
  const own = events.filter(({ actor, task }) => actor === deed.actor && task === deed.op.do);
  const calls = own.filter(({ kind }) => kind === 'call').length;
  const returns = own.filter(({ kind }) => kind === 'return').length;
  const past = points.at(-1) ?? '';
  if (place === 'last' || calls === returns || past.startsWith('dmirror_')) return 'end';
  return { past, passes: points.filter((each) => each === past).length };
}

/** Where a client is made to stand so that `point` is what its task comes to next. */
function untilOf({ deed, points }: Segment, point: string): LedUntil | Why {
  if (!point.startsWith('dmirror_')) {
    return { at: point, passes: points.filter((each) => each === point).length };
  }
  const call = BEHIND_CALL.find(([begins]) => point.startsWith(begins));
  if (call === undefined || !isDeviceOp(deed.op)) {
    return { why: `Its order lies inside of ${pointWords(point)}, which a phone does at once.` };
  }
  const [begins, after] = call;
  // Whether it stands before its own lock or has it is the same, unless others try it.
  if (points.some((each) => each.startsWith(begins) && each !== point && !each.endsWith('.lock'))) {
    return { why: `Its order lies between two steps of ${pointWords(point)}, inside of a phone.` };
  }
  return { after };
}

/** As the client knows it. */
function verbOf(scenario: Scenario, { actor, op }: Deed): { verb: string } | Why {
  if (isDeviceOp(op)) return { ...deviceVerb(scenario, op) };
  if (isCpuCall(op.do)) return { verb: op.do, ...callParams(scenario, op as CallOp) };
  return { why: `${actor}: ${opWords(op)}. That is nothing a phone does.` };
}

/** The execution ends where a rule is broken: the room goes on until somebody reads what is wrong. */
function punchline(
  { page, violation }: { readonly page: number; readonly violation: Event | undefined },
  roles: ReadonlyMap<string, string>,
): Cue[] {
  if (violation?.kind !== 'violation') return [];
  const role = roles.get(violation.device);
  if (role === undefined) return [];
  const begins = { verb: 'read', range: pagesFrom(pageIndex(page), 1) };
  const led: LedCue = { op: 'punchline', begins, until: 'end' };
  return [{ role, do: [], led, button: 'Read', says: `{${role}} reads. Was it told?` }];
}

function wordsOf(
  role: string,
  op: Op,
  how: 'begins' | 'goes on',
  until: LedUntil,
): Pick<Cue, 'button' | 'says'> {
  const does = opWords(op);
  const doing = how === 'begins' ? does : `goes on with ${op.do}`;
  const ends = until === 'end' ? '' : `, and is held ${standsWords(until)}`;
  return {
    button: (how === 'begins' ? does : 'Go on').slice(0, BUTTON_MAX),
    says: `{${role}}: ${doing}${ends}.`.slice(0, SAYS_MAX),
  };
}

function standsWords(until: Exclude<LedUntil, 'end'>): string {
  if ('after' in until) return `behind ${until.after}()`;
  return `in ${pointWords('at' in until ? until.at : until.past)}`;
}

/** `do_swap_page.swap_ptl` as the function that it is in. */
function pointWords(point: string): string {
  return `${point.split('.')[0]}()`;
}
