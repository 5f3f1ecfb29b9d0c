/** /api/labs and /api/join: labs are opened, listed, looked at and deleted; a join code is looked up. */

import { randomInt } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { strict } from '../abi/scalars.ts';
import type { Elsewhere } from '../live/elsewhere.ts';
import type { Lab } from '../live/lab.ts';
import { newLabInit } from '../live/lab-init.ts';
import { type Labs, STOCK_MACHINE } from '../live/labs.ts';
import { EMPTY_SCENE, type Scene } from '../live/scene.ts';
import type { MachineConfig } from '../machine/machine-config.ts';
import { STOCK_NAME } from '../patches/joint-name.ts';
import { clashOf, patchesIn } from '../patches/patch-set.ts';
import {
  LabAnswer,
  LabDetail,
  LabsAnswer,
  NewLab,
  NewLabAnswer,
  type RunEvents,
} from '../protocol/http-api.ts';
import { looksLikeJoinCode } from '../protocol/join-code.ts';
import { LABS_PER_ADDRESS_MAX } from '../protocol/limits.ts';
import { counterexampleSheet } from '../scenario/counterexample-sheet.ts';
import { ledSheet } from '../scenario/led-sheet.ts';
import { type LiveScenario, liveScenario } from '../scenario/live-scenario.ts';
import {
  AS_WRITTEN,
  BadChoice,
  planScenario,
  type ScenarioPlan,
} from '../scenario/scenario-plan.ts';
import type { Runs } from '../verify/runs/runs.ts';
import { bearerOf } from './error-answers.ts';
import { HttpFailure } from './http-failure.ts';
import { type JoinBy, labDetail, labEntry } from './lab-view.ts';
import type { Readiness } from './readiness.ts';
import { route } from './route.ts';
import type { ScenarioShelf } from './scenarios.ts';

const tags = ['labs'];

/** `name` in the path is a lab's name, or its join code. */
export const LabPath = strict({ lab: Type.String({ minLength: 1, maxLength: 64 }) });
export interface LabParams {
  readonly Params: { readonly lab: string };
}

export interface LabRouteOptions {
  readonly labs: Labs;
  readonly shelf: ScenarioShelf;
  readonly runs: Runs;
  readonly readiness: Readiness;
  readonly joinBy: JoinBy;
  readonly elsewhere: Elsewhere;
}

export function addLabRoutes(app: FastifyInstance, options: LabRouteOptions): void {
  const { labs, shelf, runs, readiness, joinBy, elsewhere } = options;
  app.get(
    '/api/labs',
    route({
      summary:
        'The labs that are open: those of this server, and what others have that share its Redis.',
      tags,
      answers: { 200: LabsAnswer },
    }),
    async () => ({
      labs: labs.all().map((lab) => labEntry(lab, joinBy)),
      elsewhere: await elsewhere.labs(),
    }),
  );

  app.post<{ readonly Body: NewLab }>(
    '/api/labs',
    route({
      summary: 'Opens a lab: empty, or from a scenario that ships.',
      description:
        'The memory of a scenario is mapped and its setup done, as far as no device is needed; `todo` lists ' +
        'the rest. The lab is closed when it has been empty for a minute.',
      tags,
      body: NewLab,
      answers: { 201: NewLabAnswer },
    }),
    async (request, reply) => {
      if (readiness.state === 'going') throw new HttpFailure('going', '');
      const asked = askedByRun(runs, request.body);
      const name = await ownName(labs, elsewhere, asked);
      const lab = openLab(labs, shelf, { ...asked, name }, request.ip, elsewhere);
      request.log.info({ lab: lab.name, code: lab.joinCode }, 'a lab is opened');
      reply.code(201);
      return { lab: labDetail(lab, joinBy), presenterToken: lab.presenter.token };
    },
  );

  app.get<LabParams>(
    '/api/labs/:lab',
    route({
      summary: 'One lab, with its tasks and the places of its scenario.',
      tags,
      params: LabPath,
      answers: { 200: LabDetail },
    }),
    (request) => labDetail(labNamed(labs, request.params.lab), joinBy),
  );

  app.delete<LabParams>(
    '/api/labs/:lab',
    route({
      summary: 'Closes a lab. For its presenter.',
      tags,
      params: LabPath,
      answers: { 200: LabAnswer },
    }),
    (request) => {
      const lab = labNamed(labs, request.params.lab);
      if (!lab.presenter.is(bearerOf(request))) throw new HttpFailure('presenter-only', lab.name);
      const entry = labEntry(lab, joinBy);
      labs.remove(lab);
      request.log.info({ lab: lab.name }, 'a lab is deleted');
      return { lab: entry };
    },
  );

  app.get<{ readonly Params: { readonly code: string } }>(
    '/api/join/:code',
    route({
      summary: 'The lab that has a join code.',
      tags,
      params: strict({ code: Type.String({ minLength: 1, maxLength: 64 }) }),
      answers: { 200: LabAnswer },
    }),
    (request) => {
      const lab = labs.withCode(request.params.code);
      if (lab === 'none') throw new HttpFailure('no-such-code', `code: ${request.params.code}`);
      return { lab: labEntry(lab, joinBy) };
    },
  );
}

/** By name or join code. Throws: HttpFailure. */
export function labNamed(labs: Labs, nameOrCode: string): Lab {
  const lab = labs.find(nameOrCode);
  if (lab === 'none') throw new HttpFailure('no-such-lab', `lab: ${nameOrCode}`);
  return lab;
}

/** By name or join code, where it was left. Throws: HttpFailure. */
export function openLabNamed(labs: Labs, nameOrCode: string): Lab {
  const lab = labNamed(labs, nameOrCode);
  const { name, standing } = lab;
  if (standing.state === 'restoring') throw new HttpFailure('restoring', `lab: ${name}`);
  if (standing.state === 'damaged') {
    throw new HttpFailure('lab-damaged', `lab: ${name}: ${standing.why}`);
  }
  return lab;
}

/** Throws: HttpFailure. */
export function checkPatch(patch: string, what: string): string {
  const patches = patchesIn(patch);
  if ('unknown' in patches) throw new HttpFailure('no-such-patch', `${what}: ${patches.unknown}`);
  const clash = clashOf(patches);
  if (clash !== 'none') throw new HttpFailure('bad-choice', `${what}: ${clash}`);
  return patch;
}

/** A lab as it is asked for, and the execution that its run sheet is to follow. */
interface Asked extends NewLab {
  readonly execution?: Pick<RunEvents, 'events' | 'steps'>;
}

/** What is asked for by its run. Throws: HttpFailure. */
function askedByRun(runs: Runs, { run: id, ...asked }: NewLab): Asked {
  if (id === undefined) return asked;
  const run = runs.get(id);
  if (run === 'none') throw new HttpFailure('no-such-run', `body.run: ${id}`);
  if (run.result === 'none') throw new HttpFailure('run-not-done', `body.run: ${id}`);
  const { scenario, kernel, patch, parameters, text, code } = run.question;
  if (text !== undefined || code !== undefined || run.moment !== 'none') {
    throw new HttpFailure(
      'bad-choice',
      'body.run: a lab begins with a scenario and patch that ship',
    );
  }
  const chosen = kernel === undefined ? {} : { kernel };
  return { scenario, ...chosen, patch, parameters, ...asked, execution: run.result.events };
}

/** The name for a new lab, which no other server gives away from now on. Throws: HttpFailure. */
async function ownName(labs: Labs, elsewhere: Elsewhere, asked: NewLab): Promise<string> {
  for (;;) {
    const name = asked.name ?? freeName(labs, asked.scenario ?? 'lab');
    if (labs.find(name) !== 'none') throw new HttpFailure('lab-exists', `body.name: ${name}`);
    if (looksLikeJoinCode(name)) {
      throw new HttpFailure('bad-request', 'body.name: expected a name that no join code could be');
    }
    const { state } = await elsewhere.find(name, 'create');
    if (state === 'here') return name;
    if (state === 'stalled') throw new HttpFailure('stalled', '');
    if (asked.name !== undefined) throw new HttpFailure('lab-exists', `body.name: ${name}`);
  }
}

function openLab(
  labs: Labs,
  shelf: ScenarioShelf,
  asked: Asked & { readonly name: string },
  address: string,
  elsewhere: Elsewhere,
): Lab {
  const { name } = asked;
  try {
    return openedLab(labs, shelf, asked, address);
  } finally {
    if (labs.get(name) === 'none') elsewhere.notOpened(name);
  }
}

function openedLab(
  labs: Labs,
  shelf: ScenarioShelf,
  asked: Asked & { readonly name: string },
  address: string,
): Lab {
  const { name } = asked;
  const patch = checkPatch(asked.patch ?? STOCK_NAME, 'body.patch');
  if (labs.find(name) !== 'none') throw new HttpFailure('lab-exists', `body.name: ${name}`);
  const { config, scene } = beginning(shelf, asked, patch);
  if (labs.openedBy(address) >= LABS_PER_ADDRESS_MAX) {
    throw new HttpFailure('too-many-labs', 'LABS_PER_ADDRESS_MAX');
  }
  const lab = labs.open(name, config, 'passing', newLabInit(scene), address);
  if (lab === 'too-many') throw new HttpFailure('too-many-labs', 'LABS_MAX');
  return lab;
}

function beginning(
  shelf: ScenarioShelf,
  asked: Asked,
  patch: string,
): { readonly config: MachineConfig; readonly scene: Scene } {
  const { scenario: name, kernel, parameters = {}, leaseMs, graceMs } = asked;
  const chosen = kernel === undefined ? {} : { kernel };
  const times = {
    ...(leaseMs === undefined ? {} : { leaseMs }),
    ...(graceMs === undefined ? {} : { graceMs }),
  };
  if (name === undefined) {
    return {
      config: { ...STOCK_MACHINE, ...chosen, patch },
      scene: { ...EMPTY_SCENE, ...times },
    };
  }
  const scenario = shelf.get(name, 'body.scenario');
  try {
    const plan = planScenario(scenario, { ...AS_WRITTEN, ...chosen, parameters });
    const { config, ...scene } = liveScenario(plan, patch);
    return { config, scene: { scenario: name, ...led(plan, scene, asked), ...times } };
  } catch (error) {
    throw choiceFailure(error);
  }
}

/** Led as the counterexample goes, if it can be: else it is told why not. */
function led<Scene extends Pick<LiveScenario, 'seats' | 'todo' | 'sheet' | 'page'>>(
  plan: ScenarioPlan,
  scene: Scene,
  { execution, patch = STOCK_NAME }: Asked,
): Scene {
  if (execution === undefined) return scene;
  const { scenario } = plan;
  const { seats, todo } = scene;
  const { events, steps } = execution;
  // Whole calls need no hand: people press them.
  const whole = counterexampleSheet({ scenario, seats, todo, events });
  if ('sheet' in whole) return { ...scene, ...whole };
  const patches = patchesIn(patch);
  const inside = ledSheet({
    scenario,
    seats,
    events,
    plan,
    steps,
    patches: 'unknown' in patches ? [] : patches,
    left: todo.length,
  });
  if ('sheet' in inside) return { ...scene, ...inside, todo: [] };
  return { ...scene, todo: [...todo, inside.why] };
}

/** A choice that does not fit a scenario is the caller's mistake; all else is ours. */
export function choiceFailure(error: unknown): unknown {
  return error instanceof BadChoice
    ? new HttpFailure('bad-choice', `body: ${error.message}`)
    : error;
}

/** `seed-zero-page-417`. */
function freeName(labs: Labs, stem: string): string {
  for (;;) {
    const name = `${stem}-${randomInt(100, 1_000)}`;
    if (labs.find(name) === 'none') return name;
  }
}
