/** /api/labs and /api/join: labs are opened, listed, looked at and deleted; a join code is looked up. */

import { randomInt } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { strict } from '../abi/scalars.ts';
import type { Lab } from '../live/lab.ts';
import { newLabInit } from '../live/lab-init.ts';
import { type Labs, STOCK_MACHINE } from '../live/labs.ts';
import { EMPTY_SCENE, type Scene } from '../live/scene.ts';
import type { MachineConfig } from '../machine/machine-config.ts';
import { STOCK_NAME } from '../patches/joint-name.ts';
import { clashOf, patchesIn } from '../patches/patch-set.ts';
import { LabAnswer, LabDetail, LabsAnswer, NewLab, NewLabAnswer } from '../protocol/http-api.ts';
import { looksLikeJoinCode } from '../protocol/join-code.ts';
import { LABS_PER_ADDRESS_MAX } from '../protocol/limits.ts';
import { liveScenario } from '../scenario/live-scenario.ts';
import { AS_WRITTEN, BadChoice, planScenario } from '../scenario/scenario-plan.ts';
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
  readonly readiness: Readiness;
  readonly joinBy: JoinBy;
}

export function addLabRoutes(app: FastifyInstance, options: LabRouteOptions): void {
  const { labs, shelf, readiness, joinBy } = options;
  app.get(
    '/api/labs',
    route({ summary: 'The labs that are open.', tags, answers: { 200: LabsAnswer } }),
    () => ({ labs: labs.all().map((lab) => labEntry(lab, joinBy)) }),
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
    (request, reply) => {
      if (readiness.state === 'going') throw new HttpFailure('going', '');
      const lab = openLab(labs, shelf, request.body, request.ip);
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

function openLab(labs: Labs, shelf: ScenarioShelf, asked: NewLab, address: string): Lab {
  const patch = checkPatch(asked.patch ?? STOCK_NAME, 'body.patch');
  const name = asked.name ?? freeName(labs, asked.scenario ?? 'lab');
  if (looksLikeJoinCode(name)) {
    throw new HttpFailure('bad-request', 'body.name: expected a name that no join code could be');
  }
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
  asked: NewLab,
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
    return { config, scene: { scenario: name, ...scene, ...times } };
  } catch (error) {
    throw choiceFailure(error);
  }
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
