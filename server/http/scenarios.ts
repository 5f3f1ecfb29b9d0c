/** GET /api/scenarios, /api/patches, /api/drivers: what ships, to choose from. */
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { DRIVERS } from '../../clients/drivers/catalogue/drivers.ts';
import { DEFAULT_KERNEL, KERNEL_IDS, type KernelId } from '../abi/kernel-ids.ts';
import { strict, word } from '../abi/scalars.ts';
import type { KernelVersion } from '../kernel/versions/kernel-version.ts';
import { KERNELS, kernelFunctions } from '../kernel/versions/kernels.ts';
import { STOCK_NAME } from '../patches/joint-name.ts';
import { PATCHES } from '../patches/patches.ts';
import {
  DriversAnswer,
  FunctionAnswer,
  FunctionsAnswer,
  KernelsAnswer,
  PatchAnswer,
  PatchesAnswer,
  ScenarioCheck,
  type ScenarioEntry,
  ScenariosAnswer,
  ScenarioText,
} from '../protocol/http-api.ts';
import { DEFAULT_DRIVER } from '../scenario/instances.ts';
import { functionNames, patchToBeginWith } from '../scenario/kernel-source.ts';
import { opWords } from '../scenario/op-words.ts';
import { patchDiff } from '../scenario/patch-diff.ts';
import { patchSource } from '../scenario/patch-source.ts';
import { readScenario } from '../scenario/read-scenario.ts';
import type { Scenario } from '../scenario/scenario-schema.ts';
import {
  shippedScenario,
  shippedScenarioFile,
  shippedScenarioNames,
} from '../scenario/shipped-scenarios.ts';
import { HttpFailure } from './http-failure.ts';
import { route } from './route.ts';

/** The scenarios that ship, each read once, when it is first asked for. */
export class ScenarioShelf {
  readonly #read = new Map<string, Scenario>();

  all(): Scenario[] {
    return shippedScenarioNames().map((name) => this.get(name, 'name'));
  }

  /** Throws: HttpFailure. `what` is the part of the request that names it. */
  get(name: string, what: string): Scenario {
    const found = this.#read.get(name) ?? shippedScenario(name);
    if (found === 'none') throw new HttpFailure('no-such-scenario', `${what}: ${name}`);
    this.#read.set(name, found);
    return found;
  }
}

export function addScenarioRoutes(
  app: FastifyInstance,
  shelf: ScenarioShelf,
  ownCode: 'taken' | 'refused',
): void {
  app.get(
    '/api/scenarios',
    route({
      summary: 'The scenarios that ship.',
      tags: ['scenarios'],
      answers: { 200: ScenariosAnswer },
    }),
    () => ({ scenarios: shelf.all().map(scenarioEntry) }),
  );
  app.get<{ readonly Params: { readonly name: string } }>(
    '/api/scenarios/:name/text',
    route({
      summary: 'The file of a scenario that ships.',
      tags: ['scenarios'],
      params: strict({ name: Type.String({ minLength: 1, maxLength: 64 }) }),
      answers: { 200: ScenarioText },
    }),
    ({ params: { name } }) => {
      shelf.get(name, 'name');
      return { text: readFileSync(shippedScenarioFile(name), 'utf8') };
    },
  );
  app.post<{ readonly Body: ScenarioText }>(
    '/api/scenarios/check',
    route({
      summary: 'What is wrong with a scenario, line by line.',
      tags: ['scenarios'],
      body: ScenarioText,
      answers: { 200: ScenarioCheck },
    }),
    ({ body: { text } }) => checkOf(text),
  );
  app.get(
    '/api/patches',
    route({
      summary: 'The patches that ship, the stock kernel first.',
      tags: ['scenarios'],
      answers: { 200: PatchesAnswer },
    }),
    () => ({ patches: [STOCK, ...[...PATCHES.values()].map(patchEntry)], ownCode }),
  );
  app.get(
    '/api/functions',
    route({
      summary: 'The kernel functions that a patch may replace.',
      tags: ['scenarios'],
      answers: { 200: FunctionsAnswer },
    }),
    () => ({ functions: functionNames() }),
  );
  app.get<{
    readonly Params: { readonly name: string };
    readonly Querystring: { readonly kernel?: KernelId };
  }>(
    '/api/functions/:name',
    route({
      summary: 'A patch that replaces one function by itself, to begin with.',
      tags: ['scenarios'],
      params: strict({ name: Type.String({ minLength: 1, maxLength: 64 }) }),
      querystring: strict({ kernel: Type.Optional(word(...KERNEL_IDS)) }),
      answers: { 200: FunctionAnswer },
    }),
    ({ params: { name }, query: { kernel = DEFAULT_KERNEL } }) => {
      const text = patchToBeginWith(name, kernel);
      if (text === 'unknown') throw new HttpFailure('not-found', `name: ${name}`);
      return { name, text };
    },
  );
  app.get<{
    readonly Params: { readonly id: string };
    readonly Querystring: { readonly kernel?: KernelId };
  }>(
    '/api/patches/:id',
    route({
      summary: 'What a patch that ships changes: a unified diff, and its file.',
      tags: ['scenarios'],
      params: strict({ id: Type.String({ minLength: 1, maxLength: 64 }) }),
      querystring: strict({ kernel: Type.Optional(word(...KERNEL_IDS)) }),
      answers: { 200: PatchAnswer },
    }),
    ({ params: { id }, query: { kernel = DEFAULT_KERNEL } }) => {
      const patch = PATCHES.get(id);
      if (patch === undefined) throw new HttpFailure('no-such-patch', `id: ${id}`);
      const diff = patchDiff(kernelFunctions(kernel), patch);
      return { patch: patchEntry(patch), diff, source: patchSource(id) };
    },
  );
  app.get(
    '/api/kernels',
    route({
      summary: 'The kernels to choose from, the oldest first, each with what it changes.',
      tags: ['scenarios'],
      answers: { 200: KernelsAnswer },
    }),
    () => ({ kernels: KERNEL_IDS.map((id) => kernelEntry(KERNELS[id])) }),
  );
  app.get(
    '/api/drivers',
    route({
      summary: 'The drivers that ship, for the devices of a run.',
      tags: ['scenarios'],
      answers: { 200: DriversAnswer },
    }),
    () => ({ drivers: [...DRIVERS.values()].map(({ id, summary }) => ({ name: id, summary })) }),
  );
}

function checkOf(text: string): ScenarioCheck {
  const read = readScenario(text, '');
  if (read.ok) return { problems: [], scenario: scenarioEntry(read.scenario) };
  return {
    problems: read.problems.map(({ line, column, path, message }) => ({
      line,
      column,
      path,
      message,
    })),
  };
}

const STOCK = {
  id: STOCK_NAME,
  summary: 'the kernel without patches',
  provenance: 'Linux, as docs/FIDELITY.md says function by function',
};

function patchEntry({ id, summary, provenance }: { readonly [Key in keyof typeof STOCK]: string }) {
  return { id, summary, provenance };
}

function kernelEntry({ id, source, recorded, base, changes }: KernelVersion) {
  return {
    id,
    source,
    recorded,
    base: base === 'none' ? null : base,
    changes: changes.map(({ since, commit, summary }) => ({ since, commit, summary })),
  };
}

function scenarioEntry(scenario: Scenario): ScenarioEntry {
  const { name, title, provenance, museum, story, affects, parameters = {}, expect } = scenario;
  return {
    name,
    title,
    provenance: provenance.trim(),
    ...(museum === undefined ? {} : { museum }),
    ...(story === undefined ? {} : { story: story.trim() }),
    ...(affects === undefined ? {} : { affects }),
    parameters,
    actors: scenario.actors.map((actor) => ({
      name: actor.name,
      kind: actor.kind,
      ...(actor.kind === 'device' ? { driver: actor.driver ?? DEFAULT_DRIVER } : {}),
      ...(actor.count === undefined ? {} : { count: actor.count }),
      program: (actor.threads ?? [actor.program ?? []]).flat().map(opWords),
    })),
    expect: { patches: expect.patches ?? {}, drivers: expect.drivers ?? {} },
  };
}
