/** For tests: the app over a gateway on a real socket, with real machines unless the test brings its own. */
import type { FastifyInstance, InjectOptions } from 'fastify';
import pino from 'pino';
import { type Harness, startHarness } from '../gateway/gateway.fixture.ts';
import type { LabOptions } from '../live/lab.ts';
import { newLiveMachine } from '../live/new-live-machine.ts';
import { Runs, type RunsOptions } from '../verify/runs/runs.ts';
import { buildApp } from './app.ts';
import type { CampaignShelf } from './campaigns.ts';
import type { LoadOptions } from './load.ts';
import type { Readiness } from './readiness.ts';

export interface HttpHarness {
  readonly app: FastifyInstance;
  readonly gateway: Harness;
  readonly readiness: Readiness;
  /** Lines of the log, as objects. */
  readonly logged: { readonly [name: string]: unknown }[];
  get(url: string, headers?: Headers): Promise<HttpAnswer>;
  post(url: string, body: unknown, headers?: Headers): Promise<HttpAnswer>;
  close(): Promise<void>;
}

interface Headers {
  readonly [name: string]: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: { readonly [name: string]: unknown };
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly body: any;
}

export interface HttpHarnessOptions extends LoadOptions {
  readonly newPool?: NonNullable<RunsOptions['newPool']>;
  readonly pageFolder?: string;
  readonly token?: string;
  readonly ownCode?: 'taken' | 'refused';
  readonly campaigns?: CampaignShelf;
  readonly record?: Exclude<LabOptions['record'], 'none'>;
}

export async function startHttp(options: HttpHarnessOptions = {}): Promise<HttpHarness> {
  const {
    newPool,
    pageFolder,
    rate,
    pressure,
    token,
    ownCode,
    campaigns,
    record = 'none',
  } = options;
  const gateway = await startHarness(newLiveMachine, record, token === undefined ? 'name' : 'code');
  const logged: HttpHarness['logged'] = [];
  const readiness: Readiness = { state: 'ready', recordingProblem: async () => 'none' };
  const runs = new Runs({
    modelHash: 'abcdef0123456789',
    onFailure: () => undefined,
    ...(newPool === undefined ? {} : { newPool }),
  });
  const app = buildApp({
    gateway: gateway.gateway,
    labs: gateway.labs,
    runs,
    readiness,
    model: { hash: 'abc', version: '1.2.3' },
    hostNames: ['lab.example'],
    log: pino({ level: 'info' }, { write: (line) => logged.push(JSON.parse(line)) }),
    ...(pageFolder === undefined ? {} : { pageFolder }),
    ...(rate === undefined ? {} : { rate }),
    ...(pressure === undefined ? {} : { pressure }),
    ...(token === undefined ? {} : { token }),
    ...(ownCode === undefined ? {} : { ownCode }),
    ...(campaigns === undefined ? {} : { campaigns }),
  });
  const inject = async (request: InjectOptions): Promise<HttpAnswer> => {
    const answer = await app.inject(request);
    const { statusCode: status, headers, body: text } = answer;
    const isJson = String(headers['content-type']).startsWith('application/json');
    return { status, headers, text, body: isJson && text !== '' ? answer.json() : text };
  };
  return {
    app,
    gateway,
    readiness,
    logged,
    get: (url, headers = {}) => inject({ method: 'GET', url, headers }),
    post: (url, body, headers = {}) =>
      inject({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/json', ...headers },
        payload: JSON.stringify(body),
      }),
    close: async () => {
      await app.close();
      await runs.close();
      await gateway.close();
    },
  };
}
