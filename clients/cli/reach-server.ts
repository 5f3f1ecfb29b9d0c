/** A look at a server before a command joins it: is one there, is it ours, does it have the lab? */

import { SUBPROTOCOL } from '../../server/protocol/limits.ts';
import { suggestion } from '../../server/vocabulary/nearest-word.ts';
import { UsageError } from './failure.ts';

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
  | { readonly kind: 'nobody'; readonly why: string };

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
  if (answer.kind === 'nobody') return answer;
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
    case 'nobody':
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
}

/** A lab that is there, or is to be opened. */
export interface FoundLab {
  readonly name: string;
  /** Empty if it is not there yet. */
  readonly code: string;
}

/** The lab that is meant. Throws: UsageError if there is no server to use, or no such lab. */
export async function labOnServer({ url, lab, said, unknown }: LabChoice): Promise<FoundLab> {
  const problem = reachProblem(url, await reach(url));
  if (problem !== 'none') throw new UsageError(problem);
  const labs = await labsAt(url);
  const found =
    labs.find(({ name }) => name === lab) ??
    labs.find(({ code }) => code.toLowerCase() === lab.toLowerCase());
  if (found !== undefined) return found;
  if (unknown === 'opened') return { name: lab, code: '' };
  const names = labs.map(({ name }) => name);
  const open = names.length === 0 ? 'no lab is open' : `open are ${names.join(', ')}`;
  throw new UsageError(
    said === 'code'
      ? `no lab has the join code "${lab}" at ${url}: ask for it again, or say --lab NAME; ${open}`
      : `there is no lab, and no join code, "${lab}" at ${url}${suggestion(lab, names)}: ` +
          `${open}; --new opens a lab of that name`,
  );
}

async function labsAt(url: string): Promise<readonly FoundLab[]> {
  const answer = await ask(`${httpUrlOf(url)}/api/labs`);
  const body = answer.kind === 'answer' ? answer.body : undefined;
  const { labs } = (body ?? {}) as { readonly labs?: readonly Partial<FoundLab>[] };
  return (labs ?? []).map(({ name = '', code = '' }) => ({ name, code }));
}

type Asked =
  | { readonly kind: 'answer'; readonly body: unknown }
  | { readonly kind: 'nobody'; readonly why: string };

async function ask(url: string): Promise<Asked> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    const text = await response.text();
    return { kind: 'answer', body: jsonOf(text) };
  } catch (error) {
    return { kind: 'nobody', why: causeOf(error) };
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
