/** The server's HTTP routes, as server/protocol/http-api.ts describes them. */
import type { Type } from 'typebox';
import {
  CampaignAnswer,
  CampaignsAnswer,
  type Control,
  ControlAnswer,
  CueAnswer,
  DriversAnswer,
  FunctionAnswer,
  FunctionsAnswer,
  HistoryAnswer,
  LabDetail,
  LabsAnswer,
  type NewCue,
  type NewLab,
  NewLabAnswer,
  type NewRun,
  type NewVote,
  PatchAnswer,
  PatchesAnswer,
  RecordingAnswer,
  RunAnswer,
  RunEvents,
  ScenarioCheck,
  ScenariosAnswer,
  ScenarioText,
  TokenAnswer,
  VoteAnswer,
} from '../../server/protocol/http-api.ts';
import { compileCheck } from '../../server/protocol/validators.ts';
import { patientFetch } from '../sdk/patient-fetch.ts';
import { failureWords, type RefusedWords } from './failure-words.ts';
import { doorOf, keepDoor, presenterToken, serverToken } from './shell/memory.ts';

/** A request that failed: `message` says what happened and what to do. */
export class RequestFailed extends Error {
  /** The word of http-errors.ts, or 'unreachable' or 'another-version'. */
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.name = 'RequestFailed';
    this.code = code;
    this.status = status;
  }
}

export const serverApi = {
  scenarios: () => get('/api/scenarios', ScenariosAnswer),
  scenarioText: (name: string) =>
    get(`/api/scenarios/${encodeURIComponent(name)}/text`, ScenarioText),
  checkScenario: (text: string) => ask('POST', '/api/scenarios/check', ScenarioCheck, { text }),
  readToken: (token: string) => ask('POST', '/api/tokens/read', TokenAnswer, { token }),
  readRecording: (text: string) => ask('POST', '/api/recordings/read', RecordingAnswer, { text }),
  patches: () => get('/api/patches', PatchesAnswer),
  patch: (id: string) => get(`/api/patches/${encodeURIComponent(id)}`, PatchAnswer),
  functions: () => get('/api/functions', FunctionsAnswer),
  functionText: (name: string) => get(`/api/functions/${encodeURIComponent(name)}`, FunctionAnswer),
  drivers: () => get('/api/drivers', DriversAnswer),
  campaigns: () => get('/api/campaigns', CampaignsAnswer),
  campaign: (id: string) => get(`/api/campaigns/${encodeURIComponent(id)}`, CampaignAnswer),
  labs: () => get('/api/labs', LabsAnswer),
  /** By name or join code. */
  lab: async (lab: string) => {
    const found = await ask('GET', labPath(lab), LabDetail, undefined, presenterToken(lab));
    keepDoor(found.name, found.joinBy === 'code' ? found.code : '');
    return found;
  },
  /** The events from `from` on, as many as one answer has. */
  history: (lab: string, from: number) =>
    get(`${labPath(lab)}/history?from=${from}`, HistoryAnswer),
  openLab: async (lab: NewLab) => {
    const made = await ask('POST', '/api/labs', NewLabAnswer, lab);
    const { name, code, joinBy } = made.lab;
    keepDoor(name, joinBy === 'code' ? code : '');
    return made;
  },
  closeLab: (lab: string, presenter: string) =>
    ask('DELETE', labPath(lab), 'anything', undefined, presenter),
  control: (lab: string, control: Control, presenter: string) =>
    ask('POST', `${labPath(lab)}/control`, ControlAnswer, control, presenter),
  cue: (lab: string, cue: NewCue) => ask('POST', `${labPath(lab)}/cues`, CueAnswer, cue),
  vote: (lab: string, vote: NewVote) => ask('POST', `${labPath(lab)}/votes`, VoteAnswer, vote),
  /** What could have happened from right behind the event on. */
  exploreFrom: (lab: string, after: number) =>
    ask('POST', `${labPath(lab)}/runs`, RunAnswer, { after }, presenterToken(lab)),
  startRun: (run: NewRun) => ask('POST', '/api/runs', RunAnswer, run),
  run: (id: string) => get(`/api/runs/${encodeURIComponent(id)}`, RunAnswer),
  cancelRun: (id: string) => ask('DELETE', `/api/runs/${encodeURIComponent(id)}`, 'anything'),
  runEvents: (id: string) => get(`/api/runs/${encodeURIComponent(id)}/events`, RunEvents),
};

/** `/api/labs/demo`, as this browser may ask for it. */
export function labPath(lab: string): string {
  return `/api/labs/${encodeURIComponent(doorOf(lab))}`;
}

/** Where a report can be downloaded. */
export function reportAddress(id: string, format: string): string {
  return `/api/runs/${encodeURIComponent(id)}/report/${format}`;
}

function get<Schema extends Type.TSchema>(path: string, schema: Schema) {
  return ask('GET', path, schema);
}

/** The status of `moved` for a page: see server/http/elsewhere.ts. */
const MOVED = 421;
const CHECKS = new WeakMap<object, (value: unknown) => boolean>();

/** Rejects: RequestFailed. */
async function ask<Schema extends Type.TSchema>(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  schema: Schema | 'anything',
  body?: unknown,
  presenter = '',
): Promise<Type.Static<Schema>> {
  const shown = presenter === '' ? serverToken() : presenter;
  const asked = {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(shown === '' ? {} : { authorization: `Bearer ${shown}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  const response = await patientFetch(() => fetch(path, asked)).catch(() => {
    throw new RequestFailed('unreachable', 0, 'The server does not answer. Is it still running?');
  });
  const answer: unknown = await response.json().catch(() => null);
  const there = response.headers.get('location');
  // Another server has the lab, and this page would not be let in there.
  if (response.status === MOVED && there !== null) location.assign(there);
  if (!response.ok) throw failureOf(response.status, answer);
  if (schema !== 'anything' && !accepts(schema, answer)) {
    throw new RequestFailed(
      'another-version',
      response.status,
      'The server answers in a form that this page does not know. Load the page again.',
    );
  }
  return answer as Type.Static<Schema>;
}

function accepts(schema: Type.TSchema, value: unknown): boolean {
  let check = CHECKS.get(schema);
  if (check === undefined) {
    check = compileCheck(schema).accepts;
    CHECKS.set(schema, check);
  }
  return check(value);
}

function failureOf(status: number, answer: unknown): RequestFailed {
  const error = (answer as { readonly error?: RefusedWords & { readonly code?: unknown } } | null)
    ?.error;
  const code = String(error?.code ?? 'failed');
  const text = failureWords(error ?? {});
  return new RequestFailed(code, status, text === '' ? `The server answered ${status}.` : text);
}

/** What went wrong, for a person. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
