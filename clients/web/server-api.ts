/** The server's HTTP routes, as server/protocol/http-api.ts describes them. */
import type Type from 'typebox';
import {
  type Control,
  ControlAnswer,
  DriversAnswer,
  LabDetail,
  LabsAnswer,
  type NewLab,
  NewLabAnswer,
  type NewRun,
  PatchesAnswer,
  RunAnswer,
  RunEvents,
  ScenariosAnswer,
} from '../../server/protocol/http-api.ts';
import { compileCheck } from '../../server/protocol/validators.ts';

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
  patches: () => get('/api/patches', PatchesAnswer),
  drivers: () => get('/api/drivers', DriversAnswer),
  labs: () => get('/api/labs', LabsAnswer),
  /** By name or join code. */
  lab: (lab: string) => get(`/api/labs/${encodeURIComponent(lab)}`, LabDetail),
  openLab: (lab: NewLab) => ask('POST', '/api/labs', NewLabAnswer, lab),
  closeLab: (lab: string, presenter: string) =>
    ask('DELETE', `/api/labs/${encodeURIComponent(lab)}`, 'anything', undefined, presenter),
  control: (lab: string, control: Control, presenter: string) =>
    ask('POST', `/api/labs/${encodeURIComponent(lab)}/control`, ControlAnswer, control, presenter),
  startRun: (run: NewRun) => ask('POST', '/api/runs', RunAnswer, run),
  run: (id: string) => get(`/api/runs/${encodeURIComponent(id)}`, RunAnswer),
  cancelRun: (id: string) => ask('DELETE', `/api/runs/${encodeURIComponent(id)}`, 'anything'),
  runEvents: (id: string) => get(`/api/runs/${encodeURIComponent(id)}/events`, RunEvents),
};

/** Where a report can be downloaded. */
export function reportAddress(id: string, format: string): string {
  return `/api/runs/${encodeURIComponent(id)}/report/${format}`;
}

function get<Schema extends Type.TSchema>(path: string, schema: Schema) {
  return ask('GET', path, schema);
}

const CHECKS = new WeakMap<object, (value: unknown) => boolean>();

/** Rejects: RequestFailed. */
async function ask<Schema extends Type.TSchema>(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  schema: Schema | 'anything',
  body?: unknown,
  presenter = '',
): Promise<Type.Static<Schema>> {
  const response = await fetch(path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(presenter === '' ? {} : { authorization: `Bearer ${presenter}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new RequestFailed('unreachable', 0, 'The server does not answer. Is it still running?');
  });
  const answer: unknown = await response.json().catch(() => null);
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
  const error = (answer as { readonly error?: Partial<Record<string, unknown>> } | null)?.error;
  const code = String(error?.code ?? 'failed');
  const parts = [error?.message, error?.what, error?.remedy].filter(
    (part): part is string => typeof part === 'string' && part !== '',
  );
  const text = parts.join(' ');
  return new RequestFailed(code, status, text === '' ? `The server answered ${status}.` : text);
}

/** What went wrong, for a person. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
