/** What a schema cannot say: names that must exist, ranges that must fit, operations that an actor cannot do. */
import { DRIVERS } from '../../clients/drivers/catalogue/drivers.ts';
import { CALLED_BACK_FUNCTIONS, CALLED_FUNCTIONS } from '../abi/traced-functions.ts';
import { jointName, STOCK_NAME } from '../patches/joint-name.ts';
import { clashOf, patchesIn } from '../patches/patch-set.ts';
import { PATCHES } from '../patches/patches.ts';
import { PAGES_MAX } from '../vocabulary/address.ts';
import { suggestion } from '../vocabulary/nearest-word.ts';
import { type Condition, type Term, termsOf } from './condition.ts';
import { countOf, type Parameters } from './instances.ts';
import { kindOfOp, type Op } from './op-schema.ts';
import { parseCondition } from './parse-condition.ts';
import { findPlace, firstPageOf } from './places.ts';
import {
  type Matcher,
  SCENARIO_ACTORS_MAX,
  type Scenario,
  type ScenarioVma,
} from './scenario-schema.ts';
import { parseWaitedFor } from './waited-for.ts';
import type { Path, Problem, YamlSource } from './yaml-source.ts';

/** By the event of a window that names one. */
const FUNCTIONS_OF: { readonly [event: string]: readonly string[] } = {
  call: CALLED_FUNCTIONS,
  return: CALLED_FUNCTIONS,
  callback: CALLED_BACK_FUNCTIONS,
  'callback-return': CALLED_BACK_FUNCTIONS,
};

interface Check {
  readonly scenario: Scenario;
  readonly complain: (path: Path, message: string, part?: 'key' | 'value') => void;
}

/** Everything that is wrong with a scenario that fits its schema. */
export function checkScenario(scenario: Scenario, source: Pick<YamlSource, 'problem'>): Problem[] {
  const problems: Problem[] = [];
  const check: Check = {
    scenario,
    complain: (path, message, part) => problems.push(source.problem(path, message, part)),
  };
  checkVmas(check);
  checkActors(check);
  for (const [at, op] of (scenario.setup ?? []).entries()) {
    checkOp(check, op, op.actor, ['setup', at]);
  }
  for (const [at, matcher] of (scenario.window ?? []).entries()) {
    if (matcher.by !== undefined) checkActorName(check, matcher.by, ['window', at, 'by']);
    if (matcher.at !== undefined) checkPlace(check, matcher.at, 1, ['window', at, 'at']);
    checkFunction(check, matcher, ['window', at, 'function']);
  }
  checkChildren(check);
  checkRounds(check);
  checkCondition(check);
  checkPatches(check);
  checkExpectations(check);
  checkSheet(check);
  return problems;
}

function checkSheet(check: Check): void {
  const { sheet } = check.scenario;
  if (sheet === undefined) return;
  checkPlace(check, sheet.at, 1, ['sheet', 'at']);
  const roles = sheet.cast.map(({ role }) => role);
  for (const [at, { role, actor }] of sheet.cast.entries()) {
    checkActorName(check, actor, ['sheet', 'cast', at, 'actor']);
    if (roles.indexOf(role) < at) {
      check.complain(['sheet', 'cast', at, 'role'], `there is a role "${role}" already`);
    }
  }
  for (const [at, { role, do: verbs, value }] of sheet.cues.entries()) {
    const path: Path = ['sheet', 'cues', at];
    if (!roles.includes(role)) {
      const hint = suggestion(role, roles) || `; the cast has ${roles.join(', ')}`;
      check.complain([...path, 'role'], `nothing in the cast is called "${role}"${hint}`);
    }
    const writes = verbs.some((verb) => verb === 'write' || verb === 'store');
    if (writes && value === undefined) check.complain(path, 'a write needs a value');
  }
}

function checkVmas(check: Check): void {
  const { scenario, complain } = check;
  for (const [at, vma] of scenario.vmas.entries()) {
    const first = firstPageOf(vma);
    if (first + vma.pages > PAGES_MAX) complain(['vmas', at, 'pages'], 'ends beyond 2^47');
    checkFile(check, vma, ['vmas', at]);
    for (const [index, earlier] of scenario.vmas.slice(0, at).entries()) {
      if (earlier.name === vma.name) {
        complain(['vmas', at, 'name'], `vmas[${index}] is called "${vma.name}" already`);
      }
      const start = firstPageOf(earlier);
      if (first < start + earlier.pages && start < first + vma.pages) {
        complain(['vmas', at, 'address'], `overlaps the vma "${earlier.name}"`);
      }
    }
  }
}

function checkFile({ scenario, complain }: Check, { kind, file, offset }: ScenarioVma, path: Path) {
  const isOfFile = kind === 'file-private' || kind === 'file-shared';
  const known = scenario.machine?.files ?? [];
  if (isOfFile && !known.some(({ id }) => id === file)) {
    const ids = known.map(({ id }) => id).join(', ') || 'none';
    complain(path, `${kind} needs the file of a number; machine.files has ${ids}`);
  }
  if (isOfFile) return;
  if (file !== undefined) complain([...path, 'file'], `${kind} has no file`, 'key');
  if (offset !== undefined) complain([...path, 'offset'], `${kind} has no file`, 'key');
}

function checkActors(check: Check): void {
  const { scenario, complain } = check;
  const parameters: Parameters = scenario.parameters ?? {};
  for (const [at, actor] of scenario.actors.entries()) {
    const path: Path = ['actors', at];
    if (scenario.actors.slice(0, at).some((earlier) => earlier.name === actor.name)) {
      complain([...path, 'name'], `there is an actor "${actor.name}" already`);
    }
    if (actor.driver !== undefined) {
      if (actor.kind !== 'device') {
        complain([...path, 'driver'], `a ${actor.kind} has no driver`, 'key');
      } else checkKnown(check, actor.driver, DRIVERS.keys(), 'driver', [...path, 'driver']);
    }
    if (actor.threads !== undefined && actor.program !== undefined) {
      complain([...path, 'threads'], 'an actor has either a program or threads', 'key');
    }
    const count = countOf(actor.count, parameters);
    if (Number.isNaN(count)) {
      const known = Object.keys(parameters).join(', ') || 'none';
      complain([...path, 'count'], `"${actor.count}" names no parameter; known are ${known}`);
    } else if (count < 0 || count > SCENARIO_ACTORS_MAX) {
      complain([...path, 'count'], `comes to ${count}, expected 0 to ${SCENARIO_ACTORS_MAX}`);
    }
    for (const [step, op] of (actor.program ?? []).entries()) {
      checkOp(check, op, actor.name, [...path, 'program', step]);
    }
    for (const [thread, program] of (actor.threads ?? []).entries()) {
      for (const [step, op] of program.entries()) {
        checkOp(check, op, actor.name, [...path, 'threads', thread, step]);
      }
    }
  }
}

/** Of what cannot be done twice, and of rounds in rounds, there is none. */
function checkRounds({ scenario, complain }: Check): void {
  for (const [at, { do: name }] of (scenario.setup ?? []).entries()) {
    if (name === 'repeat') complain(['setup', at, 'do'], 'a setup is done once');
  }
  for (const { ops, path } of programsOf(scenario)) {
    const ends = ops.findIndex((op) => op.do === 'repeat');
    for (const [step, op] of ops.entries()) {
      const where = [...path, step, 'do'];
      if (step < ends && ONCE.has(op.do)) complain(where, `"${op.do}" cannot be repeated`);
      if (op.do !== 'repeat') continue;
      if (step === 0) complain(where, 'there is nothing before it to repeat');
      if (step > ends) complain(where, 'a program repeats once');
      if ((op.times === undefined) === (op.until === undefined)) {
        complain(where, 'expected either "times" or "until"');
      }
    }
  }
}

/** A child has one life, and so has a process. */
const ONCE: ReadonlySet<string> = new Set(['fork', 'exit']);

function programsOf({ actors }: Scenario): { ops: readonly Op[]; path: Path }[] {
  return actors.flatMap((actor, at) =>
    (actor.threads ?? (actor.program === undefined ? [] : [actor.program])).map((ops, thread) => ({
      ops,
      path: ['actors', at, ...(actor.threads === undefined ? ['program'] : ['threads', thread])],
    })),
  );
}

/** A thread is made by one fork, and does nothing before it. */
function checkChildren({ scenario, complain }: Check): void {
  const setup = scenario.setup ?? [];
  const forked = new Set<string>();
  const inPrograms = programsOf(scenario).flatMap(({ ops, path }) =>
    ops.map((op, step) => ({ op, path: [...path, step] })),
  );
  const children = new Set(
    [...setup, ...inPrograms.map(({ op }) => op)].flatMap((op) =>
      op.do === 'fork' ? [op.child] : [],
    ),
  );
  const all = [
    ...setup.map((op, at) => ({ op, actor: op.actor, path: ['setup', at] })),
    ...inPrograms.map((each) => ({ ...each, actor: 'none' })),
  ];
  for (const { op, actor, path } of all) {
    if (actor !== 'none' && children.has(actor) && !forked.has(actor)) {
      complain([...path, 'actor'], `${actor} is not forked yet`);
    }
    if (op.do !== 'fork') continue;
    if (forked.has(op.child)) {
      complain([...path, 'child'], `${op.child} is forked already, and has one life`);
    }
    forked.add(op.child);
  }
}

function checkOp(check: Check, op: Op, actorName: string, path: Path): void {
  const { complain } = check;
  const actor = templateOf(check.scenario, actorName);
  if (actor === undefined) checkActorName(check, actorName, [...path, 'actor']);
  else {
    const kind = kindOfOp(op);
    const able =
      kind === 'any' || kind === actor.kind || (kind === 'kernel' && actor.kind === 'cpu');
    if (!able) {
      const message = `"${op.do}" is for a ${kind}, and ${actorName} is a ${actor.kind}`;
      complain([...path, 'do'], message);
    }
  }
  const pages = 'pages' in op ? (op.pages ?? 1) : 1;
  if ('at' in op) checkPlace(check, op.at, pages, [...path, 'at']);
  if ('to' in op) checkPlace(check, op.to, pages, [...path, 'to']);
  if (op.do === 'wait') checkWaitedFor(check, op.for, [...path, 'for']);
  if (op.do === 'repeat' && op.until !== undefined)
    checkWaitedFor(check, op.until, [...path, 'until']);
  if (op.do === 'fork') checkActorName(check, op.child, [...path, 'child']);
}

function checkWaitedFor(check: Check, text: string, path: Path): void {
  const { actor, op } = parseWaitedFor(text);
  checkActorName(check, actor, path);
  const waited = templateOf(check.scenario, actor);
  if (waited === undefined || op === undefined) return;
  const does = (waited.threads?.flat() ?? waited.program ?? []).map((one) => one.do);
  const times = does.filter((one) => one === op.does).length;
  if (times >= op.times) return;
  const often = times === 0 ? `does no "${op.does}"` : `does "${op.does}" ${times} times`;
  const all = does.length === 0 ? 'it has no program' : `it does ${[...new Set(does)].join(', ')}`;
  check.complain(path, `the program of ${actor} ${often}; ${all}`);
}

/** The actor of the file that is called `name`, or that has an instance of this name. */
function templateOf(scenario: Scenario, name: string) {
  const exact = scenario.actors.find((actor) => actor.name === name);
  if (exact !== undefined) return exact;
  const base = name.replace(/[0-9]+$/, '');
  return scenario.actors.find((actor) => actor.name === base && actor.count !== undefined);
}

function checkFunction({ complain }: Check, { event, function: name }: Matcher, path: Path): void {
  if (name === undefined) return;
  const known = FUNCTIONS_OF[event];
  if (known === undefined) complain(path, `an event "${event}" names no function`, 'key');
  else if (!known.includes(name))
    complain(path, `no event "${event}" names "${name}"${suggestion(name, known)}`);
}

function checkActorName(check: Check, name: string, path: Path): void {
  if (templateOf(check.scenario, name) !== undefined) return;
  const known = check.scenario.actors.map((actor) => actor.name);
  const hint = suggestion(name, known) || `; declared are ${known.join(', ')}`;
  check.complain(path, `the actor "${name}" is not declared${hint}`);
}

function checkPlace(check: Check, text: string, pages: number, path: Path): void {
  const place = findPlace(check.scenario, text);
  if (place === 'unknown') {
    const known = check.scenario.vmas.map((vma) => vma.name);
    const hint = suggestion(text, known) || `; declared are ${known.join(', ')}`;
    check.complain(path, `the vma "${text}" is not declared${hint}`);
  } else if (place.offset + pages > place.vma.pages) {
    check.complain(path, `ends beyond the vma "${place.vma.name}" of ${place.vma.pages} pages`);
  }
}

function checkKnown(
  check: Check,
  name: string,
  known: Iterable<string>,
  what: string,
  path: Path,
): void {
  const names = [...known];
  if (names.includes(name)) return;
  const hint = suggestion(name, names) || `; known are ${names.join(', ')}`;
  check.complain(path, `there is no ${what} "${name}"${hint}`);
}

function checkCondition(check: Check): void {
  for (const [key, text] of Object.entries(check.scenario.condition ?? {})) {
    const path: Path = ['condition', key];
    const parsed = parseCondition(text);
    if (parsed.ok) checkTerms(check, parsed.condition, path);
    else check.complain(path, `character ${parsed.problem.at + 1}: ${parsed.problem.message}`);
  }
}

function checkTerms(check: Check, condition: Condition, path: Path): void {
  for (const term of termsOf(condition)) checkTerm(check, term, path);
}

function checkTerm(check: Check, term: Term, path: Path): void {
  if (term.kind !== 'register') checkPlace(check, term.place, 1, path);
  if (term.kind === 'pte') return;
  checkActorName(check, term.actor, path);
  const actor = templateOf(check.scenario, term.actor);
  if (term.kind === 'mirror' || actor === undefined) return;
  const ops = actor.threads?.flat() ?? actor.program ?? [];
  const registers = ops.flatMap((op) => ('as' in op && op.as !== undefined ? [op.as] : []));
  if (registers.includes(term.register)) return;
  const hint = suggestion(term.register, registers) || `; it has ${registers.join(', ') || 'none'}`;
  check.complain(path, `${term.actor} has no register "${term.register}"${hint}`);
}

function checkPatches(check: Check): void {
  const { patch } = check.scenario.machine ?? {};
  if (patch === undefined) return;
  const path = ['machine', 'patch'];
  if (typeof patch === 'string') checkKnown(check, patch, PATCHES.keys(), 'patch', path);
  else
    for (const [at, one] of patch.entries())
      checkKnown(check, one, PATCHES.keys(), 'patch', [...path, at]);
  const named = patchesIn(jointName([patch].flat()));
  const clash = 'unknown' in named ? 'none' : clashOf(named);
  if (clash !== 'none') check.complain(path, clash);
}

function checkExpectations(check: Check): void {
  const { patches, drivers } = check.scenario.expect;
  if (patches === undefined && drivers === undefined) {
    check.complain(['expect'], 'expected "patches" or "drivers"', 'key');
  }
  for (const name of Object.keys(patches ?? {})) {
    checkKnown(check, name, [STOCK_NAME, ...PATCHES.keys()], 'patch', ['expect', 'patches', name]);
  }
  for (const name of Object.keys(drivers ?? {})) {
    checkKnown(check, name, DRIVERS.keys(), 'driver', ['expect', 'drivers', name]);
  }
  const devices = check.scenario.actors.filter((actor) => actor.kind === 'device');
  if (drivers !== undefined && devices.length === 0) {
    check.complain(['expect', 'drivers'], 'there is no device to drive', 'key');
  }
}
