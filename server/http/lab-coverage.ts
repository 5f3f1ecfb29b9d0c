/** GET /api/labs/{lab}/coverage: what a lab has run of the kernel. `mmrace coverage` joins it with other runs. */
import type { FastifyInstance } from 'fastify';
import type { Lab } from '../live/lab.ts';
import type { Labs } from '../live/labs.ts';
import { LabCoverage } from '../protocol/http-api.ts';
import { type LabParams, LabPath, labNamed } from './labs.ts';
import { route } from './route.ts';

export function addLabCoverageRoute(app: FastifyInstance, labs: Labs): void {
  app.get<LabParams>(
    '/api/labs/:lab/coverage',
    route({
      summary: 'Which kernel functions and pairs of yield points a lab has reached.',
      description:
        'Since this server made its machine: what came before a checkpoint that it was led back to does not count. ' +
        'The answer is a file that `mmrace coverage` reads.',
      tags: ['labs'],
      params: LabPath,
      answers: { 200: LabCoverage },
    }),
    (request) => labCoverage(labNamed(labs, request.params.lab)),
  );
}

export function labCoverage(lab: Lab): LabCoverage {
  const { functions, pairs: behind, counts } = lab.reached();
  return {
    lab: lab.name,
    functions: [...functions],
    ...counts,
    behind: Object.fromEntries(
      Object.entries(behind).map(([point, others]) => [point, [...others]]),
    ),
  };
}
