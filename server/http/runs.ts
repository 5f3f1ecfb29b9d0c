/** /api/runs: questions to the explorer, their progress, verdicts, reports and events. */
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { strict, word } from '../abi/scalars.ts';
import { STOCK_NAME } from '../patches/patches.ts';
import { NewRun, RunAnswer, type RunEntry, RunEvents, RunsAnswer } from '../protocol/http-api.ts';
import { FORMAT_NAMES } from '../report/format-names.ts';
import { FORMATS } from '../report/formats.ts';
import type { RunResult } from '../verify/runs/run-task.ts';
import type { Run, Runs } from '../verify/runs/runs.ts';
import { HttpFailure } from './http-failure.ts';
import { checkPatch, choiceFailure } from './labs.ts';
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
  readonly readiness: Readiness;
}

export function addRunRoutes(app: FastifyInstance, options: RunRouteOptions): void {
  const { runs, shelf, readiness } = options;
  app.post<{ readonly Body: NewRun }>(
    '/api/runs',
    route({
      summary: 'Explores a scenario: holds, broken or unknown.',
      description:
        'Answers at once. Runs are explored a few at a time, in the order in which they came; 429 if too many wait. ' +
        'Patches and drivers are those that ship; with files of your own use `mmrace explore`.',
      tags,
      body: NewRun,
      answers: { 202: RunAnswer },
    }),
    (request, reply) => {
      if (readiness.state === 'going') throw new HttpFailure('going', '');
      const { body } = request;
      shelf.get(body.scenario, 'body.scenario');
      checkPatch(body.patch ?? STOCK_NAME, 'body.patch');
      const run = startRun(runs, body);
      request.log.info({ run: run.id, ...run.question }, 'a run is asked for');
      reply.code(202).header('location', `/api/runs/${run.id}`);
      return { run: runEntry(run) };
    },
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
      reply.header('x-content-type-options', 'nosniff');
      reply.type(contentType);
      return report;
    },
  );
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
