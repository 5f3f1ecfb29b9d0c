/** /api/runs: questions to the explorer, their progress, verdicts, reports and events. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { KERNEL_IDS } from '../abi/kernel-ids.ts';
import { strict, word } from '../abi/scalars.ts';
import type { Labs } from '../live/labs.ts';
import { STOCK_NAME } from '../patches/joint-name.ts';
import {
  NewMomentRun,
  NewRun,
  NewToken,
  RunAnswer,
  type RunEntry,
  RunEvents,
  RunsAnswer,
  TokenAnswer,
} from '../protocol/http-api.ts';
import { FORMAT_NAMES } from '../report/format-names.ts';
import { FORMATS } from '../report/formats.ts';
import { type Counterexample, kernelOf } from '../verify/counterexample/counterexample.ts';
import { BadToken, parseToken } from '../verify/counterexample/counterexample-token.ts';
import { MOMENT_ENTRIES_MAX } from '../verify/runs/moment-run.ts';
import type { RunResult } from '../verify/runs/run-task.ts';
import type { Run, Runs } from '../verify/runs/runs.ts';
import { HttpFailure } from './http-failure.ts';
import { checkPatch, choiceFailure, type LabParams, LabPath, openLabNamed } from './labs.ts';
import type { Readiness } from './readiness.ts';
import { route } from './route.ts';
import type { ScenarioShelf } from './scenarios.ts';

const tags = ['runs'];
const RunPath = strict({ id: Type.String({ minLength: 1, maxLength: 32 }) });
interface RunParams {
  readonly Params: { readonly id: string };
}

export interface RunRouteOptions {
  readonly runs: Runs;
  readonly shelf: ScenarioShelf;
  readonly labs: Labs;
  readonly readiness: Readiness;
  readonly ownCode: 'taken' | 'refused';
}

export function addRunRoutes(app: FastifyInstance, options: RunRouteOptions): void {
  const { runs, shelf, labs, readiness, ownCode } = options;
  app.post<{ readonly Body: NewRun }>(
    '/api/runs',
    route({
      summary: 'Explores a scenario: holds, broken or unknown.',
      description:
        'Answers at once. Runs are explored a few at a time, in the order in which they came; 429 if too many wait. ' +
        'Patches and drivers are those that ship; with files of your own use `mmrace explore`. ' +
        'A scenario may be your own; a patch (`code`) where GET /api/patches says that code is taken.',
      tags,
      body: NewRun,
      answers: { 202: RunAnswer },
    }),
    (request, reply) => {
      if (readiness.state === 'going') throw new HttpFailure('going', '');
      const { body } = request;
      if (body.code !== undefined && ownCode === 'refused') {
        throw new HttpFailure('no-code-here', '');
      }
      if (body.text === undefined) shelf.get(body.scenario, 'body.scenario');
      checkPatch(body.patch ?? STOCK_NAME, 'body.patch');
      const run = startRun(runs, body);
      const { code = '', text: _, ...question } = run.question;
      request.log.info({ run: run.id, ...question, code: code.length }, 'a run is asked for');
      reply.code(202).header('location', `/api/runs/${run.id}`);
      return { run: runEntry(run) };
    },
  );

  app.post<LabParams & { readonly Body: NewMomentRun }>(
    '/api/labs/:lab/runs',
    route({
      summary: 'Explores what could have happened in a lab from an event on.',
      description:
        `The ${MOMENT_ENTRIES_MAX} things that clients did after that moment are tried in every order that matters; ` +
        'as `mmrace explore --from` does with a recording.',
      tags,
      params: LabPath,
      body: NewMomentRun,
      answers: { 202: RunAnswer },
    }),
    async (request, reply) => {
      if (readiness.state === 'going') throw new HttpFailure('going', '');
      const lab = openLabNamed(labs, request.params.lab);
      const moment = await lab.momentBehind(request.body.after);
      if (moment === 'nothing') throw new HttpFailure('nothing-follows', `lab: ${lab.name}`);
      if ('tooFar' in moment) throw new HttpFailure('too-far-back', moment.tooFar);
      const run = runs.startMoment(lab.name, { config: lab.config, ...moment });
      if (run === 'too-many') throw new HttpFailure('too-many-runs', '');
      reply.code(202).header('location', `/api/runs/${run.id}`);
      return { run: runEntry(run) };
    },
  );

  app.post<{ readonly Body: { readonly token: string } }>(
    '/api/tokens/read',
    route({
      summary: 'The question that a counterexample answers, to be asked again.',
      description:
        'Of tokens (`mmr1.…`) with patches and drivers that ship; `mmrace replay` takes all.',
      tags,
      body: NewToken,
      answers: { 200: TokenAnswer },
    }),
    (request) => askedByToken(request.body.token),
  );

  app.get(
    '/api/runs',
    route({
      summary: 'The runs that are known, without their verdicts.',
      tags,
      answers: { 200: RunsAnswer },
    }),
    () => ({ runs: runs.all().map(bareEntry) }),
  );

  const one = { tags, params: RunPath, answers: { 200: RunAnswer } };
  app.get<RunParams>(
    '/api/runs/:id',
    route({ summary: 'One run: how far it is, or its verdict.', ...one }),
    (request) => ({ run: runEntry(runNamed(runs, request.params.id)) }),
  );
  app.delete<RunParams>(
    '/api/runs/:id',
    route({ summary: 'Cancels a run; one that is over stays as it is.', ...one }),
    (request) => {
      const run = runNamed(runs, request.params.id);
      runs.cancel(run);
      return { run: runEntry(run) };
    },
  );

  app.get<RunParams>(
    '/api/runs/:id/events',
    route({
      summary: 'The counterexample, event by event, with its nearest safe sibling.',
      description: 'Without a counterexample: the first execution that comes.',
      tags,
      params: RunPath,
      answers: { 200: RunEvents },
    }),
    (request) => resultOf(runNamed(runs, request.params.id)).events,
  );

  app.get<{
    readonly Params: { readonly id: string; readonly format: keyof RunResult['reports'] };
  }>(
    '/api/runs/:id/report/:format',
    route({
      summary: 'The run as a report, a file to keep.',
      description: 'The formats are those of `mmrace explore --format`.',
      tags,
      params: strict({ ...RunPath.properties, format: word(...FORMAT_NAMES) }),
      produces: ['text/plain', 'application/json', 'text/html'],
      answers: {},
    }),
    (request, reply) => {
      const { id, format } = request.params;
      const run = runNamed(runs, id);
      const report = resultOf(run).reports[format];
      const { contentType, extension } = FORMATS[format];
      const ending = format === extension ? extension : `${format}.${extension}`;
      const file = `${run.question.scenario}.${run.question.patch}.${ending}`;
      reply.header('content-disposition', `attachment; filename="${file}"`);
      reply.type(contentType);
      return report;
    },
  );
}

/** Throws: HttpFailure. */
function askedByToken(token: string): TokenAnswer {
  let found: Counterexample;
  try {
    found = parseToken(token);
  } catch (error) {
    throw error instanceof BadToken
      ? new HttpFailure('bad-choice', `body.token: ${error.message}`)
      : error;
  }
  const { scenario, patch, parameters, failure } = found;
  const kernel = KERNEL_IDS.find((id) => id === kernelOf(found));
  if (found.from !== undefined || kernel === undefined) {
    throw new HttpFailure(
      'bad-choice',
      'body.token: it is of a moment of a recording, or of a kernel that is not here',
    );
  }
  const question: NewRun = {
    scenario: scenario.name,
    ...(scenario.data === undefined ? {} : { text: JSON.stringify(scenario.data, null, 2) }),
    kernel,
    patch: checkPatch(patch.name, 'body.token'),
    driver: Object.entries(found.drivers).map(([actor, { name }]) =>
      actor === '*' ? name : `${actor}=${name}`,
    ),
    parameters,
  };
  return { question, failure };
}

/** Throws: HttpFailure. */
function startRun(runs: Runs, asked: NewRun): Run {
  let run: Run | 'too-many';
  try {
    run = runs.start(asked);
  } catch (error) {
    throw choiceFailure(error);
  }
  if (run === 'too-many') throw new HttpFailure('too-many-runs', '');
  return run;
}

/** Throws: HttpFailure. */
function runNamed(runs: Runs, id: string): Run {
  const run = runs.get(id);
  if (run === 'none') throw new HttpFailure('no-such-run', `id: ${id}`);
  return run;
}

/** Throws: HttpFailure. */
function resultOf(run: Run): RunResult {
  if (run.result !== 'none') return run.result;
  throw new HttpFailure('run-not-done', `run ${run.id} is ${run.state}`);
}

function bareEntry({ id, state, question, progress }: Run): RunEntry {
  return { id, state, question, progress };
}

function runEntry(run: Run): RunEntry {
  return {
    ...bareEntry(run),
    ...(run.result === 'none' ? {} : { verdict: run.result.verdict }),
    ...(run.failure === '' ? {} : { failure: run.failure }),
  };
}
