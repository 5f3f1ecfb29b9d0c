/** A look at a server before a command joins it: is one there, is it ours, does it have the lab? */

import { readFileSync } from 'node:fs';
import type { LabEntry } from '../../server/protocol/http-api.ts';
import type { HttpErrorName } from '../../server/protocol/http-errors.ts';
import { SUBPROTOCOL } from '../../server/protocol/limits.ts';
import { suggestion } from '../../server/vocabulary/nearest-word.ts';
import { movedFetch } from '../sdk/moved-fetch.ts';
import { patientFetch } from '../sdk/patient-fetch.ts';
import { Unavailable, UsageError } from './failure.ts';

/** Milliseconds for one answer. */
const ANSWER_MS = 5_000;

export interface ServerVersion {
  readonly protocol: string;
  readonly version: string;
  readonly modelHash: string;
}

/** What answers at an address. */
export type Reached =
  | { readonly kind: 'mmrace'; readonly server: ServerVersion }
  | { readonly kind: 'other-protocol'; readonly server: ServerVersion }
  | { readonly kind: 'not-mmrace' }
  | { readonly kind: 'no server'; readonly why: string };

/** `http://127.0.0.1:7070` for `ws://127.0.0.1:7070/ws`. Throws: UsageError. */
export function httpUrlOf(webSocketUrl: string): string {
  if (!URL.canParse(webSocketUrl)) throw new UsageError(badUrl(webSocketUrl));
  const url = new URL(webSocketUrl);
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') throw new UsageError(badUrl(webSocketUrl));
  return `${url.protocol === 'wss:' ? 'https' : 'http'}://${url.host}`;
}

function badUrl(found: string): string {
  return `--url: expected an address such as ws://127.0.0.1:7070/ws, found ${found}`;
}

/** Asks GET /version. Never rejects. */
export async function reach(webSocketUrl: string): Promise<Reached> {
  const answer = await ask(`${httpUrlOf(webSocketUrl)}/version`);
  if (answer.kind === 'no server') return answer;
  const { name, protocol, model } = (answer.body ?? {}) as {
    readonly name?: unknown;
    readonly protocol?: unknown;
    readonly model?: { readonly hash?: unknown; readonly version?: unknown };
  };
  if (name !== 'mmrace' || typeof protocol !== 'string') return { kind: 'not-mmrace' };
  const version = String(model?.version ?? 'unknown');
  const server = { protocol, version, modelHash: String(model?.hash ?? '') };
  return { kind: protocol === SUBPROTOCOL ? 'mmrace' : 'other-protocol', server };
}

/** Why a command cannot use what answers there, and what to do; 'none' if it can. */
export function reachProblem(url: string, reached: Reached): string | 'none' {
  switch (reached.kind) {
    case 'mmrace':
      return 'none';
    case 'other-protocol': {
      const { protocol, version } = reached.server;
      return (
        `the server at ${url} speaks ${protocol} and this command ${SUBPROTOCOL}: ` +
        `use the mmrace of the server's version, ${version}`
      );
    }
    case 'not-mmrace':
      return `what answers at ${url} is not mmrace: say where the server is with --url or MMRACE_URL`;
    case 'no server':
      return (
        `no server answers at ${url}: start one with npx mmrace serve, ` +
        'or say where it is with --url or MMRACE_URL'
      );
  }
}

export interface LabChoice {
  readonly url: string;
  /** A lab's name, or its join code. */
  readonly lab: string;
  /** What the person says it is. */
  readonly said: 'name-or-code' | 'code';
  /** A name that no lab has: is it opened, or a mistake? */
  readonly unknown: 'opened' | 'refused';
  /** A file with the token of the server. */
  readonly token?: string | undefined;
}

/** A lab that is there, or is to be opened. */
export interface FoundLab {
  readonly name: string;
  /** Empty if it is not there yet. */
  readonly code: string;
  /** What a hello calls it. */
  readonly door: string;
}

/** The lab that is meant. Throws: Unavailable if there is no server to use; UsageError if it has no such lab. */
export async function labOnServer(choice: LabChoice): Promise<FoundLab> {
  const { url, lab, said, unknown } = choice;
  const problem = reachProblem(url, await reach(url));
  if (problem !== 'none') throw new Unavailable(problem);
  const token = tokenIn(choice.token);
  const labs = await labsAt(url, token);
  if (labs === 'hidden') return await labByCode(url, lab);
  const found =
    labs.find(({ name }) => name === lab) ??
    labs.find(({ code }) => code.toLowerCase() === lab.toLowerCase());
  if (found !== undefined) return found;
  const elsewhere = await labElsewhere(url, lab, token);
  if (elsewhere !== 'none') return elsewhere;
  if (unknown === 'opened') {
    return token === 'none' ? { name: lab, code: '', door: lab } : await opened(url, lab, token);
  }
  const names = labs.map(({ name }) => name);
  const open = names.length === 0 ? 'no lab is open' : `open are ${names.join(', ')}`;
  throw new UsageError(
    said === 'code'
      ? `no lab has the join code "${lab}" at ${url}: ask for it again, or say --lab NAME; ${open}`
      : `there is no lab, and no join code, "${lab}" at ${url}${suggestion(lab, names)}: ` +
          `${open}; --new opens a lab of that name`,
  );
}

/** The lab of another server that keeps the same labs. */
async function labElsewhere(url: string, lab: string, token: string): Promise<FoundLab | 'none'> {
  const headers = token === 'none' ? {} : bearer(token);
  const answer = await ask(`${httpUrlOf(url)}/api/labs/${encodeURIComponent(lab)}`, { headers });
  const { name, code, joinBy } = ((answer.kind === 'answer' ? answer.body : undefined) ??
    {}) as Partial<LabEntry>;
  return name === undefined ? 'none' : asFound({ name, code, joinBy } as Partial<LabEntry>);
}

/** The lab that has this code, on a server that tells strangers no more. */
async function labByCode(url: string, code: string): Promise<FoundLab> {
  const answer = await ask(`${httpUrlOf(url)}/api/join/${encodeURIComponent(code)}`);
  const { lab } = ((answer.kind === 'answer' ? answer.body : undefined) ?? {}) as {
    readonly lab?: Partial<LabEntry>;
  };
  if (lab !== undefined) return asFound(lab);
  throw new UsageError(
    `no lab has the join code "${code}" at ${url}: the server has a token, and a client that does not show it ` +
      '(--token FILE or MMRACE_TOKEN) joins a lab by its code alone',
  );
}

/** Opens a lab before anybody says hello to it: its code is needed for that. */
async function opened(url: string, name: string, token: string): Promise<FoundLab> {
  const answer = await ask(`${httpUrlOf(url)}/api/labs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(token) },
    body: JSON.stringify({ name }),
  });
  const body = answer.kind === 'answer' ? answer.body : undefined;
  const { lab, error } = (body ?? {}) as {
    readonly lab?: Partial<LabEntry>;
    readonly error?: { readonly message: string };
  };
  if (lab !== undefined) return asFound(lab);
  throw new UsageError(
    `the lab ${name} cannot be opened at ${url}: ${error?.message ?? 'no answer'}`,
  );
}

async function labsAt(url: string, token: string): Promise<readonly FoundLab[] | 'hidden'> {
  const headers = token === 'none' ? {} : bearer(token);
  const answer = await ask(`${httpUrlOf(url)}/api/labs`, { headers });
  const body = answer.kind === 'answer' ? answer.body : undefined;
  const { labs, error } = (body ?? {}) as {
    readonly labs?: readonly Partial<LabEntry>[];
    readonly error?: { readonly code: string };
  };
  return error?.code === TOKEN_NEEDED ? 'hidden' : (labs ?? []).map(asFound);
}

const TOKEN_NEEDED: HttpErrorName = 'token-needed';

function asFound({ name = '', code = '', joinBy }: Partial<LabEntry>): FoundLab {
  return { name, code, door: joinBy === 'code' ? code : name };
}

function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** MMRACE_TOKEN may say "none", as for a server. Throws: UsageError. */
function tokenIn(file: string | undefined): string | 'none' {
  if (file === undefined || file === 'none') return 'none';
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--token ${file}: ${why}`, { cause: error });
  }
}

type Asked =
  | { readonly kind: 'answer'; readonly body: unknown }
  | { readonly kind: 'no server'; readonly why: string };

async function ask(url: string, init: RequestInit = {}): Promise<Asked> {
  try {
    const response = await patientFetch(() =>
      movedFetch(url, { ...init, signal: AbortSignal.timeout(ANSWER_MS) }),
    );
    const text = await response.text();
    return { kind: 'answer', body: jsonOf(text) };
  } catch (error) {
    return { kind: 'no server', why: causeOf(error) };
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch() wraps what went wrong. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
